"""Every float64 operator means what onnxruntime's float32 one means."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from onnxlrp.runtime import Exact
from onnxlrp.runtime.reference import convolution
from tests.ops.single import SingleNode, normal
from tests.ops.test_moves import MOVES

SIZES = (9, 8, 7)
X = normal(2, 4, 6, 5)


def assert_same(single):
    """The outputs agree to 1e-5 of the largest element, integers to the last."""
    (x,) = single.inputs.values()
    found = Exact(single.model).run(x, single.outputs)
    for name, expected in zip(single.outputs, single.run(), strict=True):
        assert found[name].dtype == expected.dtype
        tolerance = 1e-5 * np.abs(expected).max() if expected.dtype.kind == "f" else 0
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=tolerance)


def windows(rank):
    """Every stride and dilation with every way to pad."""
    kernel, uneven = [3, 2, 3][:rank], [0, 1, 1][:rank] + [2, 1, 0][:rank]
    for stride, dilation in itertools.product((1, 2), (1, 2)):
        window = {"kernel": kernel, "strides": [stride] * rank, "dilations": [dilation] * rank}
        yield window
        yield window | {"pads": uneven}
        yield window | {"auto_pad": "VALID"}
        if dilation == 1:  # onnxruntime refuses to pad dilated windows, or pads too little
            yield window | {"auto_pad": "SAME_UPPER"}
            yield window | {"auto_pad": "SAME_LOWER"}


def title(window):
    """Name a case after what it has."""
    padding = window.get("auto_pad") or ("pads" if "pads" in window else "none")
    return f"{len(window['kernel'])}d-s{window['strides'][0]}-d{window['dilations'][0]}-{padding}"


@pytest.fixture(params=[window for rank in (1, 2, 3) for window in windows(rank)], ids=title)
def window(request):
    attributes = dict(request.param)
    kernel = attributes.pop("kernel")
    return kernel, attributes, normal(2, 4, *SIZES[: len(kernel)])


def test_convolution(window):
    kernel, attributes, x = window
    for groups, channels in ((1, 6), (2, 6), (4, 4), (4, 8)):
        constants = {1: normal(channels, 4 // groups, *kernel), 2: normal(channels)}
        assert_same(SingleNode("Conv", [x], constants, group=groups, **attributes))


def test_convolution_in_blocks_of_rows(monkeypatch):
    monkeypatch.setattr(convolution, "COLUMNS", 4 * 9 * 8 * 2)  # two rows at once
    for attributes in ({}, {"strides": [2, 2], "pads": [1, 0, 2, 1], "dilations": [2, 1]}):
        assert_same(
            SingleNode("Conv", [normal(2, 4, 11, 8)], {1: normal(5, 4, 3, 3)}, **attributes)
        )


def test_transposed_convolution(window):
    kernel, attributes, x = window
    if attributes["strides"][0] > 1:
        attributes["output_padding"] = [1] * len(kernel)
    for groups, channels in ((1, 6), (2, 6), (4, 4)):
        constants = {1: normal(4, channels // groups, *kernel), 2: normal(channels)}
        assert_same(SingleNode("ConvTranspose", [x], constants, group=groups, **attributes))


@pytest.mark.parametrize("auto_pad", ["NOTSET", "SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("length", [13, 14, 15])
def test_transposed_convolution_to_a_given_shape(length, auto_pad):
    x, w = normal(2, 4, 5), normal(4, 3, 3)
    attributes = {"strides": [3], "output_shape": [length], "auto_pad": auto_pad}
    assert_same(SingleNode("ConvTranspose", [x], {1: w}, **attributes))


def test_max_pool_and_its_places(window):
    kernel, attributes, x = window
    for ceil_mode, order in ((0, 0), (1, 1)):
        attributes |= {"ceil_mode": ceil_mode, "storage_order": order}
        assert_same(SingleNode("MaxPool", [x], outputs=2, kernel_shape=kernel, **attributes))


def test_average_pool(window):
    kernel, attributes, x = window
    opsets = (11, 19) if attributes["dilations"][0] == 1 else (19,)
    for opset, ceil_mode, include in itertools.product(opsets, (0, 1), (0, 1)):
        told = attributes | {"ceil_mode": ceil_mode, "count_include_pad": include}
        if opset < 19:  # there were no dilations
            del told["dilations"]
        assert_same(SingleNode("AveragePool", [x], opset=opset, kernel_shape=kernel, **told))


@pytest.mark.parametrize("name", [k for k, single in MOVES.items() if [*single.inputs] == ["i0"]])
def test_move(name):
    assert_same(MOVES[name])


def norms():
    """Batch normalisation of all opsets, local response normalisation of all sizes."""
    four = {1: normal(4), 2: normal(4, seed=1), 3: normal(4, seed=2), 4: np.abs(normal(4)) + 0.1}
    for opset in (7, 9, 14, 15):
        yield SingleNode("BatchNormalization", [X], four, opset=opset, epsilon=0.01, momentum=0.5)
    for opset in (14, 15):
        trained = {"momentum": 0.7, "training_mode": 1, "outputs": 3}
        yield SingleNode("BatchNormalization", [X], four, opset=opset, **trained)
    for size in (1, 3, 5):
        yield SingleNode("LRN", [X], size=size, alpha=0.5, beta=0.6, bias=1.5)
    for shape in ((2, 4, 5), (2, 4, 3, 2, 5)):
        yield SingleNode("BatchNormalization", [normal(*shape)], four)
        yield SingleNode("GlobalMaxPool", [normal(*shape)])
    yield SingleNode("GlobalMaxPool", [X])


def softmaxes():
    """Along every axis, before and after opset 13 changed what the axis means."""
    for op, opset in itertools.product(("Softmax", "LogSoftmax"), (7, 11, 13)):
        yield SingleNode(op, [X], opset=opset)
        yield from (SingleNode(op, [X], opset=opset, axis=axis) for axis in range(4))
    yield SingleNode("LogSoftmax", [1000 * X], opset=13)  # its softmax has zeros
    yield SingleNode("Softmax", [X], opset=11, axis=-2)


def activations():
    """Those that the reference implementation computes, in their opsets."""
    names = "Elu Selu LeakyRelu Tanh Softsign Relu Sigmoid HardSigmoid Softplus Identity Dropout"
    yield from (SingleNode(op, [X], opset=opset) for op in names.split() for opset in (7, 13, 21))
    later = {"Erf": 9, "ThresholdedRelu": 10, "Celu": 12, "HardSwish": 14, "Mish": 18, "Gelu": 20}
    yield from (SingleNode(op, [X], opset=max(opset, 17)) for op, opset in later.items())
    yield SingleNode("Gelu", [X], opset=20, approximate="tanh")
    yield SingleNode("Shrink", [X], bias=0.3, lambd=0.2)
    yield SingleNode("PRelu", [X], {1: normal(4, 1, 1)})
    yield SingleNode("Clip", [X], opset=9, min=-0.5, max=0.5)
    yield SingleNode("Clip", [X], {1: None, 2: np.float32(0.5)})


def dense():
    """Products, sums and means."""
    yield SingleNode("Gemm", [normal(3, 5)], {1: normal(7, 5), 2: normal(7)}, transB=1, alpha=0.5)
    yield SingleNode("MatMul", [X], {1: normal(5, 3)})
    for op in ("Add", "Sub", "Mul", "Div", "Sum", "Mean"):
        yield SingleNode(op, [X], {1: np.abs(normal(4, 1, 1)) + 0.1})
    yield SingleNode("GlobalAveragePool", [normal(2, 4, 3, 2, 5)])
    for op, opset in itertools.product(("ReduceMean", "ReduceMax"), (11, 17)):
        yield SingleNode(op, [X], opset=opset, axes=[2, 3], keepdims=0)
    for op in ("ReduceMean", "ReduceMax", "ReduceSum"):
        yield SingleNode(op, [X], {1: np.array([1, -1])})


def resizings():
    """Linear and nearest, by scales and by sizes, of all opsets; ties of float32 included."""
    whole, broken = np.array([1, 1, 2, 3], np.float32), np.array([1, 1, 1.5, 0.7], np.float32)
    for mode, scales in itertools.product(("linear", "nearest"), (whole, broken)):
        yield SingleNode("Resize", [X], {1: scales}, opset=10, mode=mode)
        for transform in ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"):
            how = {"mode": mode, "coordinate_transformation_mode": transform}
            yield SingleNode("Resize", [X], {1: None, 2: scales}, **how)
            for size in ((2, 4, 1, 1), (2, 4, 7, 3)):
                yield SingleNode("Resize", [X], {1: None, 2: None, 3: np.array(size)}, **how)
    for mode in ("linear", "nearest"):
        yield SingleNode("Upsample", [X], {1: whole}, opset=9, mode=mode)
        yield SingleNode("Upsample", [X], opset=7, mode=mode, scales=[1.0, 1.0, 2.0, 3.0])
        scales = np.array([2, 1.5], np.float32)
        yield SingleNode("Resize", [X], {1: None, 2: scales}, mode=mode, axes=[2, -1])
    for rounding in ("round_prefer_ceil", "floor", "ceil"):
        yield SingleNode("Resize", [X], {1: None, 2: broken}, nearest_mode=rounding)


@pytest.mark.parametrize("family", [norms, softmaxes, activations, dense, resizings])
def test_family(family):
    for single in family():
        assert_same(single)
