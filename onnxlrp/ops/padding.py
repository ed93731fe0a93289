"""Borders put around a tensor or cut off: Pad, CenterCropPad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Move, Shape, Tensors, operation
from onnxlrp.ops.indexing import gather_adjoint

Sources = NDArray[np.int64]
"""For every element of an axis the element that it copies, −1 for a constant one."""


class Border(Move):
    """A move of which some elements are constants."""

    treatment: ClassVar[str] = "moves relevance back exactly; a constant border keeps its share"

    def sources(self, shape: Shape, tensors: Tensors) -> Iterator[tuple[int, Sources]]:
        """The axes that change, each with where its elements come from."""
        raise NotImplementedError

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Every axis in turn: relevance goes to the elements that were copied, if any."""
        shape = tensors.shape(self.node.inputs[0])
        for axis, source in self.sources(shape, tensors):
            relevance = gather_adjoint(relevance, source, axis, shape[axis])
        return (relevance,)

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """R of the constant elements."""
        kept = relevance.copy()
        inside = [slice(None)] * kept.ndim
        for axis, source in self.sources(tensors.shape(self.node.inputs[0]), tensors):
            held = np.flatnonzero(source >= 0)  # one run: constants stand before and after
            inside[axis] = slice(held[0], held[-1] + 1) if held.size else slice(0)
        kept[tuple(inside)] = 0
        return kept, None


@operation("Pad")
class Pad(Border):
    """A border put around (or cut off, where a pad is negative)."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        mode = str(self.node.attributes.get("mode", "constant"))
        if mode not in ("constant", "reflect", "edge", "wrap"):
            raise self.unsupported(f"pad mode {mode!r} is unknown")
        self._mode = mode

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the border is not negative either."""
        value = self.constant(2) if self.is_constant(2) else None
        if value is None or not value.size:
            value = np.asarray(self.node.attributes.get("value", 0.0))
        plain = self._mode != "constant" or bool(np.all(value >= 0))
        return inputs and plain and not self.computed(2)

    def values(self) -> tuple[str, ...]:
        """The widths, where they are computed."""
        return self.computed(1, 3)

    def sources(self, shape: Shape, tensors: Tensors) -> Iterator[tuple[int, Sources]]:
        """The axes that get or lose a border."""
        given = self.setting(1, tensors)
        pads = [int(p) for p in (self.node.attributes["pads"] if given is None else given)]
        chosen = self.setting(3, tensors)
        axes = range(len(shape)) if chosen is None else [int(a) % len(shape) for a in chosen]
        for axis, before, after in zip(axes, pads, pads[len(axes) :], strict=False):
            if before or after:
                yield axis, self._along(shape[axis], before, after)

    def _along(self, size: int, before: int, after: int) -> Sources:
        inside = np.arange(max(-before, 0), size - max(-after, 0))
        widths = (max(before, 0), max(after, 0))
        if self._mode == "constant":
            return np.pad(inside, widths, constant_values=-1)
        # ONNX and NumPy name the modes alike.
        return np.asarray(np.pad(inside, widths, mode=self._mode))  # type: ignore[call-overload]


@operation("CenterCropPad")
class CenterCropPad(Border):
    """Cut or padded with zeros to a size, the middle kept; the odd element stands at the end."""

    def nonnegative(self, inputs: bool) -> bool:
        """Zeros are not negative."""
        return inputs

    def sources(self, shape: Shape, tensors: Tensors) -> Iterator[tuple[int, Sources]]:
        """The axes whose size changes."""
        for axis, (size, out) in enumerate(
            zip(shape, tensors.shape(self.node.output), strict=True)
        ):
            if out < size:
                yield axis, np.arange(out) + (size - out) // 2
            elif out > size:
                before = (out - size) // 2
                widths = (before, out - size - before)
                yield axis, np.pad(np.arange(size), widths, constant_values=-1)
