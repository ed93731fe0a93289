"""What an Explainer keeps changes the time, never a bit."""

from __future__ import annotations

import numpy as np
import pytest

import onnxlrp
from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.engine import WAYS
from onnxlrp.memory import Memory, Trail
from onnxlrp.rules import AlphaBeta, Epsilon, Gamma
from tests.engine.test_networks import small_network
from tests.ops.single import normal


def test_the_least_recently_used_goes_first():
    memory = Memory(budget=100)
    for key in "abc":
        memory.put(key, key.upper(), 30)
    assert memory.get("a") == "A"
    memory.put("d", "D", 30)
    assert [memory.get(key) for key in "abcd"] == ["A", None, "C", "D"]
    assert memory.nbytes == 90


def test_a_value_replaces_the_one_before_and_a_huge_one_is_not_held():
    memory = Memory(budget=100)
    memory.put("a", 1, 80)
    memory.put("a", 2, 90)
    memory.put("b", 3, 101)
    assert (memory.get("a"), memory.get("b"), memory.nbytes) == (2, None, 90)


def test_of_one_group_only_so_many_are_held():
    memory = Memory(budget=100, alike=2)
    for key in "ab":
        memory.put(key, key.upper(), 10, group="one")
    memory.put("c", "C", 10, group="other")
    memory.put("d", "D", 10)
    assert memory.get("a") == "A"
    memory.put("e", "E", 10, group="one")
    assert [memory.get(key) for key in "abcde"] == ["A", None, "C", "D", "E"]
    memory.put("f", "F", 100, group="one")
    assert [memory.get(key) for key in "acdef"] == [None] * 4 + ["F"]


def test_ways_that_part_have_different_numbers():
    trail = Trail()
    one = trail.number(trail.number(0, "x"), "y")
    assert trail.number(trail.number(0, "x"), "y") == one
    assert len({one, trail.number(trail.number(0, "y"), "x"), trail.number(0, "y")}) == 3


def designs():
    """Designs that share the upper layers, or the target, or nothing."""
    lowest = Selector(name="conv1")
    yield "epsilon_plus", 0
    for gamma in (0.1, 0.2, 0.1):
        yield Composite("g", (Entry(Selector(), Epsilon()), Entry(lowest, Gamma(gamma)))), 0
    yield Composite("a", (Entry(Selector(), AlphaBeta(2, 1)),)), 1
    yield "epsilon_plus", 0
    yield "epsilon_plus", 2


@pytest.mark.parametrize("budget", [0, 2_000, 20_000, 2**30])
def test_the_same_bits_with_any_budget(budget):
    model = onnxlrp.load(small_network())
    x = normal(2, 2, 6, 6, seed=41)
    explainer = onnxlrp.Explainer(model, x, budget=budget)
    for composite, target in designs():
        kept = explainer.explain(composite, target, record=["relu1", "fc", "x"])
        fresh = onnxlrp.explain(model, x, composite, target, record=["relu1", "fc", "x"])
        assert np.array_equal(kept.relevance, fresh.relevance)
        for key, values in fresh.tensors.items():
            assert np.array_equal(kept.tensors[key], values)


def test_a_change_at_the_lowest_layer_leaves_the_others_alone():
    model = onnxlrp.load(small_network())
    explainer = onnxlrp.Explainer(model, normal(1, 2, 6, 6, seed=42))
    lowest = Selector(name="conv1")
    ran = []
    for gamma in (0.1, 0.2):
        ran.clear()
        design = Composite("g", (Entry(Selector(), Epsilon()), Entry(lowest, Gamma(gamma))))
        explainer.explain(design, 0, progress=lambda done, total, layer: ran.append(layer))
    assert ran == ["relu1", "conv1"]


def test_a_slider_that_is_dragged_leaves_what_is_above():
    """However many rules a layer is given, the ways to it and to other designs are known."""
    model = onnxlrp.load(small_network())
    explainer = onnxlrp.Explainer(model, normal(1, 2, 6, 6, seed=42))
    lowest = Selector(name="conv1")
    held = []
    for number in range(3 * WAYS):
        entries = (Entry(Selector(), Epsilon()), Entry(lowest, Gamma(0.1 + number / 100)))
        explainer.explain(Composite("g", entries), 0)
        held.append(explainer._kept.memory.nbytes)
    assert held[WAYS:] == held[WAYS : WAYS + 1] * (2 * WAYS)
    ran = []
    explainer.explain("epsilon", 0, progress=lambda done, total, layer: ran.append(layer))
    assert ran == ["relu1", "conv1"]


def test_what_is_returned_may_be_written_into():
    model = onnxlrp.load(small_network())
    explainer = onnxlrp.Explainer(model, normal(1, 2, 6, 6, seed=43))
    first = explainer.explain("epsilon", 0, record=["conv2"])
    before = first.relevance.copy()
    for array in (first.relevance, first.output, first.tensors["conv2"]):
        array[...] = 7
    assert np.array_equal(explainer.explain("epsilon", 0).relevance, before)
