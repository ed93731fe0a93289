from __future__ import annotations

import hashlib
import re

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import ModelFileError, OnnxLrpError
from onnxlrp.graph.load import load
from tests.graph.networks import linear, network

TINY = "(float[N, 4] x) => (float[N, 3] y) { y = MatMul(x, w) }"


def tiny(**versions):
    return network(TINY, w=linear(), **versions)


def test_path_bytes_and_proto_give_the_same_model(tmp_path):
    proto, path = tiny(), tmp_path / "tiny.onnx"
    path.write_bytes(proto.SerializeToString())
    from_path, from_text = load(path), load(str(path))
    from_bytes, from_proto = load(path.read_bytes()), load(proto)
    digests = {m.sha256 for m in (from_path, from_text, from_bytes, from_proto)}
    assert digests == {hashlib.sha256(path.read_bytes()).hexdigest()}
    assert from_path.name == "tiny"
    assert from_proto.name == "net"


def test_loading_leaves_the_callers_model_alone():
    proto = tiny()
    before = proto.SerializeToString()
    load(proto)
    assert proto.SerializeToString() == before


def test_old_model_lists_its_weights_among_the_inputs():
    proto = tiny(ir=3, opset=7)
    proto.graph.input.append(onnx.helper.make_tensor_value_info("w", 1, [4, 3]))
    model = load(proto)
    assert (model.ir_version, model.opset, model.input.name) == (3, 7, "x")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not an ONNX model, or truncated"),
        (b"a text file", "not an ONNX model, or truncated"),
    ],
)
def test_file_that_is_no_model_is_named(tmp_path, content, complaint):
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=complaint) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_directory_are_named(tmp_path):
    with pytest.raises(ModelFileError, match=re.escape(f"{tmp_path / 'no.onnx'}: no such file")):
        load(tmp_path / "no.onnx")
    with pytest.raises(ModelFileError, match=re.escape(f"{tmp_path}: is a directory")):
        load(tmp_path)


def test_something_else_altogether_is_refused():
    with pytest.raises(ModelFileError, match="cannot load a model from int"):
        load(42)


@given(st.data())
def test_every_truncation_is_refused(data):
    content = tiny().SerializeToString()
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(ModelFileError, match="not an ONNX model, or truncated"):
        load(content[:cut])


NORMALISED = """(float[N, 4] x) => (float[N, 3] y) {
    z = MatMul(x, w)  n = BatchNormalization(z, s, b, m, v)
    r = Reshape(n, to)  c = Cast <to = 1> (r)  y = Softmax <axis = 1> (c) }"""


@given(st.data())
def test_damaged_bytes_load_or_are_refused_in_one_line(data):
    ones = {name: np.ones(3, np.float32) for name in "sbmv"}
    proto = network(NORMALISED, w=linear(), to=np.array([-1, 3]), **ones)
    content = bytearray(proto.SerializeToString())
    spots = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    for position, value in data.draw(st.lists(spots, min_size=1, max_size=4)):
        content[position] = value
    try:
        model = load(bytes(content))
    except OnnxLrpError as error:
        assert "\n" not in str(error)
    else:
        assert model.layers


@pytest.mark.parametrize(
    ("versions", "needs"),
    [({"ir": 99}, "IR 99 / opset 17"), ({"opset": 999}, "IR 8 / opset 999")],
)
def test_newer_version_says_what_is_needed_and_what_is_read(versions, needs):
    proto = tiny()
    proto.ir_version = versions.get("ir", 8)
    proto.opset_import[0].version = versions.get("opset", 17)
    with pytest.raises(
        ModelFileError, match=rf"needs {needs}; the installed onnxruntime"
    ) as caught:
        load(proto)
    ir, opset = re.search(r"reads up to IR (\d+) / opset (\d+)", str(caught.value)).groups()
    assert load(tiny(ir=int(ir), opset=int(opset))).opset == int(opset)
    assert int(ir) < 99
    assert int(opset) < 999


def test_too_old_version_is_refused():
    with pytest.raises(ModelFileError, match="needs IR 8 / opset 6; onnxlrp reads IR 3 / opset 7"):
        load(tiny(opset=6))
