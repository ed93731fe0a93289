"""``onnxlrp bench``: every layer with its rule and its share of the time."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from onnxlrp.cli.timing import Stopwatch, noise, time_composites
from onnxlrp.composites import Composite
from onnxlrp.errors import InputError
from onnxlrp.graph.load import load
from tests.cli.conftest import small_network


def test_names_every_layer_with_its_rule(folder, onnxlrp):
    outcome = onnxlrp("bench", "small.onnx", "-c", "epsilon_plus", "--rounds", "2")
    assert (outcome.code, outcome.err) == (0, "")
    cells = {line.split()[0]: line.split() for line in outcome.out.splitlines() if line.split()}
    assert cells["conv"][1:3] == ["Conv", "z_plus"]
    assert cells["dense"][1:3] == ["Gemm", "epsilon"]
    assert {"relu", "mean", "flat"} <= cells.keys()
    assert "× a plain forward pass" in outcome.out
    assert "peak memory" in outcome.out


def test_sets_several_composites_side_by_side(folder, onnxlrp):
    out = onnxlrp("bench", "small.onnx", "-c", "gamma", "-c", "epsilon", "--rounds", "1").out
    rows = [line.split() for line in out.split("composite")[-1].splitlines()]
    assert [row[0] for row in rows[1:3]] == ["gamma", "epsilon"]


def test_the_parts_add_up_to_no_more_than_the_whole():
    model = load(small_network())
    (timing,) = time_composites(model, noise(model, None), [Composite.preset("gamma")], 3, "cpu")
    assert len(timing.rounds) == 3
    assert [step.layer.name for step in timing.plan.steps][-1] == "conv"
    for one in timing.rounds:
        assert len(one.layers) == len(timing.plan.steps)
        assert all(seconds >= 0 for seconds in one.layers)
        assert one.forward + sum(one.layers[1:]) <= one.watched


def test_a_stopwatch_gives_the_time_between_reports():
    watch = Stopwatch()
    for done in range(3):
        watch.step(done, 3, "layer")
    assert len(watch.laps()) == 3
    assert all(lap >= 0 for lap in watch.laps())


def test_noise_is_the_same_each_time_and_of_the_inputs_shape():
    model = load(small_network())
    assert noise(model, None).shape == (1, 3, 8, 8)
    np.testing.assert_array_equal(noise(model, None), noise(model, None))


def test_an_open_size_has_to_be_given(folder, onnxlrp):
    onnx.save(small_network(size="side"), folder / "open.onnx")
    outcome = onnxlrp("bench", "open.onnx")
    assert outcome.code == 2
    assert "--size" in outcome.err
    assert onnxlrp("bench", "open.onnx", "--size", "10", "--rounds", "1").code == 0


def test_a_picture_may_be_explained(folder, onnxlrp):
    outcome = onnxlrp("bench", "small.onnx", "--image", "cat.png", "--rounds", "1")
    assert "1×3×8×8" in outcome.out


@pytest.mark.parametrize(("option", "value"), [("--rounds", "0"), ("--size", "-3")])
def test_refuses_numbers_that_make_no_sense(folder, onnxlrp, option, value):
    outcome = onnxlrp("bench", "small.onnx", option, value)
    assert outcome.code == 2
    assert outcome.err.startswith(f"onnxlrp: error: {option} {value}")


def test_an_unknown_shape_is_an_error_that_says_what_to_do():
    with pytest.raises(InputError, match="open shape"):
        noise(load(small_network(size="side")), None)
