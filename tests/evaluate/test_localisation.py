from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import InputError, NumericalError
from onnxlrp.evaluate import (
    box_mask,
    inside_total_ratio,
    pointing_game,
    relevance_mass,
    relevance_rank,
)

MAP = np.array([[5.0, 3.0, 0.0], [2.0, -4.0, 0.0]])
BOX = np.array([[True, False, False], [True, True, False]])


def test_closed_forms():
    assert pointing_game(MAP, BOX) == 1
    assert pointing_game(MAP, ~BOX) == 0
    assert relevance_mass(MAP, BOX) == 0.7
    assert relevance_mass(MAP, BOX, "absolute") == pytest.approx(11 / 14)
    assert relevance_rank(MAP, BOX) == pytest.approx(2 / 3)  # 5, 3, 2: two of them in the box
    assert inside_total_ratio(MAP, BOX) == 0.7
    assert inside_total_ratio(MAP, BOX, weighted=True) == pytest.approx(0.7 * 6 / 3)


def test_boxes_are_joined_and_exclude_their_far_edge():
    mask = box_mask([(0, 0, 2, 1), (1, 0, 3, 2)], (2, 4))
    assert mask.tolist() == [[True, True, True, False], [False, True, True, False]]


def test_even_relevance_scores_chance():
    even = np.ones((4, 5))
    mask = box_mask([(1, 1, 3, 4)], (4, 5))
    share = 6 / 20
    assert pointing_game(even, mask) == pytest.approx(share)
    assert relevance_mass(even, mask) == pytest.approx(share)
    assert relevance_rank(even, mask) == pytest.approx(share)
    assert inside_total_ratio(even, mask, weighted=True) == pytest.approx(1)


@given(
    st.lists(st.integers(0, 2), min_size=5, max_size=5),
    st.lists(st.booleans(), min_size=5, max_size=5).filter(any),
)
def test_ties_count_as_the_mean_over_all_ways_to_break_them(values, inside):
    relevance, mask = np.array([values], float), np.array([inside])
    size, rank_hits, point_hits = sum(inside), [], []
    for order in permutations(range(5)):
        best = sorted(order, key=lambda pixel: -values[pixel])  # stable: ties as in the order
        rank_hits.append(sum(inside[pixel] for pixel in best[:size]) / size)
        point_hits.append(inside[best[0]])
    assert relevance_rank(relevance, mask) == pytest.approx(np.mean(rank_hits))
    assert pointing_game(relevance, mask) == pytest.approx(np.mean(point_hits))


def test_no_positive_relevance_is_not_defined():
    assert math.isnan(relevance_mass(-np.abs(MAP), BOX))
    assert math.isnan(inside_total_ratio(np.zeros((2, 3)), BOX, weighted=True))
    assert relevance_mass(-np.abs(MAP), BOX, "absolute") == pytest.approx(11 / 14)


@pytest.mark.parametrize(
    "score", [pointing_game, relevance_mass, relevance_rank, inside_total_ratio]
)
@pytest.mark.parametrize(
    ("relevance", "mask", "error", "complaint"),
    [
        (MAP, BOX[:1], InputError, r"mask of shape \(1, 3\)"),
        (MAP[None], BOX[None], InputError, "the channels of relevance summed"),
        (MAP, np.zeros((2, 3)), InputError, "mask is empty"),
        (MAP, np.full((2, 3), 0.5), InputError, "mask is true or false"),
        (np.full((2, 3), np.nan), BOX, NumericalError, "NaN or Inf"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(score, relevance, mask, error, complaint):
    with pytest.raises(error, match=complaint):
        score(relevance, mask)


def test_other_mistakes_are_told():
    with pytest.raises(InputError, match="Did you mean 'positive'"):
        relevance_mass(MAP, BOX, "positives")
    with pytest.raises(InputError, match="no box was given"):
        box_mask([], (2, 3))
    for box in ((2, 0, 2, 1), (0, 0, 4, 1), (-1, 0, 1, 1)):
        with pytest.raises(InputError, match="within 3×2 pixels"):
            box_mask([box], (2, 3))
