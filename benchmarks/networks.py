"""VGG, ResNet and MobileNetV2 as ONNX with seeded random weights: real shapes, no download.

Weights are He-normal and batch normalisations already folded, as exporters write them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Builder:
    """Appends nodes to a graph; every method returns the name of the tensor it made."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def node(self, op: str, inputs: list[str], **attributes: object) -> str:
        name = f"{op}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def _weight(self, shape: tuple[int, ...], fan_in: int, gain: float) -> str:
        name = f"w{len(self._weights)}"
        scale = np.float32(np.sqrt(gain / fan_in))
        values = scale * self._random.standard_normal(shape, np.float32)
        self._weights.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, x, channels, outs, kernel=3, stride=1, groups=1, gain=2.0):
        per_group = channels // groups
        w = self._weight((outs, per_group, kernel, kernel), per_group * kernel**2, gain)
        b = self._weight((outs,), 100, 1.0)
        pad = kernel // 2
        return self.node(
            "Conv", [x, w, b], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4,
            group=groups, dilations=[1, 1],
        )  # fmt: skip

    def relu(self, x):
        return self.node("Relu", [x])

    def dense(self, x, ins, outs, gain=2.0):
        w = self._weight((outs, ins), ins, gain)
        return self.node("Gemm", [x, w, self._weight((outs,), 100, 1.0)], transB=1)

    def max_pool(self, x, kernel, stride, pad=0):
        return self.node(
            "MaxPool", [x], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4
        )

    def model(self, output: str, size: int) -> bytes:
        graph = helper.make_graph(
            self._nodes,
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, size, size])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", 1000])],
            self._weights,
        )
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return proto.SerializeToString()


VGG_STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(depth: int = 16, size: int = 224) -> bytes:
    """VGG-11, 13, 16 or 19 (Simonyan & Zisserman 2015)."""
    g, x, channels = Builder(), "x", 3
    for outs, count in zip((64, 128, 256, 512, 512), VGG_STAGES[depth], strict=True):
        for _ in range(count):
            x, channels = g.relu(g.conv(x, channels, outs)), outs
        x = g.max_pool(x, 2, 2)
    x = g.node("Flatten", [x], axis=1)
    x = g.relu(g.dense(x, 512 * (size // 32) ** 2, 4096))
    x = g.relu(g.dense(x, 4096, 4096))
    return g.model(g.dense(x, 4096, 1000, gain=1.0), size)


RESNET_STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def resnet(depth: int = 50, size: int = 224) -> bytes:
    """ResNet-18 to 152 (He et al. 2016, stride in the 3x3 convolution)."""
    g = Builder()
    x, channels = g.max_pool(g.relu(g.conv("x", 3, 64, 7, 2)), 3, 2, 1), 64
    bottleneck = depth >= 50
    for stage, count in enumerate(RESNET_STAGES[depth]):
        width = 64 * 2**stage
        outs = width * (4 if bottleneck else 1)
        for block in range(count):
            stride = 2 if stage and not block else 1
            if bottleneck:
                y = g.relu(g.conv(x, channels, width, 1))
                y = g.relu(g.conv(y, width, width, 3, stride))
                y = g.conv(y, width, outs, 1, gain=0.25)
            else:
                y = g.relu(g.conv(x, channels, width, 3, stride))
                y = g.conv(y, width, outs, 3, gain=0.25)
            if stride != 1 or channels != outs:
                x = g.conv(x, channels, outs, 1, stride, gain=1.0)
            x, channels = g.relu(g.node("Add", [y, x])), outs
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])], axis=1)
    return g.model(g.dense(x, channels, 1000, gain=1.0), size)


def mobilenet_v2(size: int = 224) -> bytes:
    """MobileNetV2 (Sandler et al. 2018), width 1."""
    g = Builder()

    def relu6(x):
        low = "zero"
        return g.node("Clip", [x, low, "six"])

    for name, value in (("zero", 0.0), ("six", 6.0)):
        g._weights.append(numpy_helper.from_array(np.float32(value), name))
    x, channels = relu6(g.conv("x", 3, 32, 3, 2)), 32
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
              (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip
    for expand, outs, count, first_stride in stages:
        for block in range(count):
            stride = 1 if block else first_stride
            y, hidden = x, channels * expand
            if expand > 1:
                y = relu6(g.conv(y, channels, hidden, 1))
            y = relu6(g.conv(y, hidden, hidden, 3, stride, groups=hidden))
            y = g.conv(y, hidden, outs, 1, gain=1.0)
            x = g.node("Add", [y, x]) if stride == 1 and channels == outs else y
            channels = outs
    x = relu6(g.conv(x, channels, 1280, 1))
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])], axis=1)
    return g.model(g.dense(x, 1280, 1000, gain=1.0), size)


NETWORKS: dict[str, Callable[[], bytes]] = {
    "vgg16": vgg,
    "resnet50": resnet,
    "mobilenet_v2": mobilenet_v2,
}
