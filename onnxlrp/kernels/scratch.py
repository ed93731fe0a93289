"""Memory that a thread uses again for every block: a sweep allocates its results only."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

_held = threading.local()


def scratch(name: str, size: int) -> NDArray[np.float32]:
    """Return `size` float32 numbers of the calling thread, holding anything; it grows as needed."""
    memory: NDArray[np.float32] | None = getattr(_held, name, None)
    if memory is None or memory.size < size:
        memory = np.empty(size, np.float32)
        setattr(_held, name, memory)
    return memory[:size]
