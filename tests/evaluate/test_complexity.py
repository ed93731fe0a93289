from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onnxlrp.errors import InputError, NumericalError
from onnxlrp.evaluate import entropy, gini

MAPS = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6)).filter(np.any)


@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_even_and_single_relevance_are_the_ends(n):
    even, single = np.full(n, -3.0), np.zeros(n)
    single[n // 2] = 2
    assert entropy(even) == pytest.approx(math.log(n))
    assert gini(even) == pytest.approx(0)
    assert entropy(single) == 0
    assert gini(single) == pytest.approx(1 - 1 / n)


def test_closed_forms():
    assert entropy([1.0, -1.0, 2.0]) == pytest.approx(1.5 * math.log(2))
    # v = 1, 2, 5: (−2·1 + 0·2 + 2·5) / (3·8)
    assert gini([5.0, -1.0, 2.0]) == pytest.approx(8 / 24)


@given(MAPS)
def test_gini_is_the_mean_difference_over_twice_the_mean(values):
    v = np.abs(values)
    difference = np.abs(v[:, None] - v).mean()
    np.testing.assert_allclose(gini(values), difference / (2 * v.mean()), atol=1e-9)


@given(MAPS, st.floats(1e-200, 1e200), st.randoms(use_true_random=False))
def test_scale_sign_and_place_do_not_matter(values, scale, random):
    moved = (values / np.abs(values).max()).tolist()
    random.shuffle(moved)
    for score in (entropy, gini):
        other = score(-np.array(moved) * scale)
        np.testing.assert_allclose(other, score(values), atol=1e-9)


def test_nothing_is_not_defined_and_no_number_is_an_error():
    assert math.isnan(entropy(np.zeros((2, 2))))
    assert math.isnan(gini(np.zeros((2, 2))))
    for score in (entropy, gini):
        with pytest.raises(InputError, match="relevance is empty"):
            score([])
        with pytest.raises(NumericalError, match="NaN or Inf"):
            score([1.0, np.inf])
