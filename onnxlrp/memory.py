"""What is kept from one sweep to the next, within a budget: the least recently used goes first."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, NamedTuple


class _Entry(NamedTuple):
    value: Any
    nbytes: int
    group: Hashable


class Memory:
    """A store of arrays (or of what holds them) that forgets what was not asked for longest.

    Several threads may use it at once.

    Parameters
    ----------
    budget : int
        Bytes that may be held; 0 keeps nothing.
    alike : int, optional
        How many values of one group may be held; as many as there is room for, unless given.

    Examples
    --------
    >>> memory = Memory(budget=100)
    >>> memory.put("a", "first", 60)
    >>> memory.put("b", "second", 60)
    >>> memory.get("a") is None, memory.get("b"), memory.nbytes
    (True, 'second', 60)
    """

    def __init__(self, budget: int, alike: int | None = None) -> None:
        self.budget = budget
        self.alike = alike
        self.nbytes = 0
        self._held: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._groups: dict[Hashable, OrderedDict[Hashable, None]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any | None:
        """What is held under a key, or None; it counts as used now."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            entry = self._held[key]
            if entry.group is not None:
                self._groups[entry.group].move_to_end(key)
            return entry.value

    def put(self, key: Hashable, value: Any, nbytes: int, group: Hashable = None) -> None:
        """Hold a value of that size under a key; forget others if need be, of its group first."""
        with self._lock:
            if key in self._held:
                self._drop(key)
            if nbytes > self.budget:
                return
            alike = self._groups.setdefault(group, OrderedDict()) if group is not None else {}
            if self.alike is not None and len(alike) >= self.alike:
                self._drop(next(iter(alike)))
            while self.nbytes + nbytes > self.budget:
                self._drop(next(iter(self._held)))
            self._held[key] = _Entry(value, nbytes, group)
            alike[key] = None
            self.nbytes += nbytes

    def _drop(self, key: Hashable) -> None:
        _, nbytes, group = self._held.pop(key)
        self.nbytes -= nbytes
        if group is not None:
            del self._groups[group][key]


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
