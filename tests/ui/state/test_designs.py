"""Designs are values: what edits do to rules, segments and the composite behind them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnxlrp.composites import PRESETS, Composite, Entry, Selector
from onnxlrp.errors import CompositeError, InputError
from onnxlrp.rules import AlphaBeta, Epsilon, Flat, Gamma, Unified, WSquare, ZBox, ZPlus
from ui.state import (
    Design,
    bounds_of,
    merge,
    move_bound,
    packaged_network,
    rule_label,
    rule_name,
    ruled_layers,
    rules_of,
    segments,
    split,
    with_composite,
    with_option,
    with_rule,
)

MODEL = packaged_network().model
RULED = ruled_layers(MODEL)


def preset(name: str = "montavon") -> Design:
    return Design(Composite.preset(name))


def test_segments_cover_the_ruler_without_gap():
    found = segments(preset(), MODEL)
    assert [s.label for s in found] == ["zᴮ", "LRP-γ 0.25", "LRP-ε 0.25·rms", "LRP-0"]
    assert [s.number for s in found] == [1, 2, 3, 4]
    covered = [i for s in found for i in s.layers]
    assert covered == list(range(len(MODEL.layers)))


def test_each_layer_of_a_segment_has_its_rule():
    rules = rules_of(preset().composite, MODEL)
    for segment in segments(preset(), MODEL):
        assert {rules[i] for i in segment.layers if i in RULED} == {segment.rule}


def test_with_rule_changes_these_layers_and_no_other():
    before = rules_of(preset().composite, MODEL)
    chosen = RULED[3:6]
    after = rules_of(with_rule(preset(), MODEL, chosen, Flat()).composite, MODEL)
    assert {i: after[i] for i in chosen} == dict.fromkeys(chosen, Flat())
    assert {i: r for i, r in after.items() if i not in chosen} == {
        i: r for i, r in before.items() if i not in chosen
    }


def test_a_preset_keeps_its_entries_and_gets_one_range_on_top():
    made = with_rule(preset(), MODEL, RULED[3:6], Flat()).composite
    assert made.entries[:-1] == preset().composite.entries
    assert made.entries[-1] == Entry(Selector(index=(RULED[3], RULED[5])), Flat())


def test_an_entry_that_never_wins_is_left_out():
    made = with_rule(preset("epsilon_plus"), MODEL, RULED, Gamma(0.1)).composite
    assert made.entries == (Entry(Selector(index=(RULED[0], RULED[-1])), Gamma(0.1)),)


def test_undoing_an_edit_by_hand_gives_the_preset_back():
    there = with_rule(preset("epsilon_plus"), MODEL, RULED[3:6], Flat())
    back = with_rule(there, MODEL, RULED[3:6], ZPlus())
    assert back.composite.entries == preset("epsilon_plus").composite.entries[:1]
    assert rules_of(back.composite, MODEL) == rules_of(preset("epsilon_plus").composite, MODEL)


def test_neighbours_with_the_same_rule_become_one_range():
    made = preset("epsilon_plus")
    for index in (RULED[4], RULED[6], RULED[5]):
        made = with_rule(made, MODEL, [index], Flat())
    assert made.composite.entries[-1].selector == Selector(index=(RULED[4], RULED[6]))


def test_layers_without_a_rule_are_refused_by_name():
    relu = next(layer for layer in MODEL.layers if layer.op == "Relu")
    with pytest.raises(InputError, match=relu.name):
        with_rule(preset(), MODEL, [relu.index], Flat())


def test_open_bounds_where_the_range_is_not_known_are_refused():
    with pytest.raises(CompositeError, match="needs low and high"):
        with_rule(preset(), MODEL, RULED[3:5], ZBox())


def test_split_keeps_the_rules_and_merge_takes_the_bound_away():
    design = preset("epsilon_plus")
    assert len(segments(design, MODEL)) == 1
    two = split(design, MODEL, RULED[7] - 1)
    assert [s.start for s in segments(two, MODEL)] == [0, RULED[7]]
    assert two.composite == design.composite
    assert merge(two, MODEL, RULED[7]).cuts == ()
    with pytest.raises(InputError, match=r"begins at .* already"):
        split(two, MODEL, RULED[7])
    with pytest.raises(InputError, match="no segment begins"):
        merge(two, MODEL, RULED[8])


def test_merge_takes_the_rule_of_the_side_that_is_kept():
    design = preset()
    bound = segments(design, MODEL)[2].start
    below, above = (merge(design, MODEL, bound, keep) for keep in ("below", "above"))
    labels = [s.label for s in segments(design, MODEL)]
    assert [s.label for s in segments(below, MODEL)] == [labels[0], labels[1], labels[3]]
    assert [s.label for s in segments(above, MODEL)] == [labels[0], labels[2], labels[3]]


def test_a_bound_moves_and_stops_at_the_neighbours():
    design = preset()
    bound = segments(design, MODEL)[2].start
    before = [s.start for s in segments(design, MODEL)]
    later = RULED[RULED.index(bound) + 2]
    moved = [s.start for s in segments(move_bound(design, MODEL, bound, later), MODEL)]
    assert moved == [*before[:2], later, before[3]]
    down = [s.start for s in segments(move_bound(design, MODEL, bound, 0), MODEL)]
    assert down == [*before[:2], RULED[2], before[3]]
    far = segments(move_bound(design, MODEL, bound, 10_000), MODEL)
    assert len(far) == 4
    assert far[2].start == RULED[RULED.index(before[3]) - 1]
    assert move_bound(design, MODEL, bound, bound) == design


def test_a_cut_between_equal_rules_moves():
    two = split(preset("epsilon_plus"), MODEL, RULED[7])
    moved = move_bound(two, MODEL, RULED[7], RULED[10])
    assert moved.cuts == (RULED[10],)
    assert moved.composite == two.composite


def test_a_composite_and_an_option_keep_the_name():
    design = with_composite(preset(), Composite.preset("gamma"))
    assert (design.name, design.id != "") == ("montavon", True)
    assert with_option(design, "max_pool", "average").composite.max_pool == "average"
    with pytest.raises(CompositeError, match="no option"):
        with_option(design, "min_pool", "average")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_has_segments(name):
    assert segments(preset(name), MODEL)


RULES = st.sampled_from([Flat(), Gamma(0.25), Epsilon(0.1), ZPlus(), AlphaBeta(2, 1), WSquare()])


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(PRESETS)),
    st.lists(st.tuples(st.sets(st.sampled_from(RULED), min_size=1), RULES), max_size=5),
)
def test_edits_do_what_they_say_whatever_came_before(name, changes):
    design = preset(name)
    expected = dict(rules_of(design.composite, MODEL))
    for layers, rule in changes:
        design = with_rule(design, MODEL, layers, rule)
        expected.update(dict.fromkeys(layers, rule))
    assert rules_of(design.composite, MODEL) == expected
    assert Composite.from_dict(design.composite.to_dict()) == design.composite


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(bounds_of(MODEL)), st.integers(0, 80), st.sets(st.sampled_from(RULED)))
def test_moving_a_bound_changes_no_number_of_segments(at, to, flat):
    design = preset("epsilon_plus")
    if flat:
        design = with_rule(design, MODEL, flat, Flat())
    if all(s.start != at for s in segments(design, MODEL)):
        design = split(design, MODEL, at)
    moved = move_bound(design, MODEL, at, to)
    assert len(segments(moved, MODEL)) == len(segments(design, MODEL))


@pytest.mark.parametrize(
    ("rule", "name", "label"),
    [
        (Unified(gamma1_plus=0.3, mirror=True), "gamma", "LRP-γ 0.3"),
        (Unified(gamma1=0, gamma1_plus=1), "z_plus", "LRP-z⁺"),
        (AlphaBeta(1, 0), "z_plus", "LRP-z⁺"),
        (AlphaBeta(2, 1), "alpha_beta", "LRP-α2β1"),
        (Unified(epsilon=0), "zero", "LRP-0"),
        (Unified(gamma2=0.5), "custom", "custom"),
        (Epsilon(0.25, relative=True), "epsilon", "LRP-ε 0.25·rms"),
        (Gamma(0.1, bias="spread"), "gamma", "LRP-γ 0.1, bias spread"),
        (Flat(), "flat", "flat"),
        (ZBox(), "z_box", "zᴮ"),
    ],
)
def test_a_rule_finds_its_name_by_its_numbers(rule, name, label):
    assert (rule_name(rule), rule_label(rule)) == (name, label)
