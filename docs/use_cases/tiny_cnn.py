"""A small CNN trained with NumPy alone, and written as ONNX: two convolutions and a dense layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]

CHANNELS = (16, 48)
"""Of the two convolutions, 3×3 each; a 2×2 max pool lies between them."""

SPARSE = 0.3
"""Weight of the second convolution's mean activation in the loss: few neurons for each thing."""


@dataclass
class Convolution:
    """3×3, padded, with its gradient by the columns of the last batch."""

    weight: Array  # (9·C, K)
    bias: Array

    def forward(self, a: Array) -> Array:
        """Convolve a (N, H, W, C): (N, H, W, K)."""
        padded = np.pad(a, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        self.columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(*a.shape[:3], -1)
        return self.columns @ self.weight + self.bias

    def backward(self, gradient: Array) -> tuple[list[Array], Array]:
        """Gradients of weight and bias, and of the input."""
        flat, columns = gradient.reshape(-1, gradient.shape[-1]), self.columns
        grads = [columns.reshape(-1, columns.shape[-1]).T @ flat, flat.sum(axis=0)]
        n, h, w, _ = gradient.shape
        spread = (gradient @ self.weight.T).reshape(n, h, w, 3, 3, -1)
        back = np.zeros((n, h + 2, w + 2, spread.shape[-1]), np.float32)
        for i in range(3):
            for j in range(3):
                back[:, i : i + h, j : j + w] += spread[:, :, :, i, j]
        return grads, back[:, 1:-1, 1:-1]


class TinyCNN:
    """Conv, ReLU, max pool, Conv, ReLU, maximum over all positions, dense."""

    def __init__(self, size: int, classes: int, seed: int) -> None:
        random = np.random.default_rng(seed)

        def start(*shape: int) -> Array:
            return (random.normal(size=shape) * np.sqrt(2 / shape[0])).astype(np.float32)

        first, second = CHANNELS
        self.size = size
        self.one = Convolution(start(9, first), np.zeros(first, np.float32))
        self.two = Convolution(start(9 * first, second), np.zeros(second, np.float32))
        self.dense = start(second, classes)
        self.bias = np.zeros(classes, np.float32)

    def forward(self, x: Array) -> Array:
        """Logits of x (N, size, size, 1)."""
        self.z1 = self.one.forward(x)
        self.a1 = np.maximum(self.z1, 0)
        n, size, k = len(x), self.size // 2, self.a1.shape[-1]
        blocks = self.a1.reshape(n, size, 2, size, 2, k).transpose(0, 1, 3, 5, 2, 4)
        self.blocks = blocks.reshape(n, size, size, k, 4)
        self.z2 = self.two.forward(self.blocks.max(axis=-1))
        self.a2 = np.maximum(self.z2, 0)
        self.features = self.a2.max(axis=(1, 2))
        return self.features @ self.dense + self.bias

    def gradients(self, x: Array, y: NDArray[np.int64]) -> list[Array]:
        """Gradients of the cross entropy, in the order of :attr:`parameters`."""
        logits = self.forward(x)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(y)), y] -= 1
        p /= len(y)
        n, half, k = len(x), self.size // 2, self.a2.shape[-1]
        first = self.a2.reshape(n, -1, k).argmax(axis=1)  # the position that won
        two = np.zeros((n, half * half, k), np.float32)
        np.put_along_axis(two, first[:, None], (p @ self.dense.T)[:, None], axis=1)
        sparse = SPARSE / (n * half * half)  # gradient of the penalty
        two = (two.reshape(self.z2.shape) + sparse) * (self.z2 > 0)
        grads2, back = self.two.backward(two)
        winner = self.blocks.argmax(axis=-1)[..., None] == np.arange(4)
        spread = (back[..., None] * winner).reshape(n, half, half, -1, 2, 2)
        one = spread.transpose(0, 1, 4, 2, 5, 3).reshape(self.z1.shape) * (self.z1 > 0)
        grads1, _ = self.one.backward(one.astype(np.float32))
        return [*grads1, *grads2, self.features.T @ p, p.sum(axis=0)]

    @property
    def parameters(self) -> list[Array]:
        """All weights and biases."""
        return [
            *(self.one.weight, self.one.bias, self.two.weight, self.two.bias),
            *(self.dense, self.bias),
        ]


def train(x: Array, y: NDArray[np.int64], epochs: int, seed: int = 0) -> TinyCNN:
    """Fit a network to x (N, size, size) by Adam, in batches of 64."""
    network = TinyCNN(x.shape[1], int(y.max()) + 1, seed)
    random = np.random.default_rng(seed)
    mean = [np.zeros_like(p) for p in network.parameters]
    square = [np.zeros_like(p) for p in network.parameters]
    step = 0
    for _ in range(epochs):
        for batch in np.array_split(random.permutation(len(x)), len(x) // 64):
            step += 1
            for p, g, m, v in zip(
                network.parameters,
                network.gradients(x[batch][..., None], y[batch]),
                mean,
                square,
                strict=True,
            ):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                scale = np.sqrt(v / (1 - 0.999**step)) + 1e-8
                p -= 3e-3 * m / (1 - 0.9**step) / scale
    return network


def as_onnx(network: TinyCNN) -> onnx.ModelProto:
    """Write the network as ONNX: input x (N, 1, size, size), output the logits."""

    def kernel(convolution: Convolution) -> Array:
        k = convolution.weight.shape[1]
        return convolution.weight.reshape(3, 3, -1, k).transpose(3, 2, 0, 1)

    weights = {
        "w1": kernel(network.one),
        "b1": network.one.bias,
        "w2": kernel(network.two),
        "b2": network.two.bias,
        "w3": network.dense,
        "b3": network.bias,
    }
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["z1"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["z1"], ["a1"], "relu1"),
        helper.make_node("MaxPool", ["a1"], ["p1"], "pool1", **pool),
        helper.make_node("Conv", ["p1", "w2", "b2"], ["z2"], "conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["z2"], ["a2"], "relu2"),
        helper.make_node("GlobalMaxPool", ["a2"], ["p2"], "pool2"),
        helper.make_node("Flatten", ["p2"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["logits"], "dense"),
    ]
    size, classes = network.size, len(network.bias)
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes])],
        [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
