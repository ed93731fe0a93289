"""The frozen picture of a network that everything else reads: Node, Layer, Model."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError, ModelError
from onnxlrp.preprocess import Preprocessing

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""The operators that own learned weights: what presets and index ranges assign rules to."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A graph input or output as the file declares it.

    Attributes
    ----------
    name : str
    dtype : str
        NumPy name of the element type, "float32".
    shape : tuple of (int | str | None), or None
        A number, a symbolic name, or None for each unknown axis; None if even the rank is unknown.
    """

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True, slots=True)
class Node:
    """One ONNX operator call; ``""`` among the inputs marks an optional input that is absent."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    domain: str = ""

    @property
    def output(self) -> str:
        """The first output, the one that carries the signal."""
        return self.outputs[0]


@dataclass(frozen=True, slots=True)
class Layer:
    """A node of the canonised graph: what a person sees as one tick on the ruler.

    Attributes
    ----------
    index : int
        Position on the ruler, 0 next to the input.
    node : Node
        Its inputs and outputs are names of tensors of the user's own graph.
    merged : tuple of str
        Names of the nodes whose work this layer took over ("bn_3 merged into Conv_3").
    signals : tuple of int
        Positions of the inputs that change with the picture's values and can carry relevance; the
        others are constants, shapes, masks or indices.
    """

    index: int
    node: Node
    merged: tuple[str, ...] = ()
    signals: tuple[int, ...] = (0,)

    @property
    def name(self) -> str:
        """The node's name in the user's file."""
        return self.node.name

    @property
    def op(self) -> str:
        """The ONNX operator, "Conv"."""
        return self.node.op

    @property
    def weighted(self) -> bool:
        """Whether the layer owns learned weights (Conv, ConvTranspose, Gemm, MatMul)."""
        return self.op in WEIGHTED

    def __str__(self) -> str:
        return f"{self.name} ({self.op})"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the canonisation report.

    Attributes
    ----------
    kind : str
        "folded" (constants), "merged", "removed" or "cut".
    node : str
        The node that is gone from the ruler.
    into : str
        The layer that took over its work, or "".
    detail : str
        One sentence for a person.
    """

    kind: str
    node: str
    into: str
    detail: str


@dataclass(frozen=True, eq=False)
class Model:
    """An imported network: validated, canonised, frozen. Made by :func:`onnxlrp.load`.

    Attributes
    ----------
    name : str
    sha256 : str
        Of the serialised file, 64 hex digits: names the network in results and caches.
    proto : onnx.ModelProto
        The network that onnxruntime runs (the user's, local functions inlined). Never changed. The
        initializers in ``weights`` have only type and shape here.
    layers : tuple of Layer
        The canonised graph between input and explained tensor, in topological order.
    constants : mapping of str to ndarray
        Every constant tensor the layers name, folded weights included.
    input, output : Tensor
        The picture's input; the model output that is explained.
    explained : str
        The tensor that is explained: the output, or what stands before a final softmax.
    changes : tuple of Change
        The canonisation report.
    opset, ir_version : int
    preprocessing : Preprocessing or None
    labels : tuple of str
        Class names in the order of the outputs; empty if unknown.
    labels_note : str
        Why these are the class names, if nobody gave them; "" if somebody did.
    weights : mapping of str to ndarray
        The big initializers of ``proto``: one copy, which layers and onnxruntime sessions read.
    derived : dict
        A place for what is made from the model once (sessions, mapped weights), so that it lives
        and dies with it. No part of the model's value.
    """

    name: str
    sha256: str
    proto: Any
    layers: tuple[Layer, ...]
    constants: Mapping[str, NDArray[Any]]
    input: Tensor
    output: Tensor
    explained: str
    changes: tuple[Change, ...]
    opset: int
    ir_version: int
    preprocessing: Preprocessing | None = None
    preprocessing_note: str = ""
    labels: tuple[str, ...] = ()
    labels_note: str = ""
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    derived: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def fixed_batch(self) -> int | None:
        """The batch size the file insists on, or None if any will do."""
        shape = self.input.shape
        return shape[0] if shape and isinstance(shape[0], int) and shape[0] > 0 else None

    @cached_property
    def signals(self) -> frozenset[str]:
        """Every tensor that relevance can reach, from the explained one down to the input."""
        read = (layer.node.inputs[i] for layer in self.layers for i in layer.signals)
        return frozenset([self.explained, self.input.name, *read])

    @cached_property
    def producers(self) -> Mapping[str, Layer]:
        """Tensor name → the layer that makes it."""
        return {out: layer for layer in self.layers for out in layer.node.outputs if out}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Layer, ...]]:
        """Tensor name → the layers that read it, in topological order."""
        found: dict[str, list[Layer]] = {}
        for layer in self.layers:
            for name in dict.fromkeys(layer.node.inputs):
                found.setdefault(name, []).append(layer)
        return {name: tuple(layers) for name, layers in found.items()}

    @cached_property
    def _by_name(self) -> Mapping[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    def layer(self, key: str | int) -> Layer:
        """Return the layer of that name or ruler index.

        Raises
        ------
        ModelError
            No such layer; names the nearest ones.
        """
        if isinstance(key, int):
            if -len(self.layers) <= key < len(self.layers):
                return self.layers[key]
            raise ModelError(f"layer {key}: this model has layers 0 to {len(self.layers) - 1}.")
        if key in self._by_name:
            return self._by_name[key]
        near = difflib.get_close_matches(key, self._by_name, n=3)
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
        raise ModelError(f"layer {key!r}: no such layer in {self.name}.{hint}")

    def preprocess(self, images: Any) -> NDArray[np.float32]:
        """Turn pictures into the input tensor; see :meth:`Preprocessing.apply`.

        Parameters
        ----------
        images : PIL image, path, uint8 array (H, W[, 3]), or a sequence of them

        Returns
        -------
        ndarray, float32, shape of the model's input (N pictures)
        """
        if self.preprocessing is None:
            raise InputError(
                f"{self.name}: how to turn pictures into its input {self.input.shape} is not "
                "known. Pass preprocessing=Preprocessing(...) to onnxlrp.load, or bring an array."
            )
        return self.preprocessing.apply(images)

    def label(self, index: int) -> str:
        """Class name of output ``index``, or "class 7" where no labels are known."""
        return self.labels[index] if 0 <= index < len(self.labels) else f"class {index}"

    def __repr__(self) -> str:
        return f"<Model {self.name}: {len(self.layers)} layers, input {self.input.shape}>"


def first_layers(model: Model, names: Sequence[str] = WEIGHTED) -> frozenset[int]:
    """Indices of the layers of these types that the input reaches without passing another one."""
    reached = {model.input.name}
    first: set[int] = set()
    for layer in model.layers:
        if reached.isdisjoint(layer.node.inputs):
            continue
        if layer.op in names:
            first.add(layer.index)
        else:
            reached.update(layer.node.outputs)
    return frozenset(first)


def last_layers(model: Model, names: Sequence[str] = WEIGHTED) -> frozenset[int]:
    """Indices of the layers of these types that reach the explained tensor without another one."""
    wanted = {model.explained}
    last: set[int] = set()
    for layer in reversed(model.layers):
        if wanted.isdisjoint(layer.node.outputs):
            continue
        if layer.op in names:
            last.add(layer.index)
        else:
            wanted.update(layer.node.inputs)
    return frozenset(last)
