from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError, NumericalError
from onnxlrp.evaluate import band_mask, masked, score_changes
from onnxlrp.preprocess import Preprocessing
from tests.evaluate.nets import linear_net

W = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 4.0]])
X = np.full((2, 1, 2, 2), 10, np.float32)


def net(**options):
    return linear_net(W, (1, 2, 2), **options)


def test_band_takes_both_of_its_ends():
    relevance = np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0]])
    mask = band_mask(relevance, 0.0, 3.0, (2, 3))
    assert mask.tolist() == [[0, 1, 1], [1, 1, 0]]
    assert mask.dtype == np.float32
    assert band_mask(relevance, -np.inf, np.inf, (2, 3)).all()


def test_band_of_a_small_map_grows_smoothly_to_the_picture():
    mask = band_mask([[0.0, 0.0, 5.0, 5.0]] * 4, 1.0, 9.0, (16, 32))
    assert mask.shape == (16, 32)
    assert mask.min() == 0
    assert mask.max() == 1
    assert (mask[:, :10] == 0).all()
    assert (mask[:, -10:] == 1).all()
    np.testing.assert_allclose(mask + mask[:, ::-1], 1, atol=1e-6)
    assert (np.diff(mask[0, 12:20]) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        (([1.0, 2.0], 0, 1, (4, 4)), InputError, "sum over its channels"),
        ((np.zeros((0, 3)), 0, 1, (4, 4)), InputError, "no picture"),
        (([[np.nan]], 0, 1, (4, 4)), NumericalError, "NaN or Inf"),
        (([[1.0]], 2, 1, (4, 4)), InputError, "the band from v1=2 to v2=1 is empty"),
        (([[1.0]], np.nan, 1, (4, 4)), InputError, "is empty"),
        (([[1.0]], 0, 1, (0, 4)), InputError, "shape=0"),
    ],
)
def test_bands_that_are_none_are_one_clear_line(arguments, error, complaint):
    with pytest.raises(error, match=complaint):
        band_mask(*arguments)


def test_masked_pixels_fade_to_the_fill_and_count():
    mask = np.array([[1.0, 0.0], [0.25, 0.0]])
    found = masked(net(), X, mask)
    np.testing.assert_allclose(found.picture[0, 0], [[0, 10], [7.5, 10]])
    np.testing.assert_allclose(found.before, [[30, 70]] * 2)
    np.testing.assert_allclose(found.after, [[20, 62.5]] * 2)
    assert found.share.tolist() == [0.25, 0.25]  # what is masked, not what is kept
    assert (X == 10).all()


def test_each_picture_may_have_its_own_mask():
    masks = np.zeros((2, 2, 2), bool)
    masks[1] = True
    found = masked(net(), X, masks, fill=3)
    np.testing.assert_array_equal(found.picture[0], X[0])
    np.testing.assert_allclose(found.picture[1], 3)
    assert found.share.tolist() == [0, 1]


def test_what_is_not_masked_keeps_its_bits():
    preprocessing = Preprocessing((2, 2), channels="L", mean=(0.37,), std=(0.113,))
    model = linear_net(W, (1, 2, 2), preprocessing)
    x = np.random.default_rng(0).standard_normal((1, 1, 2, 2)).astype(np.float32)
    mask = np.array([[True, False], [False, False]])
    found = masked(model, x, mask, fill="uniform", seed=3)
    np.testing.assert_array_equal(found.picture[0, 0][~mask], x[0, 0][~mask])
    assert found.picture[0, 0, 0, 0] != x[0, 0, 0, 0]


def test_masked_by_inpainting_takes_from_around():
    x = np.array([[[[10.0, 10.0], [10.0, 200.0]]]], np.float32)
    mask = np.array([[False, False], [False, True]])
    np.testing.assert_allclose(masked(net(), x, mask, fill="inpaint").picture, 10, atol=1)


def test_new_top_stands_beside_the_old():
    found = masked(net(), X, np.array([[0, 0], [1, 1]]))
    first, second = found.top()
    assert (first.index, first.label, first.before, first.after) == (0, "class 0", 30, 30)
    assert (first.rank_before, first.rank_after, first.change) == (2, 1, 0)
    assert (second.index, second.change, second.rank_change) == (1, -70, 1)
    assert found.top(1, count=1)[0].index == 0


def test_ranks_of_ties_go_to_the_lower_number():
    before, after = np.array([1, 1, 2], np.float32), np.array([0, 0, 0], np.float32)
    changes = score_changes(net(), before, after)
    assert [(c.index, c.rank_before, c.rank_after) for c in changes] == [
        *((0, 2, 1), (1, 3, 2), (2, 1, 3)),
    ]


@pytest.mark.parametrize(
    ("mask", "complaint"),
    [
        (np.zeros((3, 2)), r"mask of shape \(3, 2\) .* it has shape \(2, 2\)"),
        (np.zeros((1, 2, 2)), r"or \(2, 2, 2\) for one each"),
        (np.full((2, 2), 1.5), "values outside 0 to 1"),
        (np.full((2, 2), np.nan), "values outside 0 to 1"),
        ([["a", "b"], ["c", "d"]], "type <U1"),
    ],
)
def test_masks_that_do_not_fit_are_one_clear_line(mask, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        masked(net(), X, mask)
    assert "\n" not in str(caught.value)


def test_other_mistakes_are_told():
    mask = np.zeros((2, 2))
    with pytest.raises(InputError, match="Did you mean 'zero'"):
        masked(net(), X, mask, fill="zeros")
    with pytest.raises(InputError, match="picture 2: there are pictures 0 to 1"):
        masked(net(), X, mask).top(2)
    with pytest.raises(InputError, match="count=0"):
        masked(net(), X, mask).top(count=0)
