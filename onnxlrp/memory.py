"""What is kept from one sweep to the next, within a budget: the least recently used goes first."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any


class Memory:
    """A store of arrays (or of what holds them) that forgets what was not asked for longest.

    Several threads may use it at once.

    Parameters
    ----------
    budget : int
        Bytes that may be held; 0 keeps nothing.

    Examples
    --------
    >>> memory = Memory(budget=100)
    >>> memory.put("a", "first", 60)
    >>> memory.put("b", "second", 60)
    >>> memory.get("a") is None, memory.get("b"), memory.nbytes
    (True, 'second', 60)
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.nbytes = 0
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any | None:
        """What is held under a key, or None; it counts as used now."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: Hashable, value: Any, nbytes: int) -> None:
        """Hold a value of that size under a key; forget others if need be."""
        with self._lock:
            self._drop(key)
            if nbytes > self.budget:
                return
            while self.nbytes + nbytes > self.budget:
                self._drop(next(iter(self._held)))
            self._held[key] = (value, nbytes)
            self.nbytes += nbytes

    def _drop(self, key: Hashable) -> None:
        _, nbytes = self._held.pop(key, (None, 0))
        self.nbytes -= nbytes


class Trail:
    """Names the way a sweep has come: one number for every start and sequence of steps.

    Two sweeps that began alike and took the same steps so far have the same number, so what the
    first one held then is what the second one holds now.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, Hashable], int] = {}
        self._count = itertools.count(1)  # one next() is atomic: no two ways have one number

    def number(self, before: int, step: Hashable) -> int:
        """The number of the way ``before``, followed by a step (0 is where all ways begin)."""
        key = (before, step)
        if key not in self._numbers:
            self._numbers.setdefault(key, next(self._count))
        return self._numbers[key]
