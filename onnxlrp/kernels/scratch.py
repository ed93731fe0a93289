"""Where arrays lie, and memory that a thread uses again: a sweep allocates its results only."""

from __future__ import annotations

import threading
from ctypes import addressof, c_byte
from typing import Any

import numpy as np
from numpy.typing import NDArray

_held = threading.local()

#: Bytes of a cache line: a vector that lies across two of them is read and written twice as slowly.
_LINE = 64
#: Bytes of a large page, and of memory for which NumPy asks the system for those. A processor knows
#: by heart where some pages lie, and must look up where others do.
_PAGE, _LARGE = 2**21, 2**22


def aligned(size: int) -> NDArray[np.float32]:
    """Return `size` float32 numbers, holding anything, that begin a cache line, or a large page."""
    line = _PAGE if 4 * size >= _LARGE else _LINE
    whole = np.empty(size + line // 4, np.float32)
    return whole[-whole.ctypes.data % line // 4 :][:size]


class _Shelf:
    """Memory in large pages for arrays that are kept for long, one after another.

    A page's memory is free again when none of the arrays in it is alive.
    """

    def __init__(self) -> None:
        self._free = aligned(0)
        self._lock = threading.Lock()

    def take(self, size: int) -> NDArray[np.float32]:
        """`size` numbers, holding anything, that begin a cache line."""
        if 4 * size >= _LARGE:
            return aligned(size)
        with self._lock:
            if self._free.size < size:
                self._free = aligned(_LARGE // 4)
            taken = self._free[:size]
            self._free = self._free[-(-size // 16) * 16 :]
            return taken


_shelf = _Shelf()


def kept(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the numbers of an array in a flat one that will live for long, in C order."""
    copy = _shelf.take(array.size)
    copy.reshape(array.shape)[...] = array
    return copy


def address(array: NDArray[Any]) -> int:
    """Where the numbers of an array in C order lie: what `array.ctypes.data` says, in less time."""
    try:
        return addressof(c_byte.from_buffer(array))  # type: ignore[arg-type]  # it is a buffer
    except (TypeError, ValueError):  # nothing may be written there, or nothing is there
        return array.ctypes.data


def scratch(name: str, size: int) -> NDArray[np.float32]:
    """Return `size` float32 numbers of the calling thread, holding anything; it grows as needed.

    They begin at the start of a cache line.
    """
    memory: NDArray[np.float32] | None = getattr(_held, name, None)
    if memory is None or memory.size < size:
        memory = aligned(size)
        setattr(_held, name, memory)
    return memory[:size]
