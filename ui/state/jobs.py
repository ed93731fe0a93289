"""Work behind the screen: off the event loop, with progress, cancel, and no stale result shown.

Work of one kind goes through one *lane*; newer work in a lane cancels what is older there, and what
an older one still finds is thrown away.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar

import param

from onnxlrp.errors import OnnxLrpError

Schedule = Callable[[Callable[[], None]], Any]
"""Runs a callback on the session's event loop soon: ``doc.add_next_tick_callback``."""

Progress = Callable[[int, int, str], None]
"""Called by work with (done, total, what); raises :class:`Cancelled` when it is to stop."""

_REPORT_EVERY = 0.05  # seconds: the screen needs no more


class Cancelled(Exception):  # no error: the user, or newer work, wanted it
    """The work is not wanted any more."""


@cache
def executor() -> ThreadPoolExecutor:
    """The threads that all sessions of this server share."""
    return ThreadPoolExecutor(max(4, os.cpu_count() or 1), "onnxlrp-designer")


def at_once(callback: Callable[[], None]) -> None:
    """A schedule for programs and tests without an event loop."""
    callback()


T = TypeVar("T")


@dataclass(eq=False)
class Job:
    """One piece of work in a lane.

    Attributes
    ----------
    lane : str
    title : str
        What is being done, for people.
    stopped : callable or None
        Told that the user has stopped it.
    """

    lane: str
    title: str
    stopped: Callable[[], None] | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    reported: float = 0.0


class Jobs(param.Parameterized):
    """The work of one session.

    Parameters
    ----------
    schedule : callable
        See :data:`Schedule`.
    failed : callable(lane, exception), optional
        Told on the event loop of errors for which a job has no ``failed`` of its own.
    """

    busy = param.Boolean(False, doc="Whether anything is running or waiting.")
    title = param.String("", doc="What is running.")
    stage = param.String("", doc="How far it is: 'backward 31/53'.")
    fraction = param.Number(0.0, bounds=(0, 1), doc="The same as a number.")

    def __init__(
        self,
        schedule: Schedule = at_once,
        failed: Callable[[str, Exception], None] | None = None,
    ) -> None:
        super().__init__()
        self._schedule = schedule
        self._failed = failed
        self._running: dict[str, Job] = {}
        self._closed = False

    def run(
        self,
        lane: str,
        work: Callable[[Progress], T],
        done: Callable[[T], None],
        *,
        title: str = "",
        failed: Callable[[Exception], None] | None = None,
        stopped: Callable[[], None] | None = None,
        debounce: float = 0.0,
    ) -> Job:
        """Do work in a thread and hand over what it returns on the event loop.

        Parameters
        ----------
        lane : str
            What is there already is cancelled.
        work : callable(progress)
            Calls ``progress(done, total, what)`` often, which raises when it is to stop.
        done : callable(result)
            Called on the event loop, unless newer work or a cancel came first.
        title : str
            For people.
        failed : callable(exception), optional
            In place of the session's own.
        stopped : callable, optional
            Called if all work is stopped (see :meth:`cancel`), and this with it.
        debounce : float
            Seconds to wait for newer work before the beginning.
        """
        job = Job(lane, title or lane, stopped)
        if self._closed:
            job.cancel.set()
            job.ended.set()
            return job
        self.cancel(lane)
        self._running[lane] = job
        self.param.update(busy=True, title=job.title, stage="", fraction=0.0)
        executor().submit(self._work, job, work, done, failed, debounce)
        return job

    def cancel(self, lane: str | None = None) -> None:
        """Stop the work of a lane, or of all; it ends at its next report of progress.

        Who stops a lane knows what that means; who stops all does not, so each job is told.
        """
        names = list(self._running) if lane is None else [lane]
        found = [self._running.pop(name) for name in names if name in self._running]
        for job in found:
            job.cancel.set()
        self._show_idle()
        for job in found:
            if lane is None and job.stopped is not None:
                job.stopped()

    def running(self, lane: str) -> bool:
        """Whether a lane has work."""
        return lane in self._running

    def close(self) -> None:
        """End the session: cancel all work, show nothing any more."""
        self._closed = True
        for job in self._running.values():
            job.cancel.set()
        self._running.clear()  # without a word: the page is gone

    # ------------------------------------------------------------------------- in the thread
    def _work(
        self,
        job: Job,
        work: Callable[[Progress], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None,
        debounce: float,
    ) -> None:
        """Do the work, and see that what comes of it is told on the event loop."""
        try:
            unwanted = job.cancel.wait(debounce) if debounce else job.cancel.is_set()
            if not unwanted:
                self._tell(job, partial(self._deliver, job, self._outcome(job, work, done, failed)))
        finally:
            job.ended.set()

    def _outcome(
        self,
        job: Job,
        work: Callable[[Progress], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None,
    ) -> Callable[[], None]:
        """Do the work; what is to be told of it, which nobody hears if the job was cancelled."""
        try:
            return partial(done, work(partial(self._report, job)))
        except Exception as error:  # whatever it is, the user must see it
            return partial(self._fail, job, failed, error)

    def _report(self, job: Job, done: int, total: int, what: str) -> None:
        """Progress from the thread: stop it, or show how far it is."""
        if job.cancel.is_set():
            raise Cancelled
        now = time.monotonic()
        if now - job.reported >= _REPORT_EVERY:
            job.reported = now
            self._tell(job, partial(self._show, job, done, total, what))

    def _tell(self, job: Job, callback: Callable[[], None]) -> None:
        """Run something on the event loop if the job still counts."""
        if not (self._closed or job.cancel.is_set()):
            self._schedule(callback)

    # ---------------------------------------------------------------------- on the event loop
    def _show(self, job: Job, done: int, total: int, what: str) -> None:
        if self._running.get(job.lane) is job:
            fraction = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
            stage = f"{what} {done}/{total}" if total > 0 else what
            self.param.update(title=job.title, stage=stage, fraction=fraction)

    def _deliver(self, job: Job, tell: Callable[[], None]) -> None:
        """Hand over what came of a job, unless a newer one took its place."""
        if self._closed or self._running.get(job.lane) is not job:
            return
        del self._running[job.lane]
        self._show_idle()
        tell()

    def _fail(self, job: Job, failed: Callable[[Exception], None] | None, error: Exception) -> None:
        if failed is not None:
            failed(error)
        elif self._failed is not None:
            self._failed(job.lane, error)
        else:
            raise error

    def _show_idle(self) -> None:
        if not self._running and self.busy:
            self.param.update(busy=False, title="", stage="", fraction=0.0)


def as_line(error: Exception) -> str:
    """One line for the screen: an error's own, or what an unexpected one is called."""
    text = " ".join(str(error).split())
    if isinstance(error, OnnxLrpError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
