"""How work is spread over one crew of threads, and the numeric state that a sweep runs in."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onnxlrp.errors import RuntimeSetupError
from onnxlrp.kernels import _denormals
from onnxlrp.kernels._jit import config
from onnxlrp.kernels.crew import Batch, Crew, Job, Numbers, Task, do_alone


class _ThreadState(threading.local):
    """What a thread remembers: whether it runs a job, how deep it is in sweeps and in flushing."""

    inside: bool = False
    sweeps: int = 0
    flushing: int = 0
    control: int = 0
    recorder: Recorded | None = None


def available_cores(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores that this process may use: those it may run on, within its container's share of time.

    `groups` is where Linux says what a container may use; helpers beyond it would only spend it.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = cores or 1
    try:
        quota, period = (groups / "cpu.max").read_text().split()
    except (OSError, ValueError):  # no container, or of another kind
        return cores
    return cores if quota == "max" else max(1, min(cores, math.ceil(int(quota) / int(period))))


class _Settings:
    """The crew and the limits on BLAS: the only mutable state of the kernels."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.threads = available_cores()
        self.crew: Crew | None = None
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
        if _settings.crew is not None:
            _settings.crew.close()
            _settings.crew = None


#: Seconds of work below which the calling thread is done before another one has begun: where it
#: must be called to Python, and where it only looks at the board.
_WORTH, _WORTH_OF_TASKS = 1e-4, 2e-5


def run(jobs: Sequence[Job], seconds: float = math.inf) -> None:
    """Run independent jobs on the crew, the calling thread working too, and wait for them all.

    A job that itself calls `run` works its own jobs off one after another. The first exception is
    raised here, when no job is running any more; jobs not yet begun are then left out.

    Parameters
    ----------
    jobs : sequence of callables without arguments
        Each writes memory that no other job touches.
    seconds : float, optional
        What all of them take one thread, about: little work is done by the calling thread alone.
    """
    if _state.recorder is not None:
        _state.recorder.in_python = True
    helpers = min(_settings.threads, len(jobs)) - 1
    if not _pays(helpers, seconds, _WORTH):
        for job in jobs:
            job()
        return
    batch = Batch(jobs)
    _shared_crew().submit(batch, helpers)
    _state.inside = True
    try:
        batch.work()
    finally:
        _state.inside = False
    batch.wait()


def run_task(task: Task) -> None:
    """Run the jobs of a compiled task on the crew, and wait for them all; see `run`.

    Denormals count as zero.
    """
    pays = _pays(min(_settings.threads, task.jobs) - 1, task.seconds, _WORTH_OF_TASKS)
    with _flushing:
        _do(task.numbers.reshape(1, -1), task.memory, pays)
    if _state.recorder is not None:
        _state.recorder.tasks.append(task)


def run_tasks(tasks: Numbers, memory: int) -> None:
    """Run tasks one after another, each on the crew, without Python in between.

    Parameters
    ----------
    tasks : (number, SIZE) int64
        As `_task` says.
    memory : int
        float32 numbers that a job needs for itself.
    """
    _do(tasks, memory, _pays(_settings.threads - 1, math.inf, 0.0))


def _do(tasks: Numbers, memory: int, together: bool) -> None:
    """Do tasks, together with the crew unless somebody else leads it."""
    if not (together and _shared_crew().lead(tasks, memory)):
        do_alone(tasks, memory)


@dataclass
class Recorded:
    """What the calling thread asked for in a while: its tasks, and whether jobs in Python too."""

    tasks: list[Task] = field(default_factory=list)
    in_python: bool = False


@contextmanager
def recorded() -> Iterator[Recorded]:
    """Context that notes what the calling thread asks `run_task` and `run` for."""
    before, _state.recorder = _state.recorder, Recorded()
    try:
        yield _state.recorder
    finally:
        _state.recorder = before


def _pays(helpers: int, seconds: float, least: float) -> bool:
    """Whether others help, and are worth calling."""
    return helpers > 0 and not _state.inside and seconds >= least and not config.DISABLE_JIT


def _shared_crew() -> Crew:
    crew = _settings.crew
    if crew is not None:
        return crew
    with _settings.lock:
        if _settings.crew is None:
            _settings.crew = Crew(_settings.threads - 1, begin=_enter)
        return _settings.crew


def _enter() -> None:
    """Note that this thread runs jobs: what they call runs on the spot."""
    _state.inside = True


class _Flushing:
    """Context in which denormals count as zero on this thread."""

    def __enter__(self) -> None:
        if _state.flushing == 0:
            _state.control = _denormals.flush()
        _state.flushing += 1

    def __exit__(self, *exception: object) -> None:
        _state.flushing -= 1
        if _state.flushing == 0:
            _denormals.restore(_state.control)


class _Sweep:
    """Context in which the crew splits the work alone and denormals count as zero."""

    def __enter__(self) -> None:
        if _state.sweeps == 0:
            _limit_blas()
        _state.sweeps += 1
        _flushing.__enter__()

    def __exit__(self, *exception: object) -> None:
        _flushing.__exit__(*exception)
        _state.sweeps -= 1
        if _state.sweeps == 0:
            _leave_blas()


_flushing, _sweep = _Flushing(), _Sweep()


def sweep_threads() -> _Sweep:
    """Context of a sweep: BLAS keeps to one thread a caller, and denormals count as zero.

    Kernels that run in Python enter it by themselves; entered once around many of them it costs
    nothing for each. May be nested and entered by several threads at once; when the last one
    leaves, BLAS has its threads back.

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
