"""Moves: operators that put elements elsewhere; relevance goes back exactly the way they came."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Move, Tensors, operation
from onnxlrp.ops.broadcast import sum_to_shape


@operation("Reshape", "Flatten", "Squeeze", "Unsqueeze")
class Reshape(Move):
    """The same elements in the same order, in another shape."""

    passes_silence = True

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Back to the input's shape."""
        return (relevance.reshape(tensors.shape(self.node.inputs[0])),)


@operation("Transpose")
class Transpose(Move):
    """Axes in another order (reversed, if no order is given)."""

    passes_silence = True

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """The inverse permutation."""
        perm = self.node.attributes.get("perm") or tuple(reversed(range(relevance.ndim)))
        return (np.transpose(relevance, np.argsort(perm)),)


@operation("Concat")
class Concat(Move):
    """Tensors side by side; every one gets its own part back, constants keep theirs."""

    treatment: ClassVar[str] = "moves relevance back exactly; constants keep their share"
    passes_silence = True

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.signals = layer.signals

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the constants among the inputs are not negative either."""
        fixed = [i for i in range(len(self.node.inputs)) if i not in self.signals]
        return inputs and all(
            self.is_constant(i) and bool(np.all(np.asarray(self.constant(i)) >= 0)) for i in fixed
        )

    def _parts(self, relevance: Array, tensors: Tensors) -> list[Array]:
        """Cut along the axis where the inputs were joined."""
        axis = int(self.node.attributes["axis"])
        sizes = [tensors.shape(name)[axis] for name in self.node.inputs]
        return np.split(relevance, np.cumsum(sizes)[:-1], axis=axis)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """To every signal its part."""
        parts = self._parts(relevance, tensors)
        return tuple(parts[i] for i in self.signals)

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """The constants' parts."""
        if len(self.signals) == len(self.node.inputs):
            return None, None
        parts = self._parts(relevance, tensors)
        kept = [0 * part if i in self.signals else part for i, part in enumerate(parts)]
        return np.concatenate(kept, axis=int(self.node.attributes["axis"])), None


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
