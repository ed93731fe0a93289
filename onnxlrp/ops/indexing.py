"""Elements picked and put by index: Slice, Gather, Scatter, Trilu; indices are held fixed."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Move, Shape, Tensors, operation

Indices = NDArray[np.int64]


def gather_adjoint(relevance: Array, source: Indices, axis: int, size: int) -> Array:
    """Adjoint of out[k] = x[source[k]] along one axis of ``size`` elements; −1 copies nothing."""
    moved = np.moveaxis(relevance, axis, 0)
    out = np.zeros((size, *moved.shape[1:]), np.float32)
    kept = np.flatnonzero(source >= 0)
    order = kept[np.argsort(source[kept], kind="stable")]
    targets, first = np.unique(source[order], return_index=True)
    if targets.size:
        out[targets] = np.add.reduceat(moved[order], first, axis=0)
    return np.moveaxis(out, 0, axis)


@operation("Slice")
class Slice(Move):
    """A part of a tensor; what was left out gets no relevance."""

    def values(self) -> tuple[str, ...]:
        """Where it is cut, if that is computed."""
        return self.computed(1, 2, 3, 4)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Back to the place the part was taken from."""
        out = np.zeros(tensors.shape(self.node.inputs[0]), np.float32)
        out[self._window(out.ndim, tensors)] = relevance
        return (out,)

    def _window(self, rank: int, tensors: Tensors) -> tuple[slice, ...]:
        """The part, as NumPy writes it; given by attributes up to opset 9, by inputs after."""
        given = self.node.attributes
        starts, ends, axes, steps = (
            given.get(name) if "starts" in given else self.setting(position, tensors)
            for position, name in enumerate(("starts", "ends", "axes", "steps"), start=1)
        )
        assert starts is not None and ends is not None
        window = [slice(None)] * rank
        for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
            axis = i if axes is None else int(axes[i])
            step = 1 if steps is None else int(steps[i])
            # A negative step may run past element 0, which Python writes as None, not as a number.
            stop = None if step < 0 and end < -(2**31) + 1 else int(end)
            window[axis] = slice(int(start), stop, step)
        return tuple(window)


@operation("Gather")
class Gather(Move):
    """Elements picked by index along one axis; one picked twice adds up."""

    def values(self) -> tuple[str, ...]:
        """The indices, if they are computed."""
        return self.computed(1)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Add every relevance to the element it was picked from."""
        indices = np.asarray(self.setting(1, tensors))
        shape = tensors.shape(self.node.inputs[0])
        axis = int(self.node.attributes.get("axis", 0)) % len(shape)
        flat = relevance.reshape(*shape[:axis], indices.size, *shape[axis + 1 :])
        return (gather_adjoint(flat, indices.reshape(-1) % shape[axis], axis, shape[axis]),)


class IndexedGather(Move):
    """Elements picked one by one: out.flat = x.flat[source]."""

    def values(self) -> tuple[str, ...]:
        """The indices, if they are computed."""
        return self.computed(1)

    def place(self, indices: Indices, shape: Shape) -> tuple[Any, ...]:
        """The index, as NumPy writes it, of what is picked from a tensor of this shape."""
        raise NotImplementedError

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Add every relevance to the element it was picked from."""
        shape = tensors.shape(self.node.inputs[0])
        indices = np.asarray(self.setting(1, tensors))
        source = np.arange(np.prod(shape)).reshape(shape)[self.place(indices, shape)]
        check_batch(self, source.shape, relevance.shape)
        flat = gather_adjoint(relevance.reshape(-1), source.reshape(-1), 0, int(np.prod(shape)))
        return (flat.reshape(shape),)


@operation("GatherElements")
class GatherElements(IndexedGather):
    """out[i, j, …] = x[indices[i, j, …], j, …] along an axis."""

    def place(self, indices: Indices, shape: Shape) -> tuple[Any, ...]:
        """The place itself, but along the axis."""
        return along_axis(indices, int(self.node.attributes.get("axis", 0)), shape)


@operation("GatherND")
class GatherND(IndexedGather):
    """Slices picked by the tuples along the last axis of the indices."""

    def place(self, indices: Indices, shape: Shape) -> tuple[Any, ...]:
        """The batch axes themselves, then the tuple."""
        batch = int(self.node.attributes.get("batch_dims", 0))
        lead = np.indices(indices.shape[:-1], sparse=True)[:batch]
        return (*lead, *np.moveaxis(indices, -1, 0))


