"""Moves: operators that put elements elsewhere; relevance goes back exactly the way they came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Move, Tensors, operation
from onnxlrp.ops.broadcast import sum_to_shape


@operation("Reshape", "Flatten", "Squeeze", "Unsqueeze")
class Reshape(Move):
    """The same elements in the same order, in another shape."""

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Back to the input's shape."""
        return (relevance.reshape(tensors.shape(self.node.inputs[0])),)


@operation("Transpose")
class Transpose(Move):
    """Axes in another order (reversed, if no order is given)."""

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """The inverse permutation."""
        perm = self.node.attributes.get("perm") or tuple(reversed(range(relevance.ndim)))
        return (np.transpose(relevance, np.argsort(perm)),)


@operation("Concat")
class Concat(Move):
    """Tensors side by side; every one gets its own part back, constants keep theirs."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        count = len(self.node.inputs)
        self.signals = tuple(i for i in range(count) if not self.is_constant(i))

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the constants among the inputs are not negative either."""
        fixed = (self.constant(i) for i in range(len(self.node.inputs)) if self.is_constant(i))
        return inputs and all(bool(np.all(np.asarray(c) >= 0)) for c in fixed)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Cut along the axis where the inputs were joined."""
        axis = int(self.node.attributes["axis"])
        fixed = self.model.constants
        sizes = [
            (fixed[name].shape if name in fixed else tensors.shape(name))[axis]
            for name in self.node.inputs
        ]
        parts = np.split(relevance, np.cumsum(sizes)[:-1], axis=axis)
        return tuple(parts[i] for i in self.signals)


@operation("Split")
class Split(Move):
    """One tensor cut in pieces; relevance that reaches no piece is zero there."""

    def propagate_all(
        self, relevances: tuple[Array | None, ...], tensors: Tensors
    ) -> tuple[Array, ...]:
        """Put the pieces together again."""
        shapes = [tensors.shape(name) for name in self.node.outputs]
        pieces = [
            np.zeros(shape, np.float32) if r is None else r
            for r, shape in zip(relevances, shapes, strict=True)
        ]
        return (np.concatenate(pieces, axis=int(self.node.attributes.get("axis", 0))),)


@operation("Slice")
class Slice(Move):
    """A part of a tensor; what was left out gets no relevance."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        attributes = self.node.attributes
        if "starts" in attributes:  # opset 9 and before
            self._starts, self._ends = attributes["starts"], attributes["ends"]
            self._axes, self._steps = attributes.get("axes"), None
        else:
            self._starts, self._ends = self.constant(1), self.constant(2)
            self._axes, self._steps = self.constant(3), self.constant(4)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Back to the place the part was taken from."""
        out = np.zeros(tensors.shape(self.node.inputs[0]), np.float32)
        out[self._window(out.ndim)] = relevance
        return (out,)

    def _window(self, rank: int) -> tuple[slice, ...]:
        starts, ends = self._starts, self._ends
        axes = range(len(starts)) if self._axes is None else self._axes
        steps = [1] * len(starts) if self._steps is None else self._steps
        window = [slice(None)] * rank
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            # A negative step may run past element 0, which Python writes as None, not as a number.
            stop = None if step < 0 and end < -(2**31) + 1 else int(end)
            window[int(axis)] = slice(int(start), stop, int(step))
        return tuple(window)


@operation("Gather")
class Gather(Move):
    """Elements picked by constant indices along one axis; one picked twice adds up."""

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Add every relevance to the element it was picked from."""
        indices = np.asarray(self.constant(1))
        shape = tensors.shape(self.node.inputs[0])
        axis = int(self.node.attributes.get("axis", 0)) % len(shape)
        out = np.zeros(shape, np.float32)
        flat = relevance.reshape(*shape[:axis], indices.size, *shape[axis + 1 :])
        target = np.moveaxis(out, axis, 0)
        np.add.at(target, indices.reshape(-1) % shape[axis], np.moveaxis(flat, axis, 0))
        return (out,)


