"""Real networks: a tail is the network from there on, and relevant channels matter."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import onnxlrp
from onnxlrp.evaluate import ablate, ablate_each, ablation_curve, layer_statistics, rank_neurons
from onnxlrp.evaluate.places import channel_axis, locate
from onnxlrp.evaluate.rerun import Rerun
from onnxlrp.runtime import run
from tests.graph.networks import REAL

LAYER = "fire9_concat"
"""The last layer before the packaged network's last convolution."""


@cache
def loaded(path):
    return onnxlrp.load(path)


@cache
def packaged():
    model = loaded(onnxlrp.assets.default_model_path())
    return model, model.preprocess(list(onnxlrp.assets.default_images().values()))


def noise(model, count):
    shape = [n if isinstance(n, int) else 64 for n in model.input.shape[1:]]
    return np.random.default_rng(0).uniform(0, 1, (count, *shape)).astype(np.float32)


def relative(got, truth):
    return np.abs(got - truth).max() / np.abs(truth).max()


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_running_from_a_tensor_is_running_all(path):
    model = loaded(path)
    x = noise(model, 2 * (model.fixed_batch or 1))
    whole = run(model, x, [model.explained]).value(model.explained).reshape(len(x), -1)
    layers = model.layers[:: max(1, len(model.layers) // 5)]
    for place in [locate(model, model.input.name), *(locate(model, e.index) for e in layers)]:
        rerun = Rerun(model, x, [place.tensor])
        rows = [rerun.unchanged(p) for p in (0, 0, len(x) - 1)]
        assert relative(rerun.outputs(rows), whole[[0, 0, -1]]) < 1e-5, place


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_channels_of_a_convolution_are_its_output_channels(path):
    model = loaded(path)
    convolutions = [layer for layer in model.layers if layer.op == "Conv"]
    tensors = run(model, noise(model, model.fixed_batch or 1), [])
    for layer in convolutions:
        shape = tensors.shape(layer.node.output)
        axis = channel_axis(model, locate(model, layer.name), shape)
        assert shape[axis] == len(model.constants[layer.node.inputs[1]])


def test_nothing_ablated_changes_no_bit_of_the_packaged_network():
    model, x = packaged()
    for layer in ("data", "conv1", "fire5_concat", LAYER, "conv10", "pool10"):
        result = ablate(model, x, layer, [])
        np.testing.assert_array_equal(result.after, result.before)


def test_all_channels_ablated_is_the_network_fed_with_zeros():
    model, x = packaged()
    result = ablate(model, x, LAYER)
    # A convolution by 1 × 1 and the mean over all positions follow: its biases are left.
    bias = model.constants[model.layer("conv10").node.inputs[2]]
    np.testing.assert_allclose(result.after, np.tile(bias, (len(x), 1)), rtol=1e-5, atol=1e-6)


def test_mean_of_the_picture_changes_nothing_where_only_means_follow():
    model, x = packaged()
    result = ablate(model, x, LAYER, mode="mean")
    np.testing.assert_allclose(result.after, result.before, rtol=1e-4, atol=1e-4)
    earlier = ablate(model, x, "fire8_concat", mode="mean")
    assert np.abs(earlier.after - earlier.before).max() > 1


def test_five_most_relevant_channels_matter_more_than_five_random_ones():
    model, x = packaged()
    neurons = rank_neurons(model, x, LAYER)
    channels = neurons.table.shape[1]
    for picture, relevant in enumerate(neurons.top(5)):
        one = x[picture : picture + 1]
        random = [np.random.default_rng(seed).permutation(channels)[:5] for seed in range(10)]
        results = [ablate(model, one, LAYER, five) for five in (relevant, *random)]
        drops = [float(r.score_before[0] - r.score_after[0]) for r in results]
        assert drops[0] > 3 * abs(np.mean(drops[1:]))


def test_curve_of_relevance_falls_faster_than_at_random():
    model, x = packaged()
    curve = ablation_curve(model, x, LAYER, counts=10, score="probability")
    assert (curve.area < curve.random_area.min(axis=0)).all()
    assert (curve.scores[:, 0] > 0.3).all()


def test_silent_channels_change_no_score_one_by_one():
    model, x = packaged()
    one = x[:1]
    activation = run(model, one, [LAYER]).value(LAYER)
    silent = np.flatnonzero(~activation.any(axis=(0, 2, 3)))[:4]
    assert len(silent) == 4
    for result in ablate_each(model, one, LAYER, silent):
        np.testing.assert_allclose(result.after, result.before, rtol=1e-6, atol=1e-6)


def test_statistics_of_the_packaged_network_lose_almost_nothing():
    model, x = packaged()
    statistics = layer_statistics(model, x)
    assert [s.layer.name for s in statistics] == [layer.name for layer in model.layers][::-1]
    for layer in statistics:
        np.testing.assert_allclose(layer.positive + layer.negative, layer.arrived, rtol=1e-4)
        assert (layer.activation_entropy >= 0).all()
