"""A method's turn in a comparison: the seconds of one call, whoever makes it.

A call that takes long says enough. A short one is made again, and the median counts: after another
process had the cores for a second, the first call finds cold caches, and its threads may share a
core for a while. onnxlrp, onnxruntime and the peers are all timed so.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

PAUSE = 0.05
"""Seconds before a measurement, in which threads of the last one that wait busily go to sleep."""

SECONDS = 1.0
"""How long the calls of a turn take together, after the first one, about."""

CALLS = 5
"""Calls of a turn that count, at most."""


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one call."""
    time.sleep(PAUSE)
    start = clock()
    work()
    return clock() - start


def turn(work: Callable[[], object]) -> float:
    """Seconds of a call: the only one, or the median of those after the first if it is short."""
    first = seconds(work)
    again = min(CALLS, int(SECONDS / first))
    return statistics.median(seconds(work) for _ in range(again)) if again else first
