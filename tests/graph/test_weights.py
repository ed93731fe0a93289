from __future__ import annotations

import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnxlrp.errors import ModelFileError
from onnxlrp.graph.load import load
from onnxlrp.runtime import run
from tests.graph.networks import linear, network

DENSE = "(float[N, 40] x) => (float[N, 30] y) { y = MatMul(x, w) }"


@pytest.fixture
def dense():
    """A network whose weight is big enough to leave the ModelProto."""
    return network(DENSE, w=linear(40, 30))


@pytest.fixture
def stored(dense, tmp_path):
    """The same, its weight in a file beside the model."""
    path = tmp_path / "dense.onnx"
    options = {"save_as_external_data": True, "location": "dense.data", "size_threshold": 0}
    onnx.save(dense, path, **options)
    return path


def relocated(path, **entries):
    """Rewrite where the model says its weight lies."""
    proto = onnx.load(path, load_external_data=False)
    tensor = proto.graph.initializer[0]
    known = {entry.key: entry for entry in tensor.external_data}
    for key, value in entries.items():
        known[key].value = value
    path.write_bytes(proto.SerializeToString())


def test_big_weight_is_held_once(dense):
    model = load(dense)
    assert np.shares_memory(model.constants["w"], model.weights["w"])
    assert model.proto.ByteSize() < 1000
    assert not model.constants["w"].flags.writeable


def test_big_constant_node_is_a_weight():
    value = numpy_helper.from_array(linear(40, 30))
    proto = network(DENSE, w=linear(40, 30))
    del proto.graph.initializer[:]
    proto.graph.node.insert(0, helper.make_node("Constant", [], ["w"], value=value))
    model = load(proto)
    np.testing.assert_array_equal(model.weights["w"], linear(40, 30))
    x = np.ones((2, 40), np.float32)
    np.testing.assert_allclose(run(model, x, ["y"]).value("y"), x @ linear(40, 30), rtol=1e-5)


def test_external_data_beside_the_file_is_read(stored):
    np.testing.assert_array_equal(load(stored).weights["w"], linear(40, 30))


def test_external_data_in_a_folder_below_is_read(stored):
    (stored.parent / "weights").mkdir()
    (stored.parent / "dense.data").rename(stored.parent / "weights/dense.data")
    relocated(stored, location="weights/dense.data")
    np.testing.assert_array_equal(load(stored).weights["w"], linear(40, 30))


@pytest.mark.parametrize("location", ["../dense.data", "/etc/hostname", "a/../../dense.data", ""])
def test_external_data_elsewhere_is_refused(stored, location):
    relocated(stored, location=location)
    with pytest.raises(
        ModelFileError, match=re.escape(repr(location)) + ", outside of the model's"
    ):
        load(stored)


def test_link_out_of_the_folder_is_refused(stored, tmp_path_factory):
    away = tmp_path_factory.mktemp("away") / "dense.data"
    (stored.parent / "dense.data").rename(away)
    (stored.parent / "dense.data").symlink_to(away)
    with pytest.raises(ModelFileError, match="outside of the model's folder"):
        load(stored)


def test_missing_external_data_is_named(stored):
    (stored.parent / "dense.data").unlink()
    with pytest.raises(ModelFileError, match=r"weights file 'dense.data' \(for 'w'\) is missing"):
        load(stored)


def test_truncated_external_data_is_named(stored):
    with (stored.parent / "dense.data").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(
        ModelFileError, match=r"'dense.data' is truncated: 'w' needs bytes 0 to 4800"
    ):
        load(stored)


@pytest.mark.parametrize(
    "read", [lambda p: p.read_bytes(), lambda p: onnx.load(p, load_external_data=False)]
)
def test_external_data_needs_a_path(stored, read):
    with pytest.raises(ModelFileError, match=r"pass the path of the \.onnx file"):
        load(read(stored))


def test_external_data_in_an_attribute_is_refused(tmp_path):
    value = TensorProto(data_type=1, dims=[2], data_location=TensorProto.EXTERNAL)
    value.external_data.add(key="location", value="secret")
    proto = network("(float[N, 2] x) => (float[N, 2] y) { y = Add(x, c) }")
    proto.graph.node.insert(0, helper.make_node("Constant", [], ["c"], name="leak", value=value))
    with pytest.raises(
        ModelFileError, match=r"node 'leak' \(Constant\) keeps a tensor in external"
    ):
        load(proto)


def test_damaged_weight_is_named(dense):
    dense.graph.initializer[0].raw_data = bytes(100)
    with pytest.raises(ModelFileError, match=r"initializer 'w' of shape \(40, 30\) is damaged"):
        load(dense)


def test_sparse_weight_is_refused(dense):
    values = numpy_helper.from_array(np.ones(1, np.float32), "thin")
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "thin_indices")
    dense.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [30]))
    with pytest.raises(ModelFileError, match="initializer 'thin' is sparse"):
        load(dense)


def test_half_precision_weights_become_float32_for_the_layers():
    text = "(float16[N, 40] x) => (float16[N, 30] y) { y = MatMul(x, w) }"
    model = load(network(text, w=linear(40, 30).astype(np.float16)))
    assert model.weights["w"].dtype == np.float16
    assert model.constants["w"].dtype == np.float32


def test_declared_types_of_constants_do_not_spoil_shapes():
    """PyTorch's newer exporter declares constants, too; ONNX then misread a Slice's axes."""
    text = "(float[1, 4, 5] x) => (float[1, 2, 5] y) { y = Slice(x, zero, two, one) }"
    proto = network(text, zero=np.array([0]), two=np.array([2]), one=np.array([1]))
    for name in ("zero", "two", "one"):
        port = helper.make_tensor_value_info(name, TensorProto.INT64, [1])
        proto.graph.value_info.append(port)
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    (layer,) = load(proto).layers
    assert layer.op == "Slice"
