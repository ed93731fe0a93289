"""The workbench: what the screen shows is what the engine computes, and nothing is lost."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

import onnxlrp
from onnxlrp.errors import InputError
from onnxlrp.rules import Flat, Gamma, Pass, ZBox
from ui.state import Workbench, open_network, probabilities, ruled_layers, with_rule

MODELS = Path(__file__).parents[2] / "data/models"


def settle(bench, loop):
    loop.until(lambda: not bench.jobs.busy)


def test_it_opens_with_everything_computed(bench):
    assert [p.name for p in bench.pictures] == ["chelsea", "coffee"]
    assert bench.model.label(bench.explained.target) == "Egyptian cat"
    assert bench.explained.relevance.shape == (227, 227)
    assert not bench.pending
    assert len(bench.books) == len(bench.model.layers)


def test_what_is_shown_is_what_explain_gives(bench):
    result = onnxlrp.explain(bench.model, bench.shown.x, bench.design.composite)
    np.testing.assert_array_equal(bench.explained.full, result.relevance)
    np.testing.assert_array_equal(bench.explained.output, result.output[0])


def test_an_edit_is_explained_anew_and_undo_is_at_once(bench, loop):
    before = bench.explained
    layers = ruled_layers(bench.model)[2:5]
    assert bench.edit(lambda d: with_rule(d, bench.model, layers, Flat()), "flat")
    assert bench.pending
    settle(bench, loop)
    assert not np.array_equal(bench.explained.relevance, before.relevance)
    bench.undo()
    assert not bench.pending
    np.testing.assert_array_equal(bench.explained.relevance, before.relevance)
    bench.redo()
    assert bench.past.labels == ("Start", "flat")


def test_pass_is_refused_where_the_shape_changes_and_taken_where_it_stays(bench, loop):
    before = bench.design
    layers = ruled_layers(bench.model)
    assert not bench.edit(lambda d: with_rule(d, bench.model, layers[:2], Pass()), "pass")
    assert "conv1 (Conv) (3×227×227 → 64×114×114) and 1 more do not" in bench.notice.text
    assert bench.design == before
    assert not bench.pending


def test_what_cannot_be_explained_says_why_until_there_is_a_result(bench, loop):
    bench.ask(target="no such class")
    settle(bench, loop)
    assert bench.pending
    assert "no such class" in bench.failed
    bench.ask(target="top1")
    settle(bench, loop)
    assert not bench.pending
    assert not bench.failed


def test_nothing_of_another_network_stays_on_the_screen(bench, loop):
    bench.adopt(open_network(MODELS / "cifar10_vgglike_keras_tf2onnx.onnx"), bench.pictures[:0])
    assert bench.explained is None
    assert bench.books == ()


def test_edits_of_one_gesture_are_undone_as_one(bench, loop):
    start = bench.design
    layers = ruled_layers(bench.model)[2:5]
    for gamma in (0.1, 0.2, 0.3):
        bench.edit(lambda d, g=gamma: with_rule(d, bench.model, layers, Gamma(g)), "γ", "slider")
    settle(bench, loop)
    bench.undo()
    assert bench.design == start


def test_an_edit_that_makes_no_sense_is_told_and_changes_nothing(bench):
    before = bench.designs
    layers = ruled_layers(bench.model)[2:5]
    assert not bench.edit(lambda d: with_rule(d, bench.model, layers, ZBox()))
    assert "needs low and high" in bench.notice.text
    assert bench.designs == before


def test_segments_have_maps_and_a_low_edit_keeps_the_high_ones(bench, loop):
    starts = [s.start for s in bench.segments]
    assert sorted(bench.explained.maps) == starts
    before = dict(bench.explained.maps)
    np.testing.assert_array_equal(before[0], bench.explained.relevance)
    lowest = ruled_layers(bench.model)[:1]
    bench.edit(lambda d: with_rule(d, bench.model, lowest, Flat()))
    settle(bench, loop)
    assert bench.explained.maps[starts[-1]] is before[starts[-1]]
    assert bench.explained.maps[0] is not before[0]


def test_maps_inside_are_those_of_the_engine(bench):
    start = bench.segments[-1].start
    layer = bench.model.layers[start]
    name = layer.node.inputs[0]
    result = onnxlrp.explain(bench.model, bench.shown.x, bench.design.composite, record=[name])
    expected = result.tensors[name][0].sum(axis=0, dtype=np.float64)
    np.testing.assert_array_equal(bench.explained.maps[start], expected.astype(np.float32))


def test_target_and_unit(bench, loop):
    bench.ask(target="class:285-281")
    settle(bench, loop)
    assert bench.explained.aim == "class:285-281"
    bench.ask(target="281", kind="probability")
    settle(bench, loop)
    share = probabilities(bench.explained.output)[281]
    assert bench.explained.started == pytest.approx(share)
    bench.ask(target="no such cat")
    settle(bench, loop)
    assert "no such cat" in bench.notice.text
    assert bench.pending


def test_pictures_come_and_go(bench, loop):
    first = bench.pictures[0]
    bench.picture = 1
    settle(bench, loop)
    assert bench.model.label(bench.explained.target) == "espresso"
    bench.add_pictures([first])
    assert (len(bench.pictures), bench.picture) == (2, 0)
    bench.remove_picture(1)
    bench.remove_picture(0)
    assert bench.pictures == (first,)


def test_designs_are_copied_renamed_deleted_and_come_back(bench, loop):
    bench.duplicate()
    assert [d.name for d in bench.designs] == ["montavon", "montavon 2", "epsilon_plus"]
    assert bench.design.name == "montavon 2"
    bench.rename(bench.current, "mine")
    assert not bench.rename(bench.current, "  ")
    bench.delete(bench.current)
    assert [d.name for d in bench.designs] == ["montavon", "epsilon_plus"]
    bench.undo()
    assert bench.design.name == "mine"
    settle(bench, loop)


def test_the_last_design_stays(bench, loop):
    for design in bench.designs[:-1]:
        bench.delete(design.id)
    bench.delete(bench.current)
    assert len(bench.designs) == 1
    assert bench.notice.level == "info"
    settle(bench, loop)


def test_equal_designs_share_one_result(bench, loop):
    before = bench.explained
    bench.duplicate()
    assert not bench.pending
    assert bench.explained.full is before.full


def test_two_sessions_do_not_see_each_other(bench, loop, tmp_path):
    other = Workbench(loop.schedule)
    other.open_packaged()
    other.duplicate()
    other.select({1, 2})
    assert len(bench.designs) == 2
    assert bench.selection == frozenset()
    other.close()


def test_a_closed_session_leaves_nothing(loop):
    bench = Workbench(loop.schedule)
    bench.open_packaged()
    settle(bench, loop)
    explained, gone = weakref.ref(bench.explanations), weakref.ref(bench)
    bench.close()
    del bench
    loop.drain()
    gc.collect()
    assert (explained(), gone()) == (None, None)


def test_settings_of_the_look_are_checked(bench):
    bench.see(sign="positive", normalisation="cubic")
    assert bench.look.to_dict() == {"sign": "positive", "normalisation": "cubic"}
    bench.see(overlay=2)
    assert "overlay" in bench.notice.text
    with pytest.raises(InputError):
        type(bench.look)(limit=0)
