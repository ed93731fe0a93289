"""Memory that a thread uses again for every block: a sweep allocates its results only."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

_held = threading.local()

#: Bytes of a cache line: a vector that lies across two of them is read and written twice as slowly.
_LINE = 64


def aligned(size: int) -> NDArray[np.float32]:
    """Return `size` float32 numbers, holding anything, that begin a cache line."""
    whole = np.empty(size + _LINE // 4, np.float32)
    return whole[-whole.ctypes.data % _LINE // 4 :][:size]


def scratch(name: str, size: int) -> NDArray[np.float32]:
    """Return `size` float32 numbers of the calling thread, holding anything; it grows as needed.

    They begin at the start of a cache line.
    """
    memory: NDArray[np.float32] | None = getattr(_held, name, None)
    if memory is None or memory.size < size:
        memory = aligned(size)
        setattr(_held, name, memory)
    return memory[:size]
