"""Sanity check: an explanation must change when the weights are drawn at random."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.errors import ModelError
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.designs import pixel_relevance
from onnxlrp.evaluate.similarity import spearman, ssim
from onnxlrp.explainer import explain
from onnxlrp.graph.load import load
from onnxlrp.graph.model import Model, Node
from onnxlrp.graph.proto import inferred
from onnxlrp.graph.trace import trace
from onnxlrp.graph.whole import whole
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.feed import checked_input
from onnxlrp.target import AnyTarget

if TYPE_CHECKING:
    import onnx


def randomised(model: Model, layers: Iterable[str], seed: int = 0) -> Model:
    """Copy a model with the weights and biases of some layers drawn anew.

    w′ ~ N(mean(w), std(w)²)   tensor by tensor, so that activations keep their scale

    Parameters
    ----------
    model : Model
    layers : iterable of str
        Names of layers that own weights (Conv, ConvTranspose, Gemm, MatMul). What canonising merged
        into them, a BatchNormalization say, keeps its own numbers.
    seed : int
        A layer's new weights depend on it and on the layer's place in the model alone.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        No such layer, or one without weights.
    """
    types = inferred(model.proto)
    drafted = trace(model.proto, model.weights, types, model.input, model.output)
    nodes = {node.name: node for node in drafted.nodes}
    proto = whole(model)
    positions = {node.output[0]: n for n, node in enumerate(proto.graph.node) if node.output}
    for name in _weighted(model, layers):
        node = nodes[name]
        position = positions[node.output]
        dtype = types[node.output].dtype if node.output in types else model.input.dtype
        random = np.random.default_rng((seed, position))
        for place, values in _weights(node, drafted.constants):
            drawn = random.normal(values.mean(), values.std(), values.shape).astype(dtype)
            _feed(proto, position, place, drawn)
    return load(proto, model.preprocessing, model.labels or None, model.output.name)


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """How alike maps stay to the trained network's as more layers are drawn at random.

    Attributes
    ----------
    layers : tuple of str
        In the order in which they were randomised, the one next to the output first; each step
        keeps those before it random.
    spearman, ssim : ndarray, float64, (layers, N)
        Similarity of the maps, channels summed. SSIM is of maps divided by their greatest |R|, NaN
        where the input is no picture. Both are NaN where a map says nothing.
    """

    layers: tuple[str, ...]
    spearman: NDArray[np.float64]
    ssim: NDArray[np.float64]


def cascading_randomisation(
    model: Model,
    x: Any,
    composite: Composite | str,
    *,
    target: AnyTarget = "top1",
    layers: Iterable[str] | None = None,
    seed: int = 0,
    device: Device = "auto",
    progress: Callable[[int, int, str], None] | None = None,
) -> Cascade:
    """Draw weights anew from the top layer down, and compare each explanation with the first.

    A method that explains the network, not only the picture, loses its similarity.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
    composite : Composite or str
    target : int, one int a picture, "top1", a label, a Target, or float weights
        Explained in all networks: "top1" is the class that the trained one predicts.
    layers : iterable of str, optional
        Layers that own weights, the first to be randomised first; None: all, from the top down.
    seed : int
        Of the weights.
    device : "auto", "cpu" or "cuda"
    progress : callable(done, total, layer)

    Returns
    -------
    Cascade

    Raises
    ------
    ModelError
        No such layer, or one without weights.

    Notes
    -----
    Adebayo et al. 2018, arXiv:1810.03292.
    """
    order = _weighted(model, _top_down(model) if layers is None else layers)
    pictures = checked_input(model, x)
    canvas = Canvas.of(model, pictures)
    trained = explain(model, pictures, composite, target, device=device)
    fixed = trained.target if (trained.target >= 0).all() else target
    original = _maps(trained.relevance, canvas)
    alike = np.empty((2, len(order), len(pictures)))
    for step, layer in enumerate(order):
        drawn = randomised(model, order[: step + 1], seed)
        found = _maps(explain(drawn, pictures, composite, fixed, device=device).relevance, canvas)
        for n, pair in enumerate(zip(original, found, strict=True)):
            alike[:, step, n] = spearman(*pair), _scaled_ssim(*pair)
        if progress is not None:
            progress(step + 1, len(order), layer)
    return Cascade(order, *alike)


def _top_down(model: Model) -> Iterator[str]:
    """Layers that own weights, the one next to the output first."""
    return (layer.name for layer in reversed(model.layers) if layer.weighted)


def _weighted(model: Model, layers: Iterable[str]) -> tuple[str, ...]:
    """Names of layers, refused unless they own weights."""
    names = tuple(dict.fromkeys([layers] if isinstance(layers, str) else layers))
    for name in names:
        if not model.layer(name).weighted:
            raise ModelError(
                f"layer {model.layer(name)} owns no weights to draw at random: choose of "
                f"{', '.join(_top_down(model))}."
            )
    return names


def _weights(
    node: Node, constants: Mapping[str, NDArray[Any]]
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the constant floating-point inputs of a node, with their places."""
    for place, name in enumerate(node.inputs):
        if name in constants and constants[name].dtype.kind == "f":
            yield place, constants[name]


def _feed(proto: onnx.ModelProto, position: int, place: int, values: NDArray[Any]) -> None:
    """Let one node read new values; other readers of the old ones keep them."""
    from onnx import numpy_helper

    name = f"input {place} of node {position}, drawn at random"
    proto.graph.initializer.append(numpy_helper.from_array(values, name))
    proto.graph.node[position].input[place] = name


def _maps(relevance: NDArray[np.float32], canvas: Canvas) -> NDArray[np.float64]:
    """Maps of the pictures, channels summed: (N, *spatial)."""
    return pixel_relevance(relevance, canvas, len(relevance)).reshape(-1, *canvas.spatial)


def _scaled_ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """SSIM of maps divided by their greatest |R|; NaN of what is no picture or says nothing."""
    largest = np.abs(a).max(), np.abs(b).max()
    if a.ndim != 2 or min(largest) == 0.0:
        return math.nan
    return ssim(a / largest[0], b / largest[1])
