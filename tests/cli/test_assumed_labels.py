"""A network of 1000 outputs gets ImageNet's class names where none are given, and it is said."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.cli.conftest import small_network

ASSUMED = "1000 outputs, so ImageNet's names are assumed."


@pytest.fixture
def thousand(folder):
    """The small network with 1000 classes."""
    proto = small_network()
    random = np.random.default_rng(1)
    sizes = {"w2": (4, 1000), "b2": (1000,)}
    for tensor in proto.graph.initializer:
        if tensor.name in sizes:
            values = random.normal(size=sizes[tensor.name]).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1000
    onnx.save(proto, folder / "thousand.onnx")
    return folder


def test_check_and_explain_say_that_names_are_assumed(thousand, onnxlrp):
    for words in (("check", "thousand.onnx"), ("explain", "thousand.onnx", "cat.png")):
        outcome = onnxlrp(*words)
        assert outcome.code == 0
        assert f"1000 class names: {ASSUMED} (--labels changes it)" in outcome.out
    report = json.loads(onnxlrp("check", "thousand.onnx", "--json").out)
    assert report["model"]["labels_note"] == ASSUMED


def test_names_that_are_given_are_not_assumed(thousand, onnxlrp):
    (thousand / "names.txt").write_text("\n".join(f"kind {i}" for i in range(1000)))
    for given in ("names.txt", "imagenet"):
        outcome = onnxlrp("check", "thousand.onnx", "--labels", given)
        assert "1000 class names\n" in outcome.out
        assert ASSUMED not in outcome.out


def test_networks_of_other_sizes_have_no_names(folder, onnxlrp):
    assert "none; see --labels" in onnxlrp("check", "small.onnx").out


def test_a_class_can_be_asked_for_by_its_assumed_name(thousand, onnxlrp):
    outcome = onnxlrp("explain", "thousand.onnx", "cat.png", "-t", "espresso")
    assert outcome.code == 0
    assert "class 967 (espresso)" in outcome.out
