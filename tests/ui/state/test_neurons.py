"""Neurons on the screen and their ablation: the command line's numbers, and one selection."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import onnxlrp
from onnxlrp import assets
from onnxlrp.cli import main
from onnxlrp.evaluate import ablate, layer_statistics, rank_neurons, where_lost
from ui.state import rules_of
from ui.state.ablation import translated
from ui.state.analysis import Analysis

LAYER = "fire9_concat"
CAT = str(assets.default_images()["chelsea"])


@pytest.fixture
def analysis(bench, loop):
    analysis = Analysis(bench)
    bench.place = "neurons"
    settle(bench, loop)
    return analysis


def settle(bench, loop):
    loop.until(lambda: not bench.jobs.busy)


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_neurons_are_those_of_rank_neurons(bench, analysis):
    neurons = analysis.neurons
    assert neurons.layers == (LAYER,)
    truth = rank_neurons(bench.model, bench.shown.x, LAYER, bench.design.composite, by="positive")
    neurons.select_top(LAYER, 5)
    assert neurons.selection[LAYER] == tuple(sorted(truth.top(5)[0].tolist()))
    by_channel = np.sort(truth.table[0], order="channel")
    np.testing.assert_array_equal(neurons.found[LAYER].table, by_channel)
    relevance, activation = neurons.found[LAYER].maps(5)
    assert relevance.shape == activation.shape == (13, 13)
    assert relevance.sum() == pytest.approx(by_channel["relevance"][5], abs=1e-6)


def test_layers_are_those_of_layer_statistics(bench, analysis):
    truth = layer_statistics(bench.model, bench.shown.x, bench.design.composite)
    found = analysis.neurons.statistics
    assert [s.layer for s in found] == [s.layer for s in truth]
    for name in ("arrived", "bias", "epsilon", "positive", "relevance_entropy"):
        for mine, theirs in zip(found, truth, strict=True):
            np.testing.assert_allclose(getattr(mine, name), getattr(theirs, name), rtol=1e-6)
    assert analysis.neurons.where_lost == where_lost(truth)
    assert analysis.neurons.lost.layer.name in where_lost(truth)


def test_nothing_is_computed_while_no_view_shows_it(bench, loop, analysis):
    bench.place = "design"
    before = analysis.neurons.found
    bench.picture = 1
    settle(bench, loop)
    assert analysis.neurons.found is before
    bench.place = "neurons"
    assert analysis.neurons.pending
    settle(bench, loop)
    assert analysis.neurons.found is not before


def test_letting_a_layer_go_lets_its_selection_go(bench, loop, analysis):
    neurons = analysis.neurons
    neurons.look_at([LAYER, "fire5_concat"])
    assert neurons.layers == ("fire5_concat", LAYER)
    settle(bench, loop)
    neurons.select(LAYER, [3, 1])
    neurons.select("fire5_concat", [2])
    neurons.look_at([LAYER])
    assert neurons.selection == {LAYER: (1, 3)}


@pytest.mark.parametrize("mode", ["remove", "keep"])
def test_ablation_is_that_of_the_command_line(bench, loop, analysis, tmp_path, mode):
    analysis.neurons.select_top(LAYER, 5)
    analysis.ablation.set(mode=mode)
    analysis.ablation.run()
    settle(bench, loop)
    result = analysis.ablation.result
    words = ["ablate", CAT, "-c", "montavon", "--layer", LAYER, "--top", "5", "--mode", mode]
    assert main([*words, "-o", str(tmp_path / "out")]) == 0
    written = [
        (r["label"], float(r["before"]), float(r["after"]))
        for r in rows(tmp_path / "out" / "ablation.csv")
    ]
    assert [(c.label, c.before, c.after) for c in result.top(0)] == written
    assert result.score_after[0] < result.score_before[0]


def test_the_curve_is_that_of_the_command_line(bench, loop, analysis, tmp_path):
    analysis.ablation.follow(LAYER)
    settle(bench, loop)
    curve = analysis.ablation.curve
    words = ["ablate", CAT, "-c", "montavon", "--layer", LAYER, "-o", str(tmp_path / "out")]
    assert main(words) == 0
    written = rows(tmp_path / "out" / "ablation.csv")
    assert [float(r["after"]) for r in written] == curve.scores[0].tolist()
    assert len(curve.random) == 5


def test_several_layers_are_ablated_at_once_and_explained_again(bench, loop, analysis):
    analysis.neurons.look_at([LAYER, "fire5_concat"])
    settle(bench, loop)
    analysis.ablation.set(what="top", count=3)
    chosen = analysis.ablation.chosen
    analysis.ablation.run()
    settle(bench, loop)
    more = {"fire5_concat": list(chosen["fire5_concat"])}
    truth = ablate(bench.model, bench.shown.x, LAYER, list(chosen[LAYER]), more=more)
    np.testing.assert_array_equal(analysis.ablation.result.after, truth.after)
    analysis.ablation.explain()
    settle(bench, loop)
    quiet = onnxlrp.evaluate.ablated(bench.model, bench.shown.x, chosen)
    composite = translated(bench.design.composite, bench.model, quiet)
    again = onnxlrp.explain(quiet, bench.shown.x, composite, 285).relevance.sum(axis=1)[0]
    np.testing.assert_allclose(analysis.ablation.heatmap, again, atol=1e-6)


def test_rules_stay_with_their_layers_in_the_ablated_network(bench):
    quiet = onnxlrp.evaluate.ablated(bench.model, bench.shown.x, {"fire2_concat": [0]})
    design = translated(bench.design.composite, bench.model, quiet)
    assert len(quiet.layers) == len(bench.model.layers) + 1
    rules = {quiet.layers[i].name: rule for i, rule in rules_of(design, quiet).items()}
    truth = rules_of(bench.design.composite, bench.model)
    assert rules == {bench.model.layers[i].name: rule for i, rule in truth.items()}


def test_without_a_selection_it_says_what_to_do(bench, analysis):
    analysis.ablation.run()
    assert "No neuron is selected" in bench.notice.text


def test_what_was_found_goes_with_what_it_was_found_for(bench, loop, analysis):
    analysis.neurons.select_top(LAYER, 5)
    analysis.ablation.run()
    settle(bench, loop)
    analysis.neurons.select(LAYER, [1])
    assert analysis.ablation.result is None
