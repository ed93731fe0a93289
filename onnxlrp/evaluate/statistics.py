"""Layer by layer: how much relevance there is, what became of it, and how widely it is spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.books import LayerBooks
from onnxlrp.composites import Composite
from onnxlrp.errors import InputError
from onnxlrp.evaluate.neurons import by_channel
from onnxlrp.evaluate.places import Place, channel_axis
from onnxlrp.explainer import Result, Workspace, as_composite, explain
from onnxlrp.graph.model import Layer, Model
from onnxlrp.plan import make_plan
from onnxlrp.runtime.activations import Activations
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.feed import checked_input
from onnxlrp.target import AnyTarget, Init, choose, initial_relevance

Values = NDArray[np.float64]
Array = NDArray[np.float32]

NOTEWORTHY = 0.01
"""Share of the relevance at the output from which on a loss at one layer is worth a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerStatistics(LayerBooks):
    """One layer's books and how its relevance and activation are spread, float64 (N,) each.

    The entropies are those of VisLRPDesigner: a channel's sum s over its positions is scaled to
    t = (s − min s) / (max s − min s), p = t / Σ t, and H = −Σ p·log₁₀ p over the C channels. It
    lies between 0 and log₁₀ C, and is 0 where all channels have the same sum.

    Attributes
    ----------
    layer, rule, arrived, handed, bias, epsilon, other, inputs
        See :class:`onnxlrp.books.LayerBooks`; ``arrived`` is Σ R of the layer's output.
    positive, negative : Σ R⁺ and Σ R⁻ of the layer's output
    activation_entropy : of the activation's channel sums
    relevance_entropy, absolute_entropy : of Σ R and Σ |R|
    positive_entropy, negative_entropy : of Σ R⁺ and Σ |R⁻|
    """

    positive: Values
    negative: Values
    activation_entropy: Values
    relevance_entropy: Values
    absolute_entropy: Values
    positive_entropy: Values
    negative_entropy: Values


def layer_statistics(
    model: Model,
    x: Any,
    composite: Composite | str = "epsilon_plus",
    target: AnyTarget = "top1",
    *,
    init: Init = "logit",
    device: Device = "auto",
) -> tuple[LayerStatistics, ...]:
    """Explain pictures and say, layer by layer, what became of their relevance.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
        Explained one by one, so that the relevance of all layers fits into memory.
    composite : Composite or str
        Which rule each layer gets; a preset's name will do.
    target : int, one int a picture, "top1", a label, or float weights (classes,) or (N, classes)
    init : "logit", "one", or an array of the outputs' shape
    device : "auto", "cpu" or "cuda"

    Returns
    -------
    tuple of LayerStatistics
        From the explained output down to the input.

    Raises
    ------
    InputError, TargetError, CompositeError, ModelError, NumericalError
        The argument at fault, and what to do.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.ones((1, 3, 227, 227), np.float32)
    >>> statistics = onnxlrp.evaluate.layer_statistics(model, x)
    >>> statistics[-1].layer.name
    'conv1'
    """
    pictures = checked_input(model, x)
    forward = Workspace.of(model).forward(device, "single")
    output = Activations(forward, pictures).value(model.explained)
    output = output.reshape(len(output), -1)
    start = initial_relevance(output, choose(model, output, target), init)
    layers = _passed(model, composite)
    record = [name for layer in layers for name in _recorded(model, layer)]
    parts = []
    size = model.fixed_batch or 1
    for first in range(0, len(pictures), size):
        some = pictures[first : first + size]
        init = start[first : first + size]
        result = explain(model, some, composite, 0, init, record, device=device, books=True)
        activations = Activations(forward, some)
        activations.fetch(layer.node.output for layer in layers)
        values = {layer.name: activations.value(layer.node.output) for layer in layers}
        parts.append(statistics_of(model, result, values))
    return tuple(_joined(of_layer) for of_layer in zip(*parts, strict=True))


def statistics_of(
    model: Model, result: Result, activations: Mapping[str, Array]
) -> tuple[LayerStatistics, ...]:
    """Read the statistics off an explanation that has been made already.

    Parameters
    ----------
    model : Model
    result : Result
        Made with ``books=True`` and ``record`` naming every layer that relevance passes.
    activations : mapping of layer name to ndarray, float32
        The layers' outputs.

    Returns
    -------
    tuple of LayerStatistics
        From the explained output down to the input.

    Raises
    ------
    InputError
        The result has no books, or a layer was not recorded.
    """
    return tuple(_statistics(model, result, book, activations) for book in _checked(result.books))


def most_lost(statistics: Sequence[LayerBooks]) -> LayerBooks | None:
    """Find the layer at which the most relevance stays; None if none keeps more than 1 %.

    Parameters
    ----------
    statistics : sequence of LayerStatistics or LayerBooks
        From the output down; sums over all pictures are compared.

    Raises
    ------
    InputError
        There are none.
    """
    books = _checked(statistics)
    started = abs(float(books[0].arrived.sum()))
    book = max(books, key=lambda book: abs(float(book.lost.sum())))
    return book if abs(float(book.lost.sum())) > NOTEWORTHY * started else None


