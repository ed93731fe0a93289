from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.graph.load import load
from tests.graph.networks import check_layers, linear, network


def ops(model):
    return [layer.op for layer in model.layers]


PADS = {"spatial": [0, 0, 1, 2, 0, 0, 3, 4], "channels": [0, 1, 0, 0, 0, 0, 0, 0],
        "cut": [0, 0, -1, 0, 0, 0, 0, 0], "few": [1, 2, 3, 4], "axes": [-2, -1]}  # fmt: skip


@pytest.mark.parametrize(
    ("pad", "conv", "pads"),
    [
        ("Pad(x, spatial)", "Conv(h, w)", (1, 2, 3, 4)),
        ("Pad(x, spatial, zero)", "Conv <pads = [1, 1, 1, 1]> (h, w)", (2, 3, 4, 5)),
        ('Pad <mode = "constant"> (x, few, zero, axes)', "Conv(h, w)", (1, 2, 3, 4)),
        ("Pad(x, spatial)", 'Conv <auto_pad = "VALID"> (h, w)', (1, 2, 3, 4)),
    ],
)
def test_pad_merges_into_the_convolution_behind_it(pad, conv, pads):
    text = f"(float[N, 2, 5, 5] x) => (float y) {{ h = {pad}  y = {conv} }}"
    constants = {name: np.array(value) for name, value in PADS.items()}
    w = linear(3, 2 * 9).reshape(3, 2, 3, 3)
    model = load(network(text, opset=18, w=w, zero=np.float32(0), **constants))
    assert ops(model) == ["Conv"]
    assert model.layers[0].node.attributes["pads"] == pads
    assert model.layers[0].merged == ("Pad_0",)
    check_layers(model, np.random.default_rng(0).standard_normal((2, 2, 5, 5)).astype(np.float32))


@pytest.mark.parametrize(
    "body",
    [
        "h = Pad(x, spatial, one)  y = Conv(h, w)",
        'h = Pad <mode = "reflect"> (x, spatial)  y = Conv(h, w)',
        "h = Pad(x, channels)  y = Conv(h, v)",
        "h = Pad(x, cut)  y = Conv(h, w)",
        "h = Pad(x, spatial)  z = Conv(h, w)  v1 = Conv(h, w)  y = Add(z, v1)",
        'h = Pad(x, spatial)  y = Conv <auto_pad = "SAME_UPPER"> (h, w)',
    ],
)
def test_pad_that_convolution_cannot_do_stays(body):
    text = f"(float[N, 2, 6, 6] x) => (float y) {{ {body} }}"
    constants = {name: np.array(value) for name, value in PADS.items()}
    weights = {"w": linear(3, 18).reshape(3, 2, 3, 3), "v": linear(3, 27).reshape(3, 3, 3, 3)}
    model = load(network(text, **weights, one=np.float32(1), **constants))
    assert ops(model)[0] == "Pad"
