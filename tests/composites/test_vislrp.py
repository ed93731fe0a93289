"""Designs that VisLRPDesigner saved: which layer gets which rule, and the same relevance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from onnxlrp import load
from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import CompositeError
from onnxlrp.explainer import Explainer
from onnxlrp.preprocess import Preprocessing
from onnxlrp.rules import AlphaBeta, Epsilon, Gamma, Rule, Unified, ZBox, Zero, ZPlus
from tests import naive
from tests.graph_select.nets import VGG16, chain

SAMPLE = Path(__file__).parents[1] / "data/vislrp.json"
IMAGENET = Preprocessing((32, 32), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))

PLAIN = {
    **dict.fromkeys(("theta0", "gamma0", "gamma1p", "gamma1n", "gamma2", "eps", "beta"), 0),
    **dict.fromkeys(("theta1", "gamma1", "alpha"), 1),
}
"""LRP-0."""


def segment(x0: Any = 1, x1: Any = 39, **numbers: Any) -> dict[str, Any]:
    return {"id": 0, "method": ["customize"], "x0": x0, "x1": x1, **PLAIN, **numbers}


def saved(*segments: dict[str, Any]) -> dict[str, Any]:
    return {"name": "Configuration-1", "configuration": list(segments)}


def rule_of(**numbers: Any) -> Rule:
    return Composite.from_dict(saved(segment(**numbers))).entries[0].rule


def test_a_saved_file_is_recognised() -> None:
    custom = Unified(gamma2=0.5, epsilon=1e-9)
    assert Composite.load(SAMPLE) == Composite(
        "Four segments",
        (
            Entry(Selector(depth=(0, 0.23)), Gamma(0.3, epsilon=1e-9)),
            Entry(Selector(depth=(0.23, 0.63)), custom),
            Entry(Selector(depth=(0.63, 0.83)), Epsilon(0.3, relative=True)),
            Entry(Selector(depth=(0.83, 1)), Zero()),
            Entry(Selector(first=True), ZBox()),
        ),
        max_pool="average",
        description="Saved by VisLRPDesigner, 2026-11-25 18:50:00.",
        weighted_layers=16,
    )


def test_segments_become_layers_of_vgg_16() -> None:
    """Layers 0, 2, 5, 7 | 10 to 21 | 24, 26, 28 | 31, 34, 37 in the program's own counting."""
    model = chain(*VGG16, preprocessing=IMAGENET)
    rules = list(Composite.load(SAMPLE).assign(model).rules.values())
    assert [rule.name for rule in rules] == [
        *("z_box", *["gamma"] * 3, *["unified"] * 6, *["epsilon"] * 3, *["zero"] * 3),
    ]


@pytest.mark.parametrize(
    ("numbers", "rule"),
    [
        ({}, Zero()),
        ({"eps": 0.25}, Epsilon(0.25, relative=True)),
        ({"gamma1p": 0.3}, Gamma(0.3, epsilon=1e-9)),
        ({"gamma1p": 0.3, "eps": 0.1}, Gamma(0.3, epsilon=0.1, relative=True)),
        (
            {"gamma1": 0, "gamma1p": 1, "gamma1n": 1, "alpha": 2, "beta": 1},
            AlphaBeta(2, 1, epsilon=1e-9),
        ),
        ({"gamma1": 0, "gamma1p": 1}, ZPlus(epsilon=1e-9)),
        # The program counts the bias in w² and flat; the rules of that name leave it out.
        (
            {"theta0": 1, "theta1": 0, "gamma1": 0, "gamma2": 1},
            Unified(theta0=1, theta1=0, gamma1=0, gamma2=1, epsilon=1e-9),
        ),
        (
            {"theta0": 1, "theta1": 0, "gamma1": 0, "gamma0": 1},
            Unified(theta0=1, theta1=0, gamma1=0, gamma0=1, epsilon=1e-9),
        ),
        ({"alpha": 2, "eps": 0.5}, Unified(alpha=2, epsilon=0.5, relative=True)),
    ],
)
def test_templates(numbers: dict[str, float], rule: Rule) -> None:
    assert rule_of(**numbers) == rule


