"""Real networks against float64 truth: seven networks, seven composites.

The recorded relevances were made by a float64 oracle of the same rules. What float32 cannot do is
written down where it is tested: the sweep adds less than 1e-6, the rest is onnxruntime's float32
forward pass, whose last bits decide ties in max-pools and cancellations in residual sums.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import onnxlrp
from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.rules import Epsilon
from tests.naive import relative_error

DATA = Path(__file__).parents[1] / "data"
NETWORKS = (
    "cifar10_vgglike_keras_tf2onnx",
    "efficientnet_lite0",
    "fer_mini_xception_keras_tf2onnx",
    "mnist_cnn_digit_recognizer",
    "mnist_cnn_torch_dynamo",
    "squeezenet1_1_caffe2_opset9",
    "squeezenet1_1_ndf",
)
COMPOSITES = (
    "epsilon",
    "epsilon_relative_0.25",
    "epsilon_plus",
    "epsilon_plus_flat",
    "epsilon_gamma_box",
    "epsilon_alpha2_beta1",
    "epsilon_alpha2_beta1_flat",
)


@cache
def network(name):
    if name == "squeezenet1_1_ndf":
        return onnxlrp.load(onnxlrp.assets.default_model_path())
    return onnxlrp.load(DATA / "models" / f"{name}.onnx")


@cache
def golden(name):
    with np.load(DATA / "golden" / f"{name}.npz") as file:
        return dict(file)


def composite(name, truth):
    if name == "epsilon_relative_0.25":
        return Composite("relative", (Entry(Selector(), Epsilon(0.25, relative=True)),))
    if name == "epsilon_gamma_box":
        return Composite.preset(name, low=truth["low"], high=truth["high"])
    return Composite.preset(name)


def tolerance(network_name, composite_name):
    deep = not network_name.startswith(("mnist", "cifar"))
    return 2e-3 if composite_name == "epsilon" and deep else 1e-4


@pytest.mark.parametrize("name", COMPOSITES)
@pytest.mark.parametrize("net", NETWORKS)
def test_agrees_with_float64(net, name):
    model, truth = network(net), golden(net)
    result = onnxlrp.explain(model, truth["x"], composite(name, truth), target=truth["target"])
    assert result.relevance.dtype == np.float32
    assert result.relevance.shape == truth["x"].shape
    np.testing.assert_allclose(result.output, truth["logits"], atol=1e-4)
    error = relative_error(result.relevance, truth[f"relevance_{name}"])
    assert error <= tolerance(net, name)


@pytest.mark.parametrize("name", COMPOSITES)
def test_two_exporters_of_one_network_agree(name):
    truth = golden("mnist_cnn_torch_dynamo")
    one, other = (
        onnxlrp.explain(network(net), truth["x"], composite(name, truth), target=truth["target"])
        for net in ("mnist_cnn_digit_recognizer", "mnist_cnn_torch_dynamo")
    )
    assert relative_error(one.relevance, other.relevance) <= 1e-5
