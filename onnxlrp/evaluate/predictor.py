"""One tensor for many pictures, the explained outputs say, through one plain session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelError, NumericalError
from onnxlrp.evaluate.checks import whole_number
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.session import Sessions

Array = NDArray[np.float32]

BATCH = 16
"""Pictures run at once, at most."""

NUMBERS = 2**20
"""Input numbers run at once: larger batches save nothing and take memory."""


class Predictor:
    """Runs pictures through a model, in batches, for one tensor and nothing else.

    Parameters
    ----------
    model : Model
    device : "auto", "cpu" or "cuda"
    batch : int, optional
        Pictures run at once; None: as many as pay. A model of a fixed batch keeps its own.
    tensor : str, optional
        None: the explained output.

    Raises
    ------
    InputError
        A batch of less than 1.
    """

    def __init__(
        self,
        model: Model,
        device: Device = "auto",
        batch: int | None = None,
        tensor: str | None = None,
    ) -> None:
        self._model = model
        self.tensor = tensor or model.explained
        self._batch = None if batch is None else whole_number("batch", batch)
        self._sessions = plain_sessions(model, device)

    @property
    def provider(self) -> str:
        """The onnxruntime provider that runs the model."""
        return str(self._sessions.provider)

    def predict(self, x: NDArray[Any]) -> Array:
        """Return the tensor for a checked input: (N, …)."""
        return np.stack(list(self.stream(x)))

    def stream(self, pictures: Iterable[NDArray[Any]]) -> Iterator[Array]:
        """Yield the tensor (…) of one picture after the other.

        Pictures are copied as they come, so one array may be changed and handed over again.

        Raises
        ------
        ModelError
            onnxruntime cannot run the model, or the network mixes its batch.
        NumericalError
            It holds NaN or Inf.
        """
        waiting = iter(pictures)
        first = next(waiting, None)
        if first is None:
            return
        size = self._model.fixed_batch or self._batch or affordable_batch(first.size)
        buffer = np.empty((size, *first.shape), first.dtype)
        waiting = chain([first], waiting)
        while True:
            filled = 0
            for filled, picture in enumerate(islice(waiting, size), start=1):
                buffer[filled - 1] = picture
            if not filled:
                return
            yield from self._run(buffer, filled)

    def _run(self, buffer: NDArray[Any], filled: int) -> Array:
        """Run one batch; a model of a fixed batch gets all of it, padded with its first picture."""
        count = len(buffer) if self._model.fixed_batch else filled
        if count > filled:
            buffer[filled:] = buffer[0]
        output = self._sessions.run(buffer[:count], [self.tensor])[self.tensor]
        if output.shape[:1] != (count,):
            raise ModelError(
                f"{self._model.name}: {count} pictures at once came out with shape "
                f"{output.shape}; the network mixes its batch: pass batch=1."
            )
        outputs = np.asarray(output[:filled], np.float32)
        if not np.isfinite(outputs).all():
            raise NumericalError(
                f"{self._model.name}: the output of a picture is NaN or Inf. Check the "
                "preprocessing, or use another fill."
            )
        return outputs


def plain_sessions(model: Model, device: Device, threads: int | None = None) -> Sessions:
    """Return the sessions without extra outputs, opened on first use; with so many threads then."""
    key = f"plain sessions on {device}"
    found = model.derived.get(key) or model.derived.setdefault(
        key, Sessions(model, device, threads)
    )
    assert isinstance(found, Sessions)
    return found


def affordable_batch(numbers: int) -> int:
    """How many pictures of so many numbers to run at once."""
    return max(1, min(BATCH, NUMBERS // numbers))