def test_the_later_segment_wins_and_one_of_no_weights_counts_for_nothing() -> None:
    composite = Composite.from_dict(
        saved(segment(gamma1p=0.5), segment(10, 12, eps=0.1), segment(33, 34, eps=0.9))
    )
    assert [str(entry) for entry in composite.entries] == [
        "depth 0 to 0.23 → gamma:gamma=0.5,epsilon=1e-09",
        "depth 0.23 to 0.3 → epsilon:epsilon=0.1,relative=true",
        "depth 0.3 to 1 → gamma:gamma=0.5,epsilon=1e-09",
        "first → z_box",
    ]


def test_z_beta_on_the_first_layer_is_what_every_design_has() -> None:
    nothing = segment(1, 2, gamma1=0)
    composite = Composite.from_dict(saved(nothing, segment(2, 39, eps=0.25)))
    assert [entry.rule.name for entry in composite.entries] == ["epsilon", "z_box"]


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ([], "VGG-16's layer 0 (counted from 0) is in no segment"),
        ([segment(1, 20)], "VGG-16's layer 21 (counted from 0) is in no segment"),
        ([segment(), segment(0, 3)], "segment 2: x0 and x1 must be positions, 1 ≤ x0 ≤ x1 ≤ 39"),
        ([segment(5, 3)], "segment 1: x0 and x1 must be positions"),
        ([segment(1.5, 3)], "segment 1: x0 and x1 must be positions"),
        ([segment(1, 39, eps="much")], "segment 1: eps must be a number, got 'much'."),
        ([segment(1, 39, theta0=None)], "segment 1: theta0 must be a number, got None."),
        ([segment(1, 39, beta=float("nan"))], "segment 1: beta must be a number, got nan."),
        ([segment(1, 39, eps=-1)], "segment 1: rule 'unified': epsilon must be at least 0"),
        ([segment(1, 39, gamma1=0)], "segment 1: all weight parameters (gamma…) are 0"),
        ([3], "configuration must be a list of segments."),
        ({"a": 1}, "configuration must be a list of segments."),
    ],
)
def test_a_malformed_file_is_one_clear_line(
    tmp_path: Path, configuration: Any, message: str
) -> None:
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"name": "a", "configuration": configuration}))
    with pytest.raises(CompositeError) as caught:
        Composite.load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_model_of_another_length_is_one_clear_line() -> None:
    with pytest.raises(CompositeError, match=r"a model of 16 weighted layers \(.*tiny has 1: open"):
        Composite.load(SAMPLE).assign(chain("Conv", "Relu"))


# --- the program's own calculation, in float64 ----------------------------------------------------


