"""One small pool of threads for all kernels, and the numeric state that a sweep runs in.

Work is cut into blocks by the callers, never by the number of threads: the same blocks run on one
thread or on many, so results are the same bits.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from onnxlrp.errors import RuntimeSetupError
from onnxlrp.kernels import _denormals

Job = Callable[[], None]


class _Batch:
    """Jobs that were submitted together; whoever is free takes the next one."""

    def __init__(self, jobs: Sequence[Job]):
        self._jobs = jobs
        self._next = itertools.count()  # one next() is atomic: no two threads take one job
        self._left = len(jobs)
        self._lock = threading.Lock()
        self._running = threading.Lock()  # held until the last job has ended
        self._running.acquire()
        self.error: BaseException | None = None

    def work(self) -> None:
        """Take jobs until none is left."""
        done = 0
        while (index := next(self._next)) < len(self._jobs):
            if self.error is None:
                try:
                    self._jobs[index]()
                except BaseException as error:  # handed to the caller by wait()
                    self.error = error
            done += 1
        if done:
            self._count(done)

    def wait(self) -> None:
        """Wait until every job has ended; raise what the first failing job raised."""
        self._running.acquire()
        if self.error is not None:
            raise self.error

    def _count(self, done: int) -> None:
        with self._lock:
            self._left -= done
            if self._left == 0:
                self._running.release()


class _Pool:
    """Daemon threads that wait for batches."""

    def __init__(self, workers: int):
        self.workers = workers
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        for number in range(workers):
            name = f"onnxlrp-kernel-{number}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def submit(self, batch: _Batch, helpers: int) -> None:
        """Ask this many workers to help with a batch."""
        for _ in range(min(helpers, self.workers)):
            self._queue.put(batch)

    def close(self) -> None:
        """Let the workers end once they are idle."""
        for _ in range(self.workers):
            self._queue.put(None)

    def _serve(self) -> None:
        _state.inside = True
        _denormals.flush()
        while (batch := self._queue.get()) is not None:
            batch.work()
            del batch  # an idle worker keeps no arrays alive


class _ThreadState(threading.local):
    """What a thread remembers: whether it is running a job, how deep it is in sweeps."""

    inside: bool = False
    sweeps: int = 0
    control: int = 0


def _available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Settings:
    """The pool and the limits on BLAS: the only mutable state of the kernels."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.threads = _available_cores()
        self.pool: _Pool | None = None
        self.sweeps = 0
        self.blas: Any = None
        self.modules = 0
        self.blas_limit: Any = None


_state = _ThreadState()
_settings = _Settings()


def _forget_after_fork() -> None:
    """Start afresh in a forked child: neither worker threads nor other threads' locks live on."""
    global _settings
    parent, _settings = _settings, _Settings()
    _settings.threads, _settings.blas = parent.threads, parent.blas
    _settings.modules = parent.modules
    _settings.sweeps, _settings.blas_limit = min(_state.sweeps, 1), parent.blas_limit
    if _settings.sweeps == 0:
        _release_blas()
    _state.inside = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def get_num_threads() -> int:
    """Return how many threads share the kernels' work, the calling one included."""
    return _settings.threads


def set_num_threads(count: int) -> None:
    """Let this many threads share the kernels' work, the calling one included.

    Results do not depend on the number.

    Raises
    ------
    RuntimeSetupError
        If `count` is less than 1.

    Examples
    --------
    >>> set_num_threads(get_num_threads())
    """
    if count < 1:
        raise RuntimeSetupError(f"the number of threads must be at least 1, but {count} was asked")
    with _settings.lock:
        _settings.threads = int(count)
        if _settings.pool is not None:
            _settings.pool.close()
            _settings.pool = None


#: Seconds of work below which the calling thread is done before another one has woken up.
_WORTH = 1e-4


def run(jobs: Sequence[Job], seconds: float = math.inf) -> None:
    """Run independent jobs on the pool, the calling thread working too, and wait for them all.

    A job that itself calls `run` works its own jobs off one after another. The first exception is
    raised here, when no job is running any more; jobs not yet begun are then left out.

    Parameters
    ----------
    jobs : sequence of callables without arguments
        Each writes memory that no other job touches.
    seconds : float, optional
        What all of them take one thread, about: little work is done by the calling thread alone.
    """
    helpers = min(_settings.threads, len(jobs)) - 1
    if helpers < 1 or _state.inside or seconds < _WORTH:
        for job in jobs:
            job()
        return
    batch = _Batch(jobs)
    _shared_pool().submit(batch, helpers)
    _state.inside = True
    try:
        batch.work()
    finally:
        _state.inside = False
    batch.wait()


def _shared_pool() -> _Pool:
    with _settings.lock:
        if _settings.pool is None:
            _settings.pool = _Pool(_settings.threads - 1)
        return _settings.pool


class _Sweep:
    """Context in which the pool splits the work alone and denormals count as zero."""

    def __enter__(self) -> None:
        if _state.sweeps == 0:
            _limit_blas()
            _state.control = _denormals.flush()
        _state.sweeps += 1

    def __exit__(self, *exception: object) -> None:
        _state.sweeps -= 1
        if _state.sweeps == 0:
            _denormals.restore(_state.control)
            _leave_blas()


_sweep = _Sweep()


def sweep_threads() -> _Sweep:
    """Context of all kernels: BLAS keeps to one thread a caller, and denormals count as zero.

    Each kernel enters it by itself; entered once around many kernels it costs nothing for each.
    May be nested and entered by several threads at once; when the last one leaves, BLAS has its
    threads back.

    Examples
    --------
    >>> with sweep_threads():
    ...     run([lambda: None])
    """
    return _sweep


def _limit_blas() -> None:
    with _settings.lock:
        _settings.sweeps += 1
        if _settings.sweeps > 1:
            return
        if _settings.modules != len(sys.modules):
            # Imported late, and kept: finding the loaded BLAS libraries takes milliseconds. Another
            # one can have come with a module that was imported since.
            from threadpoolctl import ThreadpoolController

            _settings.blas = ThreadpoolController().select(user_api="blas")
            _settings.modules = len(sys.modules)
        _settings.blas_limit = [
            (library, library.num_threads) for library in _settings.blas.lib_controllers
        ]
        _set_blas_threads([(library, 1) for library, _ in _settings.blas_limit])


def _leave_blas() -> None:
    with _settings.lock:
        _settings.sweeps -= 1
        if _settings.sweeps == 0:
            _release_blas()


def _release_blas() -> None:
    """Give BLAS the number of threads that it had."""
    if _settings.blas_limit is not None:
        _set_blas_threads(_settings.blas_limit)
        _settings.blas_limit = None


def _set_blas_threads(counts: list[tuple[Any, int]]) -> None:
    """Set the threads of each BLAS library, whichever thread did so before or will do so next."""
    for library, count in counts:
        # Later versions of threadpoolctl let one thread alone change OpenBLAS, until it is freed.
        free = getattr(library, "clear_controlling_thread", lambda force: None)
        free(force=True)
        library.set_num_threads(count)
        free(force=True)
