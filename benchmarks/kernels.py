"""Measure the convolution kernels against onnxruntime's Conv and a large matrix product.

    python benchmarks/kernels.py [--threads N] [--rounds N]

Everything of one line is timed in turn, round by round, so that a drift of the machine's speed
meets all alike; ratios are medians over the rounds. A multiplication and an addition count as two
operations of the plain convolution; Winograd's needs four times fewer, and may exceed the peak.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from onnxlrp.kernels import (
    ConvGeometry,
    ensure_compiled,
    get_num_threads,
    prepare_convolution,
    set_num_threads,
)

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """A square convolution of a square image."""

    net: str
    channels: int
    kernels: int
    size: int
    window: int = 3
    stride: int = 1
    groups: int = 1

    def geometry(self) -> ConvGeometry:
        """Pad so that the output is as large as the input, divided by the stride."""
        pads = (self.window // 2,) * 2
        return ConvGeometry((self.stride,) * 2, pads, pads, (1, 1), self.groups)

    def __str__(self) -> str:
        """Name the net and the numbers that matter."""
        groups = f" groups {self.groups}" if self.groups > 1 else ""
        stride = f" stride {self.stride}" if self.stride > 1 else ""
        return (
            f"{self.net:12} {self.window}×{self.window}{stride}{groups} "
            f"{self.channels}→{self.kernels} at {self.size}²"
        )


SHAPES = (
    Shape("VGG-16", 3, 64, 224),
    Shape("VGG-16", 64, 64, 224),
    Shape("VGG-16", 128, 128, 112),
    Shape("VGG-16", 256, 256, 56),
    Shape("VGG-16", 512, 512, 28),
    Shape("VGG-16", 512, 512, 14),
    Shape("ResNet-50", 3, 64, 224, window=7, stride=2),
    Shape("ResNet-50", 64, 64, 56),
    Shape("ResNet-50", 512, 512, 7),
    Shape("ResNet-50", 128, 128, 56, stride=2),
    Shape("ResNet-50", 512, 512, 14, stride=2),
    Shape("ResNet-50", 64, 256, 56, window=1),
    Shape("ResNet-50", 256, 64, 56, window=1),
    Shape("ResNet-50", 512, 128, 28, window=1),
    Shape("ResNet-50", 1024, 256, 14, window=1),
    Shape("ResNet-50", 512, 2048, 7, window=1),
    Shape("ResNet-50", 512, 1024, 28, window=1, stride=2),
    Shape("MobileNetV2", 3, 32, 224, stride=2),
    Shape("MobileNetV2", 32, 32, 112, groups=32),
    Shape("MobileNetV2", 96, 96, 112, stride=2, groups=96),
    Shape("MobileNetV2", 144, 144, 56, groups=144),
    Shape("MobileNetV2", 384, 384, 14, groups=384),
    Shape("MobileNetV2", 960, 960, 7, groups=960),
    Shape("MobileNetV2", 16, 96, 112, window=1),
    Shape("MobileNetV2", 24, 144, 56, window=1),
    Shape("MobileNetV2", 160, 960, 7, window=1),
)


def session(weight: Array, geometry: ConvGeometry, x: Array) -> onnxruntime.InferenceSession:
    """Make a network of one Conv."""
    node = onnx.helper.make_node(
        "Conv", ["x", "w"], ["z"], strides=geometry.strides,
        pads=geometry.pads_begin + geometry.pads_end, group=geometry.groups,
    )  # fmt: skip
    graph = onnx.helper.make_graph(
        [node], "conv",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, x.shape)],
        [onnx.helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(weight, "w")],
    )  # fmt: skip
    opset = onnx.helper.make_opsetid("", 17)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = get_num_threads()
    # Threads of onnxruntime that wait busily would take the cores from what is timed next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def time_in_turn(calls: list[Callable[[], object]], rounds: int) -> NDArray[np.float64]:
    """Seconds of each call (row) in each round (column), after one round for warming up."""
    seconds = np.empty((len(calls), rounds + 1))
    for turn in range(rounds + 1):
        for row, call in enumerate(calls):
            begin = time.perf_counter()
            call()
            seconds[row, turn] = time.perf_counter() - begin
    return seconds[:, 1:]


def measure(shape: Shape, rounds: int) -> str:
    """Time one convolution and its adjoint, and say how fast they are."""
    rng = np.random.default_rng(0)
    geometry, size = shape.geometry(), (shape.size, shape.size)
    weight = rng.standard_normal(
        (shape.kernels, shape.channels // shape.groups, shape.window, shape.window), np.float32
    )
    x = rng.standard_normal((1, shape.channels, *size), np.float32)
    conv, reference = prepare_convolution(weight, geometry), session(weight, geometry, x)
    z, truth = conv.forward(x), reference.run(None, {"x": x})[0]
    g, square = conv.adjoint(z, size), rng.standard_normal((1536, 1536), np.float32)
    seconds = time_in_turn(
        [
            lambda: reference.run(None, {"x": x}),
            lambda: conv.forward(x, out=z),
            lambda: conv.adjoint(truth, size, out=g),
            lambda: np.matmul(square, square),
        ],
        rounds,
    )
    operations = 2 * truth.size * weight[0].size
    peak = 2 * 1536**3 / np.median(seconds[3])
    speeds = operations / np.median(seconds[:3], axis=1)
    ratios = np.median(seconds[1:3] / seconds[0], axis=1)
    error = np.abs(z - truth).max() / np.abs(truth).max()
    return (
        f"{shape!s:48} {speeds[0] / 1e9:8.0f}"
        + "".join(
            f" {speed / 1e9:8.0f} {speed / peak:6.2f} {ratio:6.2f}"
            for speed, ratio in zip(speeds[1:], ratios, strict=True)
        )
        + f" {error:9.1e}"
    )


def main() -> None:
    """Print one line a shape."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=get_num_threads())
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    set_num_threads(arguments.threads)
    ensure_compiled(print)
    print(f"{arguments.threads} threads, medians of {arguments.rounds} rounds; GF/s of the plain")
    print("convolution, share of the peak (matrix product), time as a multiple of onnxruntime's")
    names = f"{'GF/s':>8} {'share':>6} {'×ort':>6}"
    print(f"{'':48} {'ort':>8} {'forward':^22} {'adjoint':^22}")
    print(f"{'':48} {'GF/s':>8} {names} {names} {'max error':>9}")
    with threadpool_limits(arguments.threads):  # for the matrix product
        for shape in SHAPES:
            print(measure(shape, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
