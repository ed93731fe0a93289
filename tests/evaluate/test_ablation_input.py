"""Every mistake in an ablation gets one clear line, and nothing runs."""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError, ModelError, NumericalError, TargetError
from onnxlrp.evaluate import ablate, ablate_each, ablation_curve, rank_neurons
from onnxlrp.graph.load import load
from tests.evaluate.ablation_nets import CONV_NET, MODEL, PICTURES, X
from tests.graph.networks import network

MISTAKES = {
    "layer": (dict(layer="aa"), ModelError, "layer 'aa': .* Did you mean 'a'"),
    "layer number": (dict(layer=9), ModelError, "layer 9: this model has layers 0 to"),
    "channel": (dict(channels=[1, 6]), InputError, r"a: no channel 6: it has 6 of them, 0 to 5"),
    "negative": (dict(channels=-1), InputError, "a: no channel -1"),
    "fractions": (dict(channels=[0.5]), InputError, "float64 values .* choose no channels"),
    "words": (dict(channels="all"), InputError, "choose no channels"),
    "table": (dict(channels=[[1, 2]]), InputError, "choose no channels"),
    "ragged": (dict(channels=[[1], [2, 3]]), InputError, "choose no channels"),
    "mask's size": (dict(mask=np.ones((5, 5), bool)), InputError, r"of shape \(5, 5\) does not"),
    "mask's rank": (dict(mask=np.ones((1, 4, 6, 4, 4), bool)), InputError, "does not fit"),
    "mask's type": (dict(mask=np.ones((4, 4))), InputError, "mask holds float64 values"),
    "both": (dict(channels=[0], mask=np.ones(6, bool)), InputError, "channels and mask were both"),
    "mode": (dict(mode="kep"), InputError, "mode='kep': .* Did you mean 'keep'"),
    "reference": (dict(reference=PICTURES), InputError, "reference: only mode 'mean' reads it"),
    "its shape": (dict(mode="mean", reference=X), InputError, r"reference: x has shape \(4, 4\)"),
    "own mean": (dict(layer="f", mode="mean"), InputError, "f: mode 'mean' would change nothing"),
    "axis": (dict(axis=4), InputError, r"axis=4: a has shape \(4, 6, 4, 4\)"),
    "batch axis": (dict(axis=0), InputError, "axis=0: .* axis 0 is the batch"),
    "twice": (dict(more={"a": [1]}), InputError, "more: 'a' is the layer itself"),
    "more": (dict(more={"b": [1]}), ModelError, "layer 'b': "),
    "target": (dict(target=3), TargetError, "target 3: this model has outputs 0 to 2"),
}  # fmt: skip


def one_line(caught):
    return "\n" not in str(caught.value)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_ablate(mistake):
    arguments, error, message = MISTAKES[mistake]
    with pytest.raises(error, match=message) as caught:
        ablate(CONV_NET, PICTURES, **({"layer": "a"} | arguments))
    assert one_line(caught)


def test_picture_that_does_not_fit():
    with pytest.raises(InputError, match="x has shape"):
        ablate(CONV_NET, PICTURES[:, :2], "a")


def test_same_tensor_under_two_names():
    relu = next(layer.name for layer in MODEL.layers if layer.node.output == "a")
    with pytest.raises(InputError, match="name a tensor twice"):
        ablate(MODEL, X, "a", more={relu: [1]})


def test_outputs_that_break():
    text = """(float[N, 2] x) => (float[N, 2] y)
        { a = Relu(x)  s = ReduceSum <keepdims = 1> (a, axes)  y = Div(a, s) }"""
    model = load(network(text, axes=np.array([1])))
    with pytest.raises(NumericalError, match="with a changed, the outputs become NaN"):
        ablate(model, np.ones((1, 2), np.float32), "a")


def test_picture_number_and_names():
    result = ablate(MODEL, X, "a", [0])
    with pytest.raises(InputError, match="picture 4: there are pictures 0 to 3"):
        result.top(4)
    with pytest.raises(InputError, match="images: give a list of 4 names"):
        list(result.rows(["one"]))


def test_one_by_one():
    with pytest.raises(InputError, match="channels must be numbers"):
        ablate_each(CONV_NET, PICTURES, "a", np.ones((4, 4), bool))
    with pytest.raises(InputError, match="batch=0"):
        ablate_each(CONV_NET, PICTURES, "a", batch=0)


CURVES = {
    "ranking": (dict(ranking="positives"), InputError, "Did you mean 'positive'"),
    "array": (dict(ranking=np.ones(5)), InputError, r"ranking of shape \(5,\).* 6 channels of a"),
    "score": (dict(score="logits"), InputError, "Did you mean 'logit'"),
    "n > channels": (dict(counts=[0, 7]), InputError, "counts up to 7: a has 6 channels"),
    "below 0": (dict(counts=[-1, 2]), InputError, "give 0 to 6"),
    "fractions": (dict(counts=[0.5]), InputError, "give a list of whole numbers"),
    "no steps": (dict(counts=0), InputError, "counts=0"),
    "no seeds": (dict(ranking="random", seeds=()), InputError, "at least one seed"),
    "seeds": (dict(seeds=-1), InputError, "seeds=-1"),
    "rank": (dict(score="rank", target=np.ones(3)), TargetError, "needs a class"),
}


@pytest.mark.parametrize("mistake", CURVES)
def test_curve(mistake):
    arguments, error, message = CURVES[mistake]
    with pytest.raises(error, match=message) as caught:
        ablation_curve(CONV_NET, PICTURES, "a", **arguments)
    assert one_line(caught)


def test_curve_without_random_orders_has_no_band():
    curve = ablation_curve(CONV_NET, PICTURES, "a", "activation", seeds=0)
    with pytest.raises(InputError, match="no random orders"):
        _ = curve.random_band


def test_neurons():
    with pytest.raises(InputError, match="Did you mean 'positive'"):
        rank_neurons(CONV_NET, PICTURES, "a", by="positives")
    with pytest.raises(ModelError, match="layer 'aa'"):
        rank_neurons(CONV_NET, PICTURES, "aa")
    with pytest.raises(InputError, match="7 channels of a: it has 6"):
        rank_neurons(CONV_NET, PICTURES, "a").top(7)
