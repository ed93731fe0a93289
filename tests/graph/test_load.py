from __future__ import annotations

import subprocess
import sys

import pytest

import onnxlrp
from onnxlrp.errors import ModelError
from onnxlrp.graph.load import load
from tests.graph.networks import linear, network


@pytest.fixture
def proto():
    return network("(float[N, 4] x) => (float[N, 3] y) { y = MatMul(x, w) }", w=linear())


def test_load_is_public():
    assert onnxlrp.load is load


def test_labels_come_from_a_sequence_or_a_file(proto, tmp_path):
    names = ["cat", "dog", "a bird"]
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(names) + "\n", encoding="utf-8")
    assert load(proto, labels=names).labels == tuple(names)
    assert load(proto, labels=path).labels == tuple(names)
    assert load(proto).labels == ()


def test_map_of_classes_has_a_label_a_channel():
    text = "(float[N, 2, 8, 8] x) => (float[N, 3, 8, 8] y) { y = Conv(x, w) }"
    proto = network(text, w=linear(3, 2).reshape(3, 2, 1, 1))
    assert load(proto, labels=["sky", "sea", "land"]).labels == ("sky", "sea", "land")


def test_wrong_labels_are_refused(proto, tmp_path):
    with pytest.raises(ModelError, match="labels: 2 names were given, the model has 3 outputs"):
        load(proto, labels=["cat", "dog"])
    with pytest.raises(ModelError, match=r"labels: .*none.txt cannot be read as a text file"):
        load(proto, labels=tmp_path / "none.txt")


def test_preprocessing_is_guessed_and_the_note_says_so(proto):
    model = load(proto)
    assert model.preprocessing is None
    assert "no picture" in model.preprocessing_note
    picture = load(network("(float[N, 3, 32, 32] x) => (float[N, 3, 32, 32] y) { y = Relu(x) }"))
    assert picture.preprocessing is not None
    given = load(proto, preprocessing=picture.preprocessing)
    assert given.preprocessing is picture.preprocessing


def test_importing_the_room_loads_no_onnx():
    code = "import sys, onnxlrp.graph.load; assert not {'onnx', 'onnxruntime'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
