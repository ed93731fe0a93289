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


def aligned(size: int) -> NDArray[np.float32]:
    """Return `size` float32 numbers, holding anything, that begin a cache line."""
    whole = np.empty(size + _LINE // 4, np.float32)
    return whole[-whole.ctypes.data % _LINE // 4 :][:size]


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