class Scatter(Move):
    """A copy of the data in which some elements are replaced by updates (the last one counts)."""

    treatment: ClassVar[str] = "moves relevance back exactly; constants keep their share"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.signals = tuple(i for i in layer.signals if i != 1)
        reduction = str(self.node.attributes.get("reduction", "none"))
        if reduction != "none":
            raise self.unsupported(f"reduction {reduction!r} has no rule here; add them with Add")

    def nonnegative(self, inputs: bool) -> bool:
        """Whether what is constant is not negative either."""
        fixed = [i for i in (0, 2) if i not in self.signals]
        return inputs and all(
            self.is_constant(i) and bool(np.all(np.asarray(self.constant(i)) >= 0)) for i in fixed
        )

    def values(self) -> tuple[str, ...]:
        """The indices, if they are computed."""
        return self.computed(1)

    def place(self, indices: Indices, shape: Shape) -> tuple[Any, ...]:
        """The index, as NumPy writes it, of what is replaced in a tensor of this shape."""
        raise NotImplementedError

    def _parts(self, relevance: Array, tensors: Tensors) -> tuple[Array, Array]:
        """Relevance of the data and of the updates."""
        shape = tensors.shape(self.node.inputs[2])
        indices = np.asarray(self.setting(1, tensors))
        update = np.full(relevance.shape, -1, np.int64)
        where = self.place(indices, relevance.shape)
        check_batch(self, update[where].shape, shape)
        update[where] = np.arange(np.prod(shape)).reshape(shape)
        replaced = update >= 0
        to_updates = np.zeros(int(np.prod(shape)), np.float32)
        to_updates[update[replaced]] = relevance[replaced]
        return np.where(replaced, np.float32(0), relevance), to_updates.reshape(shape)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R to whoever stands there."""
        data, updates = self._parts(relevance, tensors)
        return tuple(data if i == 0 else updates for i in self.signals)

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """The constants' part."""
        data, updates = self._parts(relevance, tensors)
        if len(self.signals) == 2:
            return None, None
        return (updates if self.signals == (0,) else data), None


@operation("ScatterElements", "Scatter")
class ScatterElements(Scatter):
    """out[indices[i, j, …], j, …] = updates[i, j, …] along an axis."""

    def place(self, indices: Indices, shape: Shape) -> tuple[Any, ...]:
        """The place itself, but along the axis."""
        return along_axis(indices, int(self.node.attributes.get("axis", 0)), shape)


@operation("ScatterND")
class ScatterND(Scatter):
    """Slices replaced at the tuples along the last axis of the indices."""

    def place(self, indices: Indices, shape: Shape) -> tuple[Any, ...]:
        """The tuple."""
        return tuple(np.moveaxis(indices, -1, 0))


def along_axis(indices: Indices, axis: int, shape: Shape) -> tuple[Any, ...]:
    """The index of elements that keep their place but along one axis."""
    place: list[Any] = list(np.indices(indices.shape, sparse=True))
    place[axis] = indices
    return tuple(place)


def check_batch(op: Move, told: Shape, came: Shape) -> None:
    """Refuse indices that were made for another number of pictures."""
    if told != came:
        raise op.unsupported(
            f"its indices are for a tensor of shape {told}, {came} came; "
            "explain as many pictures at a time as the file was made for"
        )


@operation("Trilu")
class Trilu(Move):
    """The upper or lower triangle of matrices; the rest is 0 and gets no relevance."""

    treatment: ClassVar[str] = "moves relevance back exactly; the zeros keep their share"

    def values(self) -> tuple[str, ...]:
        """Which diagonal, if that is computed."""
        return self.computed(1)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """The same triangle of R."""
        given = self.setting(1, tensors)
        k = 0 if given is None else int(given.reshape(-1)[0])
        cut = np.triu if self.node.attributes.get("upper", 1) else np.tril
        return (np.asarray(cut(relevance, k), np.float32),)

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """The other triangle of R."""
        (kept,) = self.propagate(relevance, tensors)
        return relevance - kept, None
