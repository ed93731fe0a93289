"""Layers that a sweep passes one after another, on one tape if that can be."""

from __future__ import annotations

import threading
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import NamedTuple

from onnxlrp.kernels import Tape, address
from onnxlrp.ops.base import Array, Shape, Tensors
from onnxlrp.plan import Plan, Step

Pending = MutableMapping[str, Array]
"""Relevance on its way: tensor name → R."""


class Source(NamedTuple):
    """A tensor's activations, or the relevance that has arrived at it."""

    tensor: str
    is_value: bool

    def array(self, pending: Pending, tensors: Tensors) -> Array:
        """What it is this time."""
        return tensors.value(self.tensor) if self.is_value else pending[self.tensor]


@dataclass(frozen=True)
class Passage:
    """Some layers, one after another: all of them on one tape, or none.

    Attributes
    ----------
    steps : tuple of Step
    tape : Tape or None
    reads : tuple of Source
        What the tape is told, in its order.
    same : tuple of (Source, int)
        What must be the same array as one of those.
    taken : tuple of str
        Whose relevance is used up.
    given : mapping of str to ndarray, float32
        Where the tape leaves relevance.
    passed : mapping of str to (Source, shape)
        Tensor → another one, whose relevance it gets.
    proven : frozenset of str
        Tensors that prove finite when the tape is played.
    """

    steps: tuple[Step, ...]
    tape: Tape | None = None
    reads: tuple[Source, ...] = ()
    same: tuple[tuple[Source, int], ...] = ()
    taken: tuple[str, ...] = ()
    given: Mapping[str, Array] = field(default_factory=dict)
    passed: Mapping[str, tuple[Source, Shape]] = field(default_factory=dict)
    proven: frozenset[str] = frozenset()

    def play(self, pending: Pending, tensors: Tensors) -> bool:
        """Hand relevance down; False where that has to be done layer by layer."""
        if self.tape is None:
            return False
        arrays = [source.array(pending, tensors) for source in self.reads]
        if not all([array.flags.c_contiguous for array in arrays]):
            return False
        for source, number in self.same:
            if address(source.array(pending, tensors)) != address(arrays[number]):
                return False
        if not self.tape.play(arrays):
            return False
        passed = {
            name: source.array(pending, tensors).reshape(shape)
            for name, (source, shape) in self.passed.items()
        }
        for name in self.taken:
            del pending[name]
        pending.update(self.given)
        pending.update(passed)
        return True


@dataclass(frozen=True)
class Recording:
    """A sweep that can be played; by one thread at a time, for its memory is its own.

    Attributes
    ----------
    plan : Plan
    passages : tuple of Passage
    memory : ndarray, float32
        Where the tapes write: they know it by its addresses alone.
    """

    plan: Plan
    passages: tuple[Passage, ...]
    memory: Array
    lock: threading.Lock = field(default_factory=threading.Lock)
