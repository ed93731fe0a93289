from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper

from onnxlrp.errors import ModelFileError
from onnxlrp.graph.load import load
from onnxlrp.graph.source import HEAVY, PLAIN, read
from onnxlrp.graph.wire import without_weights
from tests.graph.networks import REAL, linear, network

TYPES = frozenset(PLAIN.values())
DENSE = "(float[N, 40] x) => (float[N, 30] y) { y = MatMul(x, w) }"


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_all_but_the_values_stays(path):
    content = path.read_bytes()
    light, values = without_weights(memoryview(content), HEAVY, TYPES)
    whole, found = onnx.ModelProto.FromString(content), onnx.ModelProto.FromString(light)
    for position, view in values.items():
        tensor = whole.graph.initializer[position]
        assert bytes(view) == tensor.raw_data
        tensor.ClearField("raw_data")
    assert found == whole


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64"]
)
def test_plain_types_are_cut_and_read_back(dtype, tmp_path):
    w = np.arange(40 * 30).reshape(40, 30).astype(dtype)
    text = "(float[N, 40] x) => (float[N, 30] y) { v = Cast <to = 1> (w)  y = MatMul(x, v) }"
    onnx.save(network(text, w=w), tmp_path / "cast.onnx")
    source = read(tmp_path / "cast.onnx")
    assert not source.proto.graph.initializer[0].raw_data
    np.testing.assert_array_equal(load(tmp_path / "cast.onnx").weights["w"], w)


def test_other_types_and_small_tensors_stay():
    proto = network(DENSE, w=linear(40, 30), small=linear(2, 2))
    odd = onnx.helper.make_tensor("odd", onnx.TensorProto.BFLOAT16, [1000], bytes(2000), raw=True)
    proto.graph.initializer.append(odd)
    _, values = without_weights(memoryview(proto.SerializeToString()), HEAVY, TYPES)
    assert list(values) == [0]


def test_values_that_do_not_fit_their_shape_are_damaged():
    proto = network(DENSE, w=linear(40, 30))
    proto.graph.initializer[0].raw_data = bytes(4 * 40 * 29)
    with pytest.raises(ModelFileError, match=r"initializer 'w' of shape \(40, 30\) is damaged"):
        load(proto.SerializeToString())


@given(st.integers(0, 10**4), st.integers(0, 255))
def test_damage_is_told_or_parsed_alike(position, byte):
    """What the parser accepts, and is cut, holds the same tensors."""
    content = bytearray(network(DENSE, w=linear(40, 30)).SerializeToString())
    content[position % len(content)] = byte
    try:
        light, values = without_weights(memoryview(content), HEAVY, TYPES)
        whole = onnx.ModelProto.FromString(bytes(content))
    except Exception as error:  # the parser's DecodeError has no public base
        assert isinstance(error, ValueError) or type(error).__name__ == "DecodeError"
        return
    found = onnx.ModelProto.FromString(light)
    for i, view in values.items():
        found.graph.initializer[i].raw_data = bytes(view)
    assert found == whole


def test_weights_of_a_file_are_no_part_of_its_proto(tmp_path):
    onnx.save(network(DENSE, w=linear(40, 30)), tmp_path / "dense.onnx")
    source = read(tmp_path / "dense.onnx")
    assert source.proto.ByteSize() < 500
    model = load(tmp_path / "dense.onnx")
    np.testing.assert_array_equal(model.weights["w"], linear(40, 30))
    assert numpy_helper.to_array(onnx.load(tmp_path / "dense.onnx").graph.initializer[0]).any()
