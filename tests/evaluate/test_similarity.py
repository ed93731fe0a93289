from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onnxlrp.errors import InputError, NumericalError
from onnxlrp.evaluate import pearson, spearman, ssim, top_overlap

RANDOM = np.random.default_rng(0)
A, B = RANDOM.standard_normal((2, 20, 24))
INTEGERS = hnp.arrays(np.float64, 12, elements=st.integers(-3, 3).map(float))


@given(INTEGERS, INTEGERS)
def test_pearson_is_numpys(a, b):
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert math.isnan(pearson(a, b))
    else:
        np.testing.assert_allclose(pearson(a, b), np.corrcoef(a, b)[0, 1], atol=1e-12)


@given(INTEGERS, INTEGERS)
def test_spearman_is_pearsons_of_mean_ranks(a, b):
    ranks = [[np.sum(v < value) + (np.sum(v == value) + 1) / 2 for value in v] for v in (a, b)]
    np.testing.assert_allclose(spearman(a, b), pearson(*ranks), atol=1e-12)


def test_correlations_know_direction_scale_and_order():
    assert pearson(A, 3 * A + 5) == pytest.approx(1)
    assert pearson(A, -A) == pytest.approx(-1)
    assert spearman(A, np.exp(A)) == pytest.approx(1)
    assert pearson(A, np.exp(A)) < 0.9
    assert pearson(A * 1e-200, A * 1e200) == pytest.approx(1)
    # ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4
    assert spearman([0, 1, 1, 2], [1, 2, 3, 4]) == pytest.approx(math.sqrt(0.9))


def slow_ssim(a, b, data_range):
    """Window by window, as the paper has it."""
    offset = np.arange(-5, 6)
    w = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2))
    w /= w.sum()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    found = []
    for row in range(a.shape[0] - 10):
        for column in range(a.shape[1] - 10):
            x, y = (v[row : row + 11, column : column + 11] for v in (a, b))
            mx, my = (w * x).sum(), (w * y).sum()
            vx, vy = (w * (x - mx) ** 2).sum(), (w * (y - my) ** 2).sum()
            cov = (w * (x - mx) * (y - my)).sum()
            found.append(
                (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
            )
    return np.mean(found)


@pytest.mark.parametrize("other", [B, A + 0.1 * B, -A, A + 2], ids=["b", "near", "minus", "up"])
def test_ssim_is_the_papers_window_by_window(other):
    reach = max(A.max(), other.max()) - min(A.min(), other.min())
    assert ssim(A, other) == pytest.approx(slow_ssim(A, other, reach))
    assert ssim(A, other, 7.0) == pytest.approx(slow_ssim(A, other, 7.0))


def test_ssim_of_equal_constant_and_small_maps():
    assert ssim(A, A) == pytest.approx(1)
    assert ssim(np.ones((12, 12)), np.ones((12, 12))) == 1
    # Constant maps: variances vanish, (2ab + C₁)/(a² + b² + C₁) is left, with L = 1.
    expected = (2 * 2 * 3 + 1e-4) / (4 + 9 + 1e-4)
    assert ssim(np.full((12, 12), 2.0), np.full((12, 12), 3.0)) == pytest.approx(expected)
    assert ssim(A[:6, :4], A[:6, :4]) == pytest.approx(1)  # the window shrinks to 3×3
    assert ssim(A[:1, :5], B[:1, :5]) <= 1


@given(INTEGERS, INTEGERS, st.integers(1, 12))
def test_overlap_counts_the_common_top(a, b, k):
    tops = [set(sorted(range(12), key=lambda p, v=v: (-v[p], p))[:k]) for v in (a, b)]
    assert top_overlap(a, b, k) == len(tops[0] & tops[1]) / k


def test_overlap_of_equal_and_opposite_maps():
    assert top_overlap(A, A, 10) == 1
    assert top_overlap(A, -A, A.size // 2) == 0
    assert top_overlap(A, -A, A.size) == 1


@pytest.mark.parametrize("score", [pearson, spearman, ssim, lambda a, b: top_overlap(a, b, 1)])
def test_what_cannot_be_compared_is_one_clear_line(score):
    with pytest.raises(InputError, match=r"maps of shapes \(20, 24\) and \(24, 20\)"):
        score(A, A.T)
    with pytest.raises(InputError, match="at least two pixels"):
        score([[1.0]], [[1.0]])
    with pytest.raises(NumericalError, match="NaN or Inf"):
        score(A, np.full_like(A, np.nan))


def test_other_mistakes_are_told():
    for k in (0, A.size + 1):
        with pytest.raises(InputError, match=f"k={k}: a map of 480 pixels"):
            top_overlap(A, B, k)
    with pytest.raises(InputError, match="data_range=0"):
        ssim(A, B, 0)
    with pytest.raises(InputError, match="SSIM compares maps"):
        ssim(A.ravel(), B.ravel())
