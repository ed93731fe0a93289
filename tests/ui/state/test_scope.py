"""What an edit of a rule is for."""

from __future__ import annotations

import pytest

from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.rules import Epsilon, Gamma, ZBox
from ui.state import Design, Workbench, linear_layers, with_rule
from ui.state.networks import packaged_network
from ui.state.scope import scope_of

MODEL = packaged_network().model
WEIGHTED = frozenset(i for i in linear_layers(MODEL) if MODEL.layers[i].weighted)
DESIGN = Design(
    Composite(
        "d",
        (
            Entry(Selector(), Epsilon()),
            Entry(Selector(index=(0, 20)), Gamma(0.1)),
            Entry(Selector(first=True), ZBox()),
        ),
    )
)


def test_a_whole_segment_is_called_by_its_number() -> None:
    scope = scope_of(DESIGN, MODEL, range(3, 22))
    assert scope is not None
    assert scope.title == "Segment 2, layers 3 to 21"
    assert (scope.rule, scope.rules) == (Gamma(0.1), 1)
    assert scope.layers == linear_layers(MODEL) & set(range(3, 22))


def test_one_layer_is_called_by_its_name() -> None:
    scope = scope_of(DESIGN, MODEL, {5})
    assert scope is not None
    assert scope.title == "fire2_expand1x1 (Conv)"


def test_nothing_selected_means_all_and_so_says_it() -> None:
    for scope in (scope_of(DESIGN, MODEL, ()), scope_of(DESIGN, MODEL, {5}, "all")):
        assert scope is not None
        assert scope.title == "All layers"
        assert (scope.layers, scope.rules) == (WEIGHTED, 3)


def test_the_same_type_reaches_all_of_it() -> None:
    scope = scope_of(DESIGN, MODEL, {5}, "type")
    assert scope is not None
    assert scope.title == "All Conv layers"
    assert scope.layers == WEIGHTED


def test_bounds_from_the_preprocessing_stay_open() -> None:
    scope = scope_of(DESIGN, MODEL, {0})
    assert scope is not None
    assert scope.rule == ZBox()


def test_layers_that_only_move_relevance_have_no_rule() -> None:
    assert scope_of(DESIGN, MODEL, {1, 2}) is None


@pytest.mark.parametrize("reach", ["selection", "type", "all"])
def test_what_is_meant_is_what_changes(reach) -> None:
    scope = scope_of(DESIGN, MODEL, {5, 7}, reach)
    assert scope is not None
    changed = with_rule(DESIGN, MODEL, scope.layers, Gamma(0.7))
    after = scope_of(changed, MODEL, {5, 7}, reach)
    assert after is not None
    assert (after.rule, after.rules) == (Gamma(0.7), 1)


def test_a_workbench_edits_what_is_meant() -> None:
    bench = Workbench()
    bench.open_packaged()
    scope = scope_of(bench.design, bench.model, range(51, 64))
    assert scope is not None
    assert bench.edit(lambda d: with_rule(d, bench.model, scope.layers, Gamma(0.2)))
    assert bench.segments[-1].label == "LRP-γ 0.2"
    bench.close()