def small_vgg() -> tuple[onnx.ModelProto, list[np.ndarray], list[np.ndarray]]:
    """VGG-16's chain of layers with a few channels, on pictures of 32 × 32."""
    rng = np.random.default_rng(9)
    nodes, weights, biases, channels, tensor = [], [], [], 3, "x"
    for index, op in enumerate(VGG16):
        name, made, reads, attributes = f"{op.lower()}_{index}", f"t{index}", [tensor], {}
        if op in ("Conv", "Gemm"):
            width = 2 if index < 8 else 4
            shape = (width, channels, 3, 3) if op == "Conv" else (width, channels)
            fan_in = np.prod(shape[1:])
            weights.append(rng.normal(0.3 / fan_in, np.sqrt(1.5 / fan_in), shape))
            biases.append(rng.normal(0.2, 0.1, width))
            reads += [f"w{index}", f"b{index}"]
            channels = width
            attributes = {"pads": [1, 1, 1, 1]} if op == "Conv" else {"transB": 1}
        elif op == "MaxPool":
            attributes = {"kernel_shape": [2, 2], "strides": [2, 2]}
        nodes.append(helper.make_node(op, reads, [made], name=name, **attributes))
        tensor = made
    given = [i for i, op in enumerate(VGG16) if op in ("Conv", "Gemm")]
    stored = [
        numpy_helper.from_array(values.astype(np.float32), f"{letter}{index}")
        for letter, arrays in (("w", weights), ("b", biases))
        for index, values in zip(given, arrays, strict=True)
    ]
    graph = helper.make_graph(
        nodes,
        "vgg",
        [helper.make_tensor_value_info("x", 1, (1, 3, 32, 32))],
        [helper.make_tensor_value_info(tensor, 1, (1, 4))],
        stored,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return proto, weights, biases


def step(w: np.ndarray, b: np.ndarray, side: int, a: np.ndarray, R: np.ndarray, s: dict) -> Any:
    """R below a weighted layer under a segment with β = 0, from the paper's equation."""

    def seen(v: np.ndarray) -> np.ndarray:
        rms = s["gamma0"] * np.sqrt(np.mean(w**2))
        return rms + s["gamma1"] * v + s["gamma1p"] * np.maximum(v, 0) + s["gamma2"] * v**2

    x = s["theta0"] * np.sqrt(np.mean(a**2)) + s["theta1"] * a
    V, bias = matrix_of(seen(w), seen(b), side)
    z = V @ x + bias
    z = z + 1e-9 + float(s["eps"]) * np.sign(z) * np.sqrt(np.mean(z**2))
    return s["alpha"] * x * (V.T @ (R / z))


def matrix_of(w: np.ndarray, b: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A convolution (padded by one) or a dense layer as a matrix and a bias."""
    if w.ndim == 2:
        return w, b
    matrix = naive.conv_matrix(w, (side, side), (1, 1), (1, 1, 1, 1), (1, 1), 1)
    return matrix, np.repeat(b, side * side)


def program(x: np.ndarray, weights: list[np.ndarray], biases: list[np.ndarray]) -> np.ndarray:
    """The relevance that the program gives the sample file, largest logit, pools in proportion."""
    segments = json.loads(SAMPLE.read_text())["configuration"]
    layers = iter(zip(weights, biases, strict=True))
    a, side, tape = x.reshape(-1).astype(float), 32, []
    for op in VGG16:
        if op in ("Conv", "Gemm"):
            w, b = next(layers)
            matrix, bias = matrix_of(w, b, side)
            tape.append((op, a, side, w, b))
            a = matrix @ a + bias
        elif op == "MaxPool":
            tape.append((op, a, side, None, None))
            a = a.reshape(-1, side // 2, 2, side // 2, 2).max(axis=(2, 4)).reshape(-1)
            side //= 2
        elif op == "Relu":
            a = np.maximum(a, 0)
    R = np.where(a == a.max(), a, 0.0)
    modules = iter([37, 34, 31, 28, 26, 24, 21, 19, 17, 14, 12, 10, 7, 5, 2, 0])
    for op, a, side, w, b in reversed(tape):
        if op == "MaxPool":
            maps = a.size // side**2
            pool = naive.average_matrix(maps, (side, side), (2, 2), (2, 2), (0, 0, 0, 0), False)
            R = a * (pool.T @ (R / (pool @ a + 1e-9)))
        elif (module := next(modules)) == 0:
            low, high = (
                np.repeat(v.reshape(-1), side * side) for v in (IMAGENET.low, IMAGENET.high)
            )
            R = naive.z_box(*matrix_of(w, b, side), a, R, low, high, 1e-9)
        else:
            owner = [s for s in segments if s["x0"] - 1 <= module <= s["x1"] - 1][-1]
            R = step(w, b, side, a, R, owner)
    return R.reshape(x.shape)


def test_relevance_is_what_the_program_gives(tmp_path: Path) -> None:
    proto, weights, biases = small_vgg()
    onnx.save(proto, tmp_path / "vgg.onnx")
    model = load(tmp_path / "vgg.onnx", preprocessing=IMAGENET)
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    x = model.preprocess(picture)
    truth = program(x, weights, biases)
    assert np.abs(truth).sum() > 0.05
    result = Explainer(model, x).explain(Composite.load(SAMPLE))
    assert naive.relative_error(result.relevance, truth) < 1e-4
