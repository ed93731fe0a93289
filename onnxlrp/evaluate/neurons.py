"""The neurons (channels) of a layer: how relevant and how active each one is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.errors import InputError
from onnxlrp.evaluate.ablation_result import named
from onnxlrp.evaluate.checks import choice
from onnxlrp.evaluate.places import channel_axis, locate
from onnxlrp.explainer import Workspace, explain
from onnxlrp.graph.model import Model
from onnxlrp.runtime.activations import Activations
from onnxlrp.runtime.device import Device
from onnxlrp.target import AnyTarget, Init

Array = NDArray[np.float32]
Column = Literal["relevance", "positive", "negative", "absolute", "activation", "maximum"]

NEURON = np.dtype(
    [
        ("channel", np.int64),
        ("relevance", np.float64),
        ("positive", np.float64),
        ("negative", np.float64),
        ("absolute", np.float64),
        ("activation", np.float64),
        ("maximum", np.float64),
        ("share", np.float64),
    ]
)
"""What is known of a channel: number, Σ R, Σ R⁺, Σ R⁻, Σ |R|, its activation's mean and maximum,
and its share of the layer, Σ |R| of the channel / Σ |R| of the layer."""


@dataclass(frozen=True, slots=True)
class NeuronRow:
    """A line of neurons.csv; the fields are its columns.

    Attributes
    ----------
    image, layer : str
    channel : int
    relevance, positive, negative, absolute : float
        Σ R, Σ R⁺, Σ R⁻ (not above 0) and Σ |R| over the channel's positions.
    activation : float
        Mean of the channel's activation.
    """

    image: str
    layer: str
    channel: int
    relevance: float
    positive: float
    negative: float
    absolute: float
    activation: float


@dataclass(frozen=True, slots=True, eq=False)
class Neurons:
    """The channels of a layer, ranked.

    Attributes
    ----------
    layer : str
    by : str
        The column that they are sorted by.
    target : ndarray, int64, (N,)
        The explained class; −1 where the target was an array over the outputs.
    table : ndarray of NEURON, (N, C)
        Every picture's channels, the first one first: the highest, by "negative" the lowest; of
        equal ones that with the lower number.
    """

    layer: str
    by: str
    target: NDArray[np.int64]
    table: NDArray[Any]

    def top(self, count: int) -> NDArray[np.int64]:
        """Numbers of the first channels of every picture, (N, count).

        Raises
        ------
        InputError
            The layer has fewer channels.
        """
        size = self.table.shape[1]
        if not 0 <= count <= size:
            raise InputError(f"{count} channels of {self.layer}: it has {size}.")
        channels: NDArray[np.int64] = self.table["channel"][:, :count]
        return channels

    def rows(self, images: Sequence[str]) -> Iterator[NeuronRow]:
        """Yield the lines of neurons.csv, picture by picture, the first channel first.

        Parameters
        ----------
        images : sequence of str
            The pictures' names.
        """
        for picture, image in enumerate(named(images, len(self.table))):
            for neuron in self.table[picture]:
                yield NeuronRow(
                    image=image,
                    layer=self.layer,
                    channel=int(neuron["channel"]),
                    relevance=float(neuron["relevance"]),
                    positive=float(neuron["positive"]),
                    negative=float(neuron["negative"]),
                    absolute=float(neuron["absolute"]),
                    activation=float(neuron["activation"]),
                )


def rank_neurons(
    model: Model,
    x: Any,
    layer: str | int,
    composite: Composite | str = "epsilon_plus",
    target: AnyTarget = "top1",
    *,
    by: Column = "relevance",
    init: Init = "logit",
    axis: int | None = None,
    device: Device = "auto",
) -> Neurons:
    """Rank the channels of a layer by their relevance or their activation.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
    layer : str or int
        A layer (its output) or a tensor that relevance passes.
    composite : Composite or str
        Which rule each layer gets; a preset's name will do.
    target : int, one int a picture, "top1", a label, or float weights (classes,) or (N, classes)
    by : "relevance", "positive", "negative", "absolute", "activation" or "maximum"
        Σ R, Σ R⁺, Σ R⁻ (most negative first), Σ |R|, or the mean or maximum of the activation.
    init : "logit", "one", or an array of the outputs' shape
    axis : int, optional
        Channel axis of the layer's tensor; see :func:`onnxlrp.evaluate.ablate`.
    device : "auto", "cpu" or "cuda"

    Raises
    ------
    InputError, TargetError, CompositeError, ModelError
        The argument at fault, and what to do.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.ones((1, 3, 227, 227), np.float32)
    >>> onnxlrp.evaluate.rank_neurons(model, x, "fire9_concat").top(5).shape
    (1, 5)
    """
    choice("by", by, get_args(Column))
    place = locate(model, layer)
    result = explain(model, x, composite, target, init, [place.name], device=device)
    activation = activation_of(model, x, place.tensor, device)
    axis = channel_axis(model, place, activation.shape, axis)
    table = neuron_table(result.tensors[place.name], activation, axis)
    order = ranked(table[by], descending=by != "negative")
    return Neurons(place.name, by, result.target, np.take_along_axis(table, order, axis=1))


def neuron_table(relevance: Array, activation: Array, axis: int = 1) -> NDArray[Any]:
    """Sum up every channel of a layer.

    Parameters
    ----------
    relevance, activation : ndarray, float32, (N, …, C, …)
        Of the same tensor.
    axis : int
        Its channel axis.

    Returns
    -------
    ndarray of NEURON, (N, C)
        In the order of the channels' numbers; no share where the layer has no relevance.
    """
    if relevance.shape != activation.shape:
        raise InputError(
            f"relevance of shape {relevance.shape} and activation of shape {activation.shape} are "
            "not of one tensor."
        )
    r, a = (by_channel(values, axis) for values in (relevance, activation))
    table = np.zeros(r.shape[:2], NEURON)
    table["channel"] = np.arange(r.shape[1])
    table["positive"] = r.clip(min=0).sum(axis=2)
    table["negative"] = r.clip(max=0).sum(axis=2)
    table["relevance"] = r.sum(axis=2)
    table["absolute"] = np.abs(r).sum(axis=2)
    table["activation"] = a.mean(axis=2)
    table["maximum"] = a.max(axis=2)
    whole = table["absolute"].sum(axis=1, keepdims=True)
    np.divide(table["absolute"], whole, out=table["share"], where=whole > 0)
    return table


def activation_of(model: Model, x: Any, tensor: str, device: Device) -> Array:
    """Return a tensor of the network for these pictures."""
    return Activations(Workspace.of(model).forward(device, "single"), x).value(tensor)


def by_channel(values: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Lay a tensor out as (N, C, positions), float64."""
    moved = np.moveaxis(values, axis, 1)
    return moved.reshape(*moved.shape[:2], -1).astype(np.float64)


def ranked(importance: NDArray[np.float64], descending: bool = True) -> NDArray[np.intp]:
    """Order channels, (N, C); of equal ones the lower number comes first."""
    return np.argsort(-importance if descending else importance, axis=-1, kind="stable")
