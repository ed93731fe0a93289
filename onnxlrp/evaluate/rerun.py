"""Running only the part of a network that follows some tensors, with these tensors changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelError, NumericalError
from onnxlrp.evaluate.checks import whole_number
from onnxlrp.explainer import Workspace
from onnxlrp.graph.model import Model
from onnxlrp.runtime.activations import Activations
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.tails import Tails

Array = NDArray[np.float32]

ROWS = 64
"""Rows of a batch, at most: more of them save next to nothing."""

BYTES = 2**27
"""What the largest tensor of a batch may take."""


@dataclass(frozen=True, slots=True, eq=False)
class Replacement:
    """What becomes of a tensor T of one picture: T·keep + value.

    Attributes
    ----------
    keep : ndarray, bool
    value : ndarray, float32
        Both as many axes as T without its batch axis, and broadcast to it.
    """

    keep: NDArray[np.bool_]
    value: Array


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One run of the tail: a picture's number, and what is changed, by tensor."""

    picture: int
    replaced: Mapping[str, Replacement]


class Rerun:
    """Some pictures, ready for what follows some tensors to be run again and again.

    The whole network runs once, and no further than needed.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
    tensors : iterable of str
        Names of the tensors that may be changed.
    device : "auto", "cpu" or "cuda"
    batch : int, optional
        Rows run at once; None: as many as memory and the model's own batch allow.

    Raises
    ------
    InputError
        ``x`` does not fit the model, or a batch that makes no sense.
    ModelError
        A tensor that cannot be changed; says why.
    """

    def __init__(
        self,
        model: Model,
        x: Any,
        tensors: Iterable[str],
        device: Device = "auto",
        batch: int | None = None,
    ) -> None:
        if batch is not None:
            whole_number("batch", batch)
        self._model = model
        self._forward = Workspace.of(model).forward(device, "single")
        self._activations = Activations(self._forward, x)
        self._runnable = Tails.of(model).after(tensors)
        self._tail = self._runnable.tail
        self.tensors = tuple(self._tail.replaced)
        self._activations.fetch([*self.tensors, *self._tail.fed])
        self.pictures = self._activations.shape(model.input.name)[0]
        for name in (*self.tensors, *self._tail.fed):
            self._check_batch_axis(name)
        self._batch = model.fixed_batch or batch or self._affordable()

    def value(self, tensor: str) -> Array:
        """Return a tensor as the unchanged network has it."""
        return self._activations.value(tensor)

    def unchanged(self, picture: int) -> Row:
        """Return the row that changes nothing."""
        ranks = {name: self.value(name).ndim - 1 for name in self.tensors}
        same = {
            name: Replacement(np.ones((1,) * rank, np.bool_), np.zeros((1,) * rank, np.float32))
            for name, rank in ranks.items()
        }
        return Row(picture, same)

    def outputs(self, rows: Iterable[Row]) -> Array:
        """Compute the explained outputs of every row, (rows, classes).

        Raises
        ------
        NumericalError
            An output became NaN or Inf.
        """
        return np.concatenate([outputs for _, outputs in self.batches(rows)])

    def batches(self, rows: Iterable[Row]) -> Iterator[tuple[list[Row], Array]]:
        """Yield the rows batch by batch with their explained outputs, (rows, classes).

        Raises
        ------
        NumericalError
            An output became NaN or Inf.
        """
        waiting = iter(rows)
        while chunk := list(islice(waiting, self._batch)):
            outputs = self._run(chunk)
            if not np.isfinite(outputs).all():
                raise NumericalError(
                    f"{self._model.name}: with {', '.join(self.tensors)} changed, the outputs "
                    "become NaN or Inf. Change less of it, or replace it by its mean."
                )
            yield chunk, outputs

    def _run(self, chunk: list[Row]) -> Array:
        """Run the tail on one batch."""
        count = self._model.fixed_batch or len(chunk)
        padded = [*chunk, *chunk[-1:] * (count - len(chunk))]
        arrays = dict(self._arrays(padded))
        output = self._runnable.run(arrays, self._forward.provider)
        if output.shape[:1] != (count,):
            raise ModelError(
                f"{self._model.name}: {count} rows at once came out with shape {output.shape}; the "
                "network mixes its batch: pass batch=1."
            )
        return np.asarray(output[: len(chunk)], np.float32).reshape(len(chunk), -1)

    def _arrays(self, rows: Sequence[Row]) -> Iterator[tuple[str, NDArray[Any]]]:
        """Yield the tail's inputs for these rows by name."""
        pictures = [row.picture for row in rows]
        few = pictures if len(set(pictures)) > 1 else pictures[:1]  # keep repeats a single one
        for name, arrays in self._tail.replaced.items():
            changes = [row.replaced[name] for row in rows]
            yield arrays.keep, _stacked([c.keep for c in changes]).astype(arrays.dtype)
            yield arrays.value, _stacked([c.value for c in changes]).astype(arrays.dtype)
            if not arrays.inner:
                yield arrays.raw, self.value(name)[few].astype(arrays.dtype, copy=False)
        for name, dtype in self._tail.fed.items():
            yield name, self.value(name)[pictures].astype(dtype, copy=False)
        for name, reader in self._tail.shapes.items():
            yield name, reader.of(self._shape(reader.tensor, len(rows)))

    def _shape(self, tensor: str, count: int) -> tuple[int, ...]:
        """Return a tensor's shape for that many rows."""
        x = self._activations.shape(self._model.input.name)
        static = self._forward.shapes((count, *x[1:]))
        if tensor in static:
            return static[tensor]
        self._check_batch_axis(tensor)
        return (count, *self._activations.shape(tensor)[1:])

    def _check_batch_axis(self, name: str) -> None:
        """Refuse a tensor that cannot be taken apart by pictures."""
        shape = self._activations.shape(name)
        if shape[:1] != (self.pictures,):
            raise ModelError(
                f"tensor {name!r} of shape {shape} has no batch axis in front, so it cannot be "
                "changed or kept picture by picture: choose another layer."
            )

    def _affordable(self) -> int:
        """How many rows fit into memory, judged by the largest tensor of the tail."""
        x = self._activations.shape(self._model.input.name)
        static = self._forward.shapes((1, *x[1:]))
        sizes = [math.prod(static[name]) for name in self._tail.tensors if name in static]
        sizes += [self.value(name)[0].size for name in self.tensors]
        return int(np.clip(BYTES // (4 * max(sizes)), 1, ROWS))


def _stacked(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Stack arrays that broadcast to one shape."""
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    return np.stack([np.broadcast_to(array, shape) for array in arrays])
