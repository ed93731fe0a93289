"""What can be explained besides a class: an element, a difference, a region, a box, a neuron."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import TargetError
from onnxlrp.graph.model import Model
from onnxlrp.target.classes import Label, Weights, class_axis, flat, number_of, one_hot


class Target(ABC):
    """Something in the network's outputs, or inside it, that can be explained.

    Made by :meth:`element`, :meth:`classes`, :meth:`region`, :meth:`box` and :meth:`neuron`, or
    from text: see :func:`onnxlrp.target.text.read_target`.
    """

    @property
    def start(self) -> str:
        """The layer (its output) or tensor where the sweep starts; "" for the explained output."""
        return ""

    @abstractmethod
    def weigh(self, model: Model, output: NDArray[np.float32]) -> Weights:
        """Σ weights·output is what is explained; the outputs' shape.

        Raises
        ------
        TargetError
            The target is not in outputs of this shape.
        """

    @staticmethod
    def element(*index: int, tensor: str = "") -> Target:
        """Explain one element of the output, or of another layer's.

        Parameters
        ----------
        index : int
            Along every axis but the batch.
        tensor : str
            A layer or tensor on the way to the explained output; "" for the output itself.

        Examples
        --------
        >>> Target.element(1).weigh(None, np.zeros((1, 3), np.float32))
        array([[0., 1., 0.]], dtype=float32)
        """
        return _Element(tuple(index), tensor)

    @staticmethod
    def classes(more: Label, less: Label) -> Target:
        """Explain what speaks for one class rather than the other: their logits' difference.

        Parameters
        ----------
        more, less : int or str
            Numbers or labels.
        """
        return _Difference(more, less)

    @staticmethod
    def region(category: Label, mask: NDArray[Any] | None = None) -> Target:
        """Explain a class over a region of a map of classes: Σ of its logits there.

        Parameters
        ----------
        category : int or str
            Number or label.
        mask : array of bool or weights, (H, W) or (N, H, W), optional
            The region; where the class has the largest logit (a single class: a positive one), if
            left out.
        """
        return _Region(category, None if mask is None else np.asarray(mask))

    @staticmethod
    def box(box: int, column: int) -> Target:
        """Explain one number of one box of a detector's output (N, boxes, numbers a box).

        An output laid out (N, numbers a box, boxes) is read so, too: boxes are more than numbers.

        Parameters
        ----------
        box : int
        column : int
            Where a box's class score stands among its numbers: the class itself where they are
            scores only, 4 + class behind four coordinates, 5 + class behind an objectness, too.
        """
        return _Box(box, column)

    @staticmethod
    def neuron(
        layer: str, channel: int, position: Sequence[int] | None = None, axis: int = 1
    ) -> Target:
        """Explain a channel inside the network, or one neuron of it; the sweep starts there.

        Parameters
        ----------
        layer : str
            Layer or tensor on the way to the explained output.
        channel : int
        position : sequence of int, optional
            Along the other axes; all positions, summed, if left out.
        axis : int
            Of the channels; −1 where they are last.
        """
        return _Neuron(layer, channel, None if position is None else tuple(position), axis)


@dataclass(frozen=True, slots=True)
class _Element(Target):
    """See :meth:`Target.element`."""

    index: tuple[int, ...]
    tensor: str = ""

    @property
    def start(self) -> str:
        return self.tensor

    def __str__(self) -> str:
        return f"element:{_listed(self.index)}" + (f" of {self.tensor}" if self.tensor else "")

    def weigh(self, model: Model, output: NDArray[np.float32]) -> Weights:
        weights = np.zeros(output.shape, np.float32)
        place: tuple[Any, ...] = (slice(None), *_checked(self.index, output.shape[1:], "element"))
        weights[place] = 1
        return weights


@dataclass(frozen=True, slots=True)
class _Difference(Target):
    """See :meth:`Target.classes`."""

    more: Label
    less: Label

    def __str__(self) -> str:
        return f"class:{self.more}-{self.less}"

    def weigh(self, model: Model, output: NDArray[np.float32]) -> Weights:
        samples, classes = flat(output).shape
        numbers = (number_of(model, classes, label) for label in (self.more, self.less))
        more, less = (one_hot(np.full(samples, i), classes).weights for i in numbers)
        return (more - less).reshape(output.shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Region(Target):
    """See :meth:`Target.region`."""

    category: Label
    mask: NDArray[Any] | None

    def __str__(self) -> str:
        return f"region:{self.category}" + ("" if self.mask is None else " in a mask")

    def weigh(self, model: Model, output: NDArray[np.float32]) -> Weights:
        if output.ndim < 3:
            raise TargetError(
                f"region: the outputs of shape {output.shape} are no map of classes (N, C, H, W)."
            )
        axis = class_axis(model, output.shape)
        scores = np.moveaxis(output, axis, 1)
        number = number_of(model, scores.shape[1], self.category)
        weights = np.zeros(scores.shape, np.float32)
        weights[:, number] = self._where(scores, number)
        return np.moveaxis(weights, 1, axis)

    def _where(self, scores: NDArray[np.float32], number: int) -> NDArray[Any]:
        """The mask, given or found; (N, H, W) or broadcasting to it."""
        places = (len(scores), *scores.shape[2:])
        if self.mask is not None:
            if self.mask.shape not in (places, places[1:]) or self.mask.dtype.kind not in "biuf":
                raise TargetError(
                    f"region: the mask has shape {self.mask.shape}, the map of classes {places}."
                )
            return self.mask
        single = scores.shape[1] == 1
        wins = scores[:, 0] > 0 if single else scores.argmax(axis=1) == number
        lost = [i for i, win in enumerate(wins) if not win.any()]
        if lost:
            raise TargetError(
                f"region: class {number} wins nowhere in picture {lost[0]}; give a mask, or another"
                " class."
            )
        return np.asarray(wins)


@dataclass(frozen=True, slots=True)
class _Box(Target):
    """See :meth:`Target.box`."""

    number: int
    column: int

    def __str__(self) -> str:
        return f"box:{self.number}/{self.column}"

    def weigh(self, model: Model, output: NDArray[np.float32]) -> Weights:
        if output.ndim != 3:
            raise TargetError(
                f"box: the outputs of shape {output.shape} are no boxes (N, boxes, numbers)."
            )
        boxes_last = output.shape[2] > output.shape[1]
        index = (self.column, self.number) if boxes_last else (self.number, self.column)
        return _Element(index).weigh(model, output)


@dataclass(frozen=True, slots=True)
class _Neuron(Target):
    """See :meth:`Target.neuron`."""

    tensor: str
    channel: int
    position: tuple[int, ...] | None
    axis: int

    @property
    def start(self) -> str:
        return self.tensor

    def __str__(self) -> str:
        position = "" if self.position is None else f"@{_listed(self.position)}"
        return f"neuron:{self.tensor}/{self.channel}{position}"

    def weigh(self, model: Model, output: NDArray[np.float32]) -> Weights:
        first = np.moveaxis(output, self.axis, 1)
        weights = np.zeros(first.shape, np.float32)
        where = f"neuron of {self.tensor!r}"
        channel = _checked((self.channel,), first.shape[1:2], where)
        place: tuple[Any, ...] = (slice(None), *channel)
        if self.position is not None:
            place += _checked(self.position, first.shape[2:], where)
        weights[place] = 1
        return np.moveaxis(weights, 1, self.axis)


def _checked(index: tuple[int, ...], shape: tuple[int, ...], what: str) -> tuple[int, ...]:
    """Return an index that lies within a shape."""
    if len(index) != len(shape) or any(
        not -size <= i < size for i, size in zip(index, shape, strict=True)
    ):
        raise TargetError(f"{what}: {index} does not lie in a tensor of shape (N, *{shape}).")
    return index


def _listed(index: tuple[int, ...]) -> str:
    """Write an index: "3,20,20"."""
    return ",".join(map(str, index))
