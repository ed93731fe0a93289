"""A network with silenced neurons says what ablation says, and no relevance leaves its silence."""

from __future__ import annotations

import numpy as np
import pytest

import onnxlrp
from onnxlrp.errors import InputError
from onnxlrp.evaluate import ablate, ablated
from tests.evaluate.ablation_nets import CONV_NET, PICTURES, conv_net

ONE = PICTURES[:1]


@pytest.mark.parametrize("mode", ["remove", "keep", "mean"])
@pytest.mark.parametrize("layer", ["x", "z", "a", "q"])
def test_its_outputs_are_those_of_the_ablation(layer, mode):
    quiet = ablated(CONV_NET, ONE, {layer: [0, 2]}, mode)
    truth = ablate(CONV_NET, ONE, layer, [0, 2], mode=mode)
    found = onnxlrp.explain(quiet, ONE, "epsilon").output
    np.testing.assert_allclose(found, truth.after, rtol=1e-5, atol=1e-6)


def test_several_layers_are_silenced_at_once():
    quiet = ablated(CONV_NET, ONE, {"a": [0], "q": [1, 2]})
    truth = ablate(CONV_NET, ONE, "a", [0], more={"q": [1, 2]})
    found = onnxlrp.explain(quiet, ONE, "epsilon").output
    np.testing.assert_allclose(found, truth.after, rtol=1e-5, atol=1e-6)


def test_silenced_neurons_have_no_relevance():
    quiet = ablated(CONV_NET, ONE, {"a": [0, 2]})
    name = next(layer.name for layer in CONV_NET.layers if layer.op == "Relu")
    relevance = onnxlrp.explain(quiet, ONE, "epsilon", record=[name]).tensors[name]
    assert not relevance[:, [0, 2]].any()
    assert relevance[:, [1, 3, 4, 5]].any()


def test_labels_and_preprocessing_stay():
    model = conv_net(labels=["a", "b", "c"])
    quiet = ablated(model, ONE, {"z": [1]})
    assert quiet.labels == model.labels
    assert quiet.preprocessing == model.preprocessing


def test_several_pictures_are_refused():
    with pytest.raises(InputError, match="x holds 4 pictures"):
        ablated(CONV_NET, PICTURES, {"a": [0]})
