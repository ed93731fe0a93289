"""The threads that share the kernels' work: they take jobs of compiled tasks, and of Python.

Work is cut into jobs by the callers, never by the number of threads: the same jobs run on one
thread or on many, so results are the same bits.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _crew, _denormals
from onnxlrp.kernels import _task as the
from onnxlrp.kernels.scratch import address, aligned

Numbers = NDArray[np.int64]
Arrays = Mapping[int, NDArray[Any]]
"""The arrays that a task reads and writes, by the places where it says their addresses."""
Job = Callable[[], None]


class Task(NamedTuple):
    """Work on whole arrays, cut into jobs that need neither Python nor each other.

    Parameters
    ----------
    numbers : (SIZE,) int64
        As `_task` says.
    memory : int
        float32 numbers that a job needs for itself.
    seconds : float
        That one thread takes for all jobs, about.
    arrays : mapping of int to ndarray
        What it works on: place in `numbers` → array in C order, whose address is there.
    alive : object
        What other addresses in `numbers` point into.
    places : (jobs, 3) int64, or None
        Sample, first position and number of positions of each job, if it reads and writes all
        channels there, and nothing else.
    """

    numbers: Numbers
    memory: int
    seconds: float
    arrays: Arrays
    alive: object = None
    places: Numbers | None = None

    @classmethod
    def on(
        cls,
        numbers: Numbers,
        memory: int,
        seconds: float,
        arrays: Arrays,
        alive: object = None,
        places: Numbers | None = None,
    ) -> Task:
        """Write the arrays' addresses into a task's numbers."""
        for place, array in arrays.items():
            numbers[place] = address(array)
        return cls(numbers, memory, seconds, arrays, alive, places)

    @property
    def jobs(self) -> int:
        """Number of jobs."""
        return int(self.numbers[the.COUNT])

    def leads_to(self, other: Task) -> bool:
        """Whether each job of another task needs, of what this one does, only the same job's."""
        if self.places is None or other.places is None:
            return False
        alike = self.numbers[the.PLACES] == other.numbers[the.PLACES]
        return bool(alike) and np.array_equal(self.places, other.places)

    @property
    def found(self) -> int:
        """What its jobs have noted: bits, as `_task` says."""
        return int(self.numbers[the.FOUND])


class Batch:
    """Jobs in Python that were submitted together; whoever is free takes the next one."""

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


class _Alone(threading.local):
    """A board for the calling thread, and memory that it uses again; it grows as needed."""

    def __init__(self) -> None:
        self.board = np.zeros(_crew.MEMBERS + _crew.LINE, np.int64)
        self.memory = aligned(0)

    def provide(self, size: int) -> None:
        """Make sure that there is so much memory."""
        if self.memory.size < size:
            self.memory = aligned(size)
            self.board[_crew.MEMBERS + _crew.MEMORY] = self.memory.ctypes.data


_alone = _Alone()


def do_alone(tasks: Numbers, memory: int) -> None:
    """Do tasks, (number, SIZE) as `_task` says, on the calling thread; see :meth:`Crew.lead`."""
    _alone.provide(memory)
    _crew.work(_crew.ALONE, _alone.board, _crew.MEMBERS, tasks, 0)


class Crew:
    """Daemon threads that help whoever leads.

    Parameters
    ----------
    helpers : int
    begin : callable
        What each thread does first.
    """

    def __init__(self, helpers: int, begin: Callable[[], None]):
        self._begin = begin
        self._leads = threading.Lock()
        size = _crew.MEMBERS + (1 + helpers) * _crew.LINE
        self._board = aligned(2 * size).view(np.int64)
        self._board[:] = 0
        self._members = range(_crew.MEMBERS, size, _crew.LINE)
        self._memory, self._each = aligned(0), 0
        self._batches: deque[Batch] = deque()
        self._is_open = True
        self._bells = [threading.Lock() for _ in range(helpers)]
        _crew.work.compile()  # once, before threads ask for it that others wait for
        for number, bell in enumerate(self._bells):
            bell.acquire()
            name = f"onnxlrp-kernel-{number}"
            threading.Thread(target=self._serve, args=(number,), name=name, daemon=True).start()

    def lead(self, tasks: Numbers, memory: int) -> bool:
        """Do tasks together; whether they were done: nobody leads while another one does.

        Parameters
        ----------
        tasks : (number, SIZE) int64
            As `_task` says; each begins when all jobs of the one before have ended.
        memory : int
            float32 numbers that a job needs for itself.
        """
        if not self._leads.acquire(blocking=False):
            return False
        try:
            self._provide(memory)
            first = 0
            while first < len(tasks):
                for helper in range(min(len(self._bells), tasks[first, the.COUNT] - 1)):
                    if self._board[self._members[helper + 1] + _crew.PARKED]:
                        self._wake(helper, call=False)
                leader = self._members[0]
                first = _crew.work(_crew.LEADER, self._board, leader, tasks, first)
        finally:
            self._leads.release()
        return True

    def submit(self, batch: Batch, helpers: int) -> None:
        """Ask this many threads to help with jobs in Python."""
        for helper in range(min(helpers, len(self._bells))):
            self._batches.append(batch)
            self._wake(helper, call=True)

    @property
    def sleeping(self) -> int:
        """Helpers that wait for their bell."""
        return sum(int(self._board[member + _crew.PARKED]) for member in self._members[1:])

    def close(self) -> None:
        """Let the threads end once they are idle."""
        self._is_open = False
        for helper in range(len(self._bells)):
            self._wake(helper, call=True)

    def _wake(self, helper: int, call: bool) -> None:
        if _crew.wake(self._board, self._members[helper + 1], call):
            self._bells[helper].release()

    def _provide(self, size: int) -> None:
        """Give each member so much memory; called while no task is on the board."""
        if self._each < size:
            self._each = -(-size // 1024) * 1024
            self._memory = aligned(self._each * len(self._members))
            for number, member in enumerate(self._members):
                part = self._memory[number * self._each :]
                self._board[member + _crew.MEMORY] = part.ctypes.data

    def _serve(self, helper: int) -> None:
        _denormals.flush()
        self._begin()
        nobody = np.zeros((1, the.SIZE), np.int64)
        while self._is_open:
            if _crew.work(_crew.HELPER, self._board, self._members[helper + 1], nobody, 0):
                self._bells[helper].acquire()
            while (batch := self._next_batch()) is not None:
                batch.work()
                del batch  # an idle thread keeps no arrays alive

    def _next_batch(self) -> Batch | None:
        try:
            return self._batches.popleft()
        except IndexError:
            return None
