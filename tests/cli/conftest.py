"""A folder as a user has it: a small network, a picture, and the command run inside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from onnxlrp.cli import main
from onnxlrp.kernels import ensure_compiled


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


def small_network(size: int | str = 8, channels: int = 3, opset: int = 17) -> onnx.ModelProto:
    """Conv, ReLU, mean, Gemm, Softmax: pictures of ``size`` squared → 3 classes."""
    rng = np.random.default_rng(0)
    weights = {
        "w1": rng.normal(size=(4, channels, 3, 3)),
        "b1": rng.normal(size=4),
        "w2": rng.normal(size=(4, 3)),
        "b2": rng.normal(size=3),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["z"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["z"], ["a"], name="relu"),
        helper.make_node("GlobalAveragePool", ["a"], ["p"], name="mean"),
        helper.make_node("Flatten", ["p"], ["f"], name="flat"),
        helper.make_node("Gemm", ["f", "w2", "b2"], ["y"], name="dense"),
        helper.make_node("Softmax", ["y"], ["probability"], name="softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", channels, size, size])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def unsupported_network() -> onnx.ModelProto:
    """Two operators that LRP does not treat, on the way from the picture to the output."""
    proto = small_network()
    top = helper.make_node("TopK", ["y", "k"], ["best", "where"], name="topk")
    winner = helper.make_node("Hardmax", ["best"], ["c"], name="hardmax")
    del proto.graph.node[-1]
    proto.graph.node.extend([top, winner])
    proto.graph.initializer.append(numpy_helper.from_array(np.array([3], np.int64), "k"))
    del proto.graph.output[:]
    proto.graph.output.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, ["N", 3]))
    return proto


def save_picture(path: Path, seed: int = 0, size: int = 12) -> None:
    """Write a picture of coloured noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """Compile the kernels first, so that no command has to say that it does."""
    ensure_compiled(notify=lambda line: None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with small.onnx, cat.png and dog.png."""
    monkeypatch.chdir(tmp_path)
    onnx.save(small_network(), tmp_path / "small.onnx")
    save_picture(tmp_path / "cat.png", seed=1)
    save_picture(tmp_path / "dog.png", seed=2)
    return tmp_path


@pytest.fixture
def onnxlrp(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command line in the folder."""

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        try:
            code = main(words)
        except SystemExit as leaving:  # argparse leaves by itself
            code = int(leaving.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
