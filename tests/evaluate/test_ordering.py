from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import InputError
from onnxlrp.evaluate.ordering import checked_orders, flipped_counts, sequence
from onnxlrp.evaluate.perturbation import flip_order

RANDOM = np.random.default_rng(0)


@given(
    regions=st.integers(1, 400),
    steps=st.none() | st.integers(1, 120),
    until=st.floats(0.01, 1.0),
    growth=st.sampled_from(["linear", "growing"]),
)
def test_counts_grow_from_none_to_the_wanted_share(regions, steps, until, growth):
    counts = flipped_counts(regions, steps, until, growth)
    assert counts[0] == 0
    assert counts[-1] == max(1, round(until * regions))
    assert (np.diff(counts) >= 1).all()
    assert len(counts) - 1 == min(steps or regions, counts[-1])


def test_linear_steps_are_even_and_growing_steps_are_odd_numbers():
    assert set(np.diff(flipped_counts(1000, 100, 1.0, "linear"))) == {10}
    assert np.diff(flipped_counts(100, 10, 1.0, "growing")).tolist() == list(range(1, 20, 2))


def test_protocol_of_samek_flips_a_hundred_regions():
    regions = 25 * 25  # 9×9 pixels of 224×224, the last ones cut off
    assert flipped_counts(regions, 100, 100 / regions, "linear").tolist() == list(range(101))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_most_relevant_first_falls_and_least_relevant_first_rises(values):
    relevance = np.array(values, np.float64)
    labels = np.arange(len(values))
    morf = relevance[sequence("morf", labels, relevance, RANDOM)]
    lerf = relevance[sequence("lerf", labels, relevance, RANDOM)]
    assert (np.diff(morf) <= 0).all()
    assert (np.diff(lerf) >= 0).all()


def test_ties_keep_the_reading_order_in_both_directions():
    relevance = np.array([1.0, 0.0, 1.0, 0.0])
    labels = np.arange(4)
    assert sequence("morf", labels, relevance, RANDOM).tolist() == [0, 2, 1, 3]
    assert sequence("lerf", labels, relevance, RANDOM).tolist() == [1, 3, 0, 2]


def test_regions_count_by_their_mean_not_by_their_size():
    labels = np.array([0, 0, 0, 1])
    relevance = np.array([1.0, 1.0, 1.0, 2.0])  # the large region has the larger sum
    assert sequence("morf", labels, relevance, RANDOM).tolist() == [1, 0]


def test_random_order_is_a_permutation_and_depends_on_nothing_but_the_seed():
    labels = np.arange(50)
    first, second = (
        sequence("random", labels, relevance, np.random.default_rng(3))
        for relevance in (np.zeros(50), np.arange(50.0))
    )
    np.testing.assert_array_equal(first, second)
    assert sorted(first.tolist()) == labels.tolist()


@given(st.data())
def test_pixels_go_with_their_region(data):
    labels = np.array(data.draw(st.lists(st.integers(0, 4), min_size=5, max_size=40)))
    labels = np.unique(labels, return_inverse=True)[1]
    regions = int(labels.max()) + 1
    first = np.array(data.draw(st.permutations(range(regions))))
    order, ends = flip_order(labels, first, np.arange(regions + 1))
    for k in range(regions + 1):
        flipped = set(order[: ends[k]].tolist())
        assert flipped == {p for p, label in enumerate(labels) if label in set(first[:k].tolist())}


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: flipped_counts(9, 0, 1.0, "linear"), "steps=0: a whole number from 1 on"),
        (lambda: flipped_counts(9, 2.5, 1.0, "linear"), "steps=2.5"),
        (lambda: flipped_counts(9, True, 1.0, "linear"), "steps=True"),
        (lambda: flipped_counts(9, 3, 0.0, "linear"), "until=0.0: a number above 0 up to 1"),
        (lambda: flipped_counts(9, 3, 1.5, "linear"), "until=1.5"),
        (lambda: flipped_counts(9, 3, 1.0, "linears"), "growth='linears'.*Did you mean 'linear'"),
        (lambda: checked_orders(["morf", "leRF"]), "order='leRF'.*Did you mean 'lerf'"),
        (lambda: checked_orders([]), "order is empty"),
    ],
)
def test_mistakes_are_one_clear_line(call, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        call()
    assert "\n" not in str(caught.value)
