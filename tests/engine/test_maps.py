"""The weights that rules see: made once, and kept within a budget."""

from __future__ import annotations

import numpy as np

import onnxlrp
from onnxlrp.maps import TRIED, Maps
from onnxlrp.ops import Linear, bind
from onnxlrp.rules.frame import WeightMap
from tests.engine.test_networks import small_network


def linear_layers():
    operations = bind(onnxlrp.load(small_network())).values()
    return [op for op in operations if isinstance(op, Linear)]


def test_a_map_is_made_once():
    op, maps = linear_layers()[0], Maps()
    assert maps.get(op, WeightMap()) is maps.get(op, WeightMap())
    assert maps.get(op, WeightMap(negative=0.0)) is not maps.get(op, WeightMap())


def test_what_was_not_asked_for_longest_is_dropped():
    op, maps = linear_layers()[0], Maps(budget=0)
    first, second = WeightMap(negative=0.0), WeightMap(positive=0.0)
    dropped = maps.get(op, first)
    held = maps.get(op, second)
    assert maps.get(op, second) is held
    assert maps.nbytes == held.nbytes
    assert maps.get(op, first) is not dropped


def mixtures(count):
    return [WeightMap(positive=1 + number / 8) for number in range(1, count + 1)]


def test_of_many_gammas_the_latest_stay():
    op, maps = linear_layers()[0], Maps()
    plain = maps.get(op, WeightMap())
    made = [maps.get(op, mixture) for mixture in mixtures(3 * TRIED)]
    assert maps.nbytes == plain.nbytes + sum(linear.nbytes for linear in made[-TRIED:])
    assert maps.get(op, WeightMap()) is plain
    assert maps.get(op, mixtures(3 * TRIED)[-1]) is made[-1]


def test_many_gammas_in_turn_are_made_twice_and_then_stay():
    op, maps = linear_layers()[0], Maps()
    _, second, third = [[maps.get(op, m) for m in mixtures(3 * TRIED)] for _ in range(3)]
    kept = [one is other for one, other in zip(second, third, strict=True)]
    assert kept == [True] * len(kept)


def test_gammas_of_other_layers_do_not_count():
    (one, other, *_), maps = linear_layers(), Maps()
    made = maps.get(one, mixtures(1)[0])
    for mixture in mixtures(2 * TRIED):
        maps.get(other, mixture)
    assert maps.get(one, mixtures(1)[0]) is made


def test_the_mapped_bias_is_that_of_the_rule():
    for op in linear_layers():
        positive = Maps().bias(op, 4, WeightMap(negative=0.0))
        bias = op.bias_at(4)
        if bias is None:
            assert positive is None
        else:
            np.testing.assert_array_equal(positive, np.maximum(bias, 0))
