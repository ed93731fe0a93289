"""Where the recordings of a model's sweeps are kept, and when they are made."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

from onnxlrp.kernels import get_num_threads
from onnxlrp.maps import Maps
from onnxlrp.memory import Memory
from onnxlrp.ops.base import Shape, Tensors
from onnxlrp.plan import Plan, Step
from onnxlrp.recordings.passage import Passage, Pending, Recording
from onnxlrp.recordings.recorder import Recorder

RECORDINGS_BUDGET = 2**28
"""Bytes that a model's recordings take at most: 256 MiB."""

_BYTES = 8
"""For every element that relevance passes: R and a ratio, while a sweep is recorded."""

_MARK = 2**20
"""Bytes that a sweep counts for that was done once: so many are remembered at most."""

Key = tuple[int, tuple[Shape, ...], int]
"""What decides about a sweep's tasks: its plan, the tensors' shapes, the number of threads."""


class Turn(NamedTuple):
    """How a sweep is carried out: by these passages, each step on its own in a context."""

    passages: tuple[Passage, ...]
    watch: Callable[[Step, Pending, Tensors, Set[str]], AbstractContextManager[None]]


class Recordings:
    """The recordings of a model's sweeps: made when one is done the second time.

    Parameters
    ----------
    budget : int
        Bytes of memory for what they write; those that were not played for longest go first.
    """

    def __init__(self, budget: int = RECORDINGS_BUDGET) -> None:
        self.budget = budget
        self._kept = Memory(budget)
        self._dropped = 0

    @property
    def nbytes(self) -> int:
        """Memory held, with what counts for sweeps that were done once."""
        return self._kept.nbytes

    @contextmanager
    def turn(self, plan: Plan, shapes: Sequence[Shape], maps: Maps) -> Iterator[Turn]:
        """Context in which a sweep is carried out: as it was recorded, or step by step.

        Parameters
        ----------
        plan : Plan
        shapes : sequence of shapes
            Of all tensors that relevance passes.
        maps : Maps
            Recordings hold on to what it has dropped: then they are all forgotten.
        """
        key = id(plan), tuple(shapes), get_num_threads()  # what is kept keeps the plan as well
        found = self._find(key, plan, maps)
        if isinstance(found, Recording) and found.lock.acquire(blocking=False):
            try:
                yield Turn(found.passages, _watch_none)
            finally:
                found.lock.release()
        elif isinstance(found, Recorder):
            yield Turn((Passage(plan.steps),), found.step)
            recording = found.recording()
            self._kept.put(key, recording, recording.memory.nbytes + _MARK)
        else:
            yield Turn((Passage(plan.steps),), _watch_none)

    def _find(self, key: Key, plan: Plan, maps: Maps) -> Recording | Recorder | None:
        """The recording of a sweep; or who makes one; or neither, if it is too large or too new."""
        if self._dropped != maps.dropped:
            self._dropped = maps.dropped
            self._kept = Memory(self.budget)
        found: Recording | Plan | None = self._kept.get(key)
        if isinstance(found, Recording):
            return found
        if sum(map(math.prod, key[1])) * _BYTES > self.budget:
            return None
        if found is not None:
            return Recorder(plan, maps.all_constants)
        self._kept.put(key, plan, _MARK)
        return None


def _watch_none(*step: object) -> AbstractContextManager[None]:
    return nullcontext()