def where_lost(statistics: Sequence[LayerBooks]) -> str:
    """Say in one sentence at which layer the most relevance stays, and why.

    Parameters
    ----------
    statistics : sequence of LayerStatistics or LayerBooks
        From the output down; sums over all pictures are compared. The layer is :func:`most_lost`'s.

    Raises
    ------
    InputError
        There are none.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.ones((1, 3, 227, 227), np.float32)
    >>> where_lost(onnxlrp.explain(model, x, books=True).books)[:25]
    'Most relevance is lost at'
    """
    book = most_lost(statistics)
    if book is None:
        return f"No layer keeps more than {100 * NOTEWORTHY:g} % of the relevance to itself."
    arrived, handed = (_number(float(sums.sum())) for sums in (book.arrived, book.handed))
    amounts = f"{arrived} arrive, {handed} are handed on"
    where = f"{book.layer.name} ({book.rule or book.layer.op}): {amounts}"
    started = float(statistics[0].arrived.sum())
    gone = float(book.lost.sum()) * started >= 0
    verb, share = ("lost", "the rest") if gone else ("added", "a negative share")
    causes = {
        f"its bias absorbs {share} (bias=spread in the rule would hand it on)": book.bias,
        f"its ε absorbs {share} (a smaller one would change less)": book.epsilon,
        f"{share} has nowhere to go (no contributions, or weights of the rule off 1)": book.other,
    }
    cause = max(causes, key=lambda words: abs(float(causes[words].sum())))
    return f"Most relevance is {verb} at {where}; {cause}."


def channel_entropy(sums: Values) -> Values:
    """Entropy of min-max scaled channel sums, −Σ p·log₁₀ p; see :class:`LayerStatistics`.

    Parameters
    ----------
    sums : ndarray, float64, (N, C)

    Returns
    -------
    ndarray, float64, (N,)
        0 where all channels have the same sum.
    """
    above = sums - sums.min(axis=1, keepdims=True)
    total = above.sum(axis=1, keepdims=True)
    p = np.divide(above, total, out=np.zeros_like(above), where=total > 0)
    logarithms = np.log10(p, out=np.zeros_like(p), where=p > 0)
    return np.asarray(np.abs((p * logarithms).sum(axis=1)), np.float64)


def _passed(model: Model, composite: Composite | str) -> list[Layer]:
    """The layers that relevance passes, from the output down."""
    plan = make_plan(model, Workspace.of(model).operations, as_composite(composite))
    return [step.layer for step in plan.steps]


def _recorded(model: Model, layer: Layer) -> list[str]:
    """Under which names the relevance of a layer's outputs is recorded.

    Outputs besides the first have no other name than their own, unless a layer took it.
    """
    taken = {each.name for each in model.layers}
    more = [name for name in layer.node.outputs[1:] if name in model.signals - taken]
    return [layer.name, *more]


def _statistics(
    model: Model, result: Result, book: LayerBooks, activations: Mapping[str, Array]
) -> LayerStatistics:
    """Sum up one layer."""
    layer = book.layer
    if layer.name not in result.tensors or layer.name not in activations:
        raise InputError(
            f"layer {layer}: its relevance or its activation is missing: explain with this layer "
            "in record=, and give its output among the activations."
        )
    names = [name for name in _recorded(model, layer) if name in result.tensors]
    count = len(book.arrived)
    every = [result.tensors[name].reshape(count, -1).astype(np.float64) for name in names]
    sums, activity = (
        _by_channel(model, layer, values)
        for values in (result.tensors[layer.name], activations[layer.name])
    )
    return LayerStatistics(
        **{field.name: getattr(book, field.name) for field in fields(LayerBooks)},
        positive=np.sum([r.clip(min=0).sum(axis=1) for r in every], axis=0),
        negative=np.sum([r.clip(max=0).sum(axis=1) for r in every], axis=0),
        activation_entropy=channel_entropy(activity.sum(axis=2)),
        relevance_entropy=channel_entropy(sums.sum(axis=2)),
        absolute_entropy=channel_entropy(np.abs(sums).sum(axis=2)),
        positive_entropy=channel_entropy(sums.clip(min=0).sum(axis=2)),
        negative_entropy=channel_entropy(-sums.clip(max=0).sum(axis=2)),
    )


def _by_channel(model: Model, layer: Layer, values: Array) -> Values:
    """Lay a layer's output out as (N, C, positions); one number a picture is one channel."""
    whole = values.reshape(len(values), -1) if values.ndim < 2 else values
    axis = channel_axis(model, Place(layer.name, layer.node.output), whole.shape)
    return by_channel(whole, axis)


def _joined(parts: Sequence[LayerStatistics]) -> LayerStatistics:
    """Put the statistics of one layer for several pictures behind each other."""
    first = parts[0]
    values = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(LayerStatistics)
        if field.name not in ("layer", "rule", "inputs")
    }
    inputs = {name: np.concatenate([part.inputs[name] for part in parts]) for name in first.inputs}
    return LayerStatistics(layer=first.layer, rule=first.rule, inputs=inputs, **values)


def _checked(books: Sequence[LayerBooks]) -> Sequence[LayerBooks]:
    """Refuse a result without books."""
    if not books:
        raise InputError("there are no books: explain with books=True.")
    return books


def _number(value: float) -> str:
    """Write a number with four digits that count and a true minus."""
    return f"{value:.4g}".replace("-", "−")