@operation("Expand", "Tile")
class Expand(Move):
    """A tensor repeated; its copies' relevances add up."""

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Sum over the copies."""
        shape = tensors.shape(self.node.inputs[0])
        if self.node.op == "Expand":
            return (sum_to_shape(relevance, shape),)
        folded = [
            n for whole, n in zip(relevance.shape, shape, strict=True) for n in (whole // n, n)
        ]
        copies = tuple(range(0, 2 * len(shape), 2))
        return (relevance.reshape(folded).sum(axis=copies, dtype=np.float32),)


@operation("Pad")
class Pad(Move):
    """A border put around (or cut off, where a pad is negative)."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        attributes = self.node.attributes
        pads = attributes["pads"] if "pads" in attributes else self.constant(1)
        self._pads = [int(p) for p in (() if pads is None else pads)]
        mode = attributes.get("mode", "constant")
        self._mode = mode.decode() if isinstance(mode, bytes) else str(mode)
        axes = self.constant(3)
        self._axes = None if axes is None else [int(a) for a in axes]
        given = self.constant(2)
        value = attributes.get("value", 0.0) if given is None or not given.size else given
        self._value = float(np.asarray(value).reshape(-1)[0])
        if self._mode not in ("constant", "reflect", "edge", "wrap"):
            raise self.unsupported(f"pad mode {self._mode!r} is unknown")

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the border is not negative either."""
        return inputs and (self._mode != "constant" or self._value >= 0)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Every axis in turn: a border's relevance goes to the elements it repeats, if any."""
        shape = tensors.shape(self.node.inputs[0])
        axes = [a % len(shape) for a in (self._axes or range(len(shape)))]
        for i, axis in enumerate(axes):
            before, after = self._pads[i], self._pads[i + len(axes)]
            if before or after:
                source = self._sources(shape[axis], before, after)
                relevance = gather_adjoint(relevance, source, axis, shape[axis])
        return (relevance,)

    def _sources(self, size: int, before: int, after: int) -> NDArray[np.int64]:
        """For every element of the padded axis the element it copies, −1 for a constant one."""
        inside = np.arange(max(-before, 0), size - max(-after, 0))
        widths = (max(before, 0), max(after, 0))
        if self._mode == "constant":
            return np.pad(inside, widths, constant_values=-1)
        # ONNX and NumPy name the modes alike.
        return np.asarray(np.pad(inside, widths, mode=self._mode))  # type: ignore[call-overload]


def gather_adjoint(relevance: Array, source: NDArray[np.int64], axis: int, size: int) -> Array:
    """Adjoint of out[k] = x[source[k]] along one axis of ``size`` elements; −1 copies nothing."""
    moved = np.moveaxis(relevance, axis, 0)
    out = np.zeros((size, *moved.shape[1:]), np.float32)
    kept = source >= 0
    np.add.at(out, source[kept], moved[kept])
    return np.moveaxis(out, 0, axis)


@operation("DepthToSpace")
class DepthToSpace(Move):
    """Blocks of channels laid out as blocks of pixels (pixel shuffle)."""

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Space to depth, in the node's own order."""
        b = int(self.node.attributes["blocksize"])
        n, c, h, w = tensors.shape(self.node.inputs[0])
        mode = self.node.attributes.get("mode", "DCR")
        blocks = relevance.reshape(n, c // (b * b), h, b, w, b)
        column_first = mode in ("DCR", b"DCR")
        order = (0, 3, 5, 1, 2, 4) if column_first else (0, 1, 3, 5, 2, 4)
        return (blocks.transpose(order).reshape(n, c, h, w),)


@operation("SpaceToDepth")
class SpaceToDepth(Move):
    """Blocks of pixels laid out as blocks of channels."""

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Depth to space."""
        b = int(self.node.attributes["blocksize"])
        n, c, h, w = tensors.shape(self.node.inputs[0])
        blocks = relevance.reshape(n, b, b, c, h // b, w // b)
        return (blocks.transpose(0, 3, 4, 1, 5, 2).reshape(n, c, h, w),)
