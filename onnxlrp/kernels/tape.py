"""Tasks that were recorded once, and are done again on other arrays without Python in between.

A recorded task names arrays by their addresses. Each of those lies in memory that the recorded
tasks wrote themselves, which gets a new place (see `arena`), or in an array from *outside*, whose
address is written into the task each time; everything else is the model's and stays.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _task as the
from onnxlrp.kernels.crew import Numbers, Task
from onnxlrp.kernels.scratch import address
from onnxlrp.kernels.threads import run_tasks

AnyArray = NDArray[Any]

#: Places of the arrays of a task that it reads, that it writes, and that hold a model's numbers.
_READ = (the.SOURCE, the.X, the.SIGN, the.RELEVANCE, the.ONTO, the.A, the.B, the.C, the.D)
_WRITTEN = (the.OUT, the.TO, the.TO_OTHER)
_CONSTANT = (the.BIAS, the.REALS, the.EPSILON)
#: float32 numbers in a line of the cache.
_LINE = 16
#: Tasks that read what they write.
_IN_PLACE = (the.MULTIPLY, the.ADD_PRODUCT)


class Spot(NamedTuple):
    """Where an array lies: in which stretch of memory, and how many bytes from its beginning."""

    stretch: int
    offset: int


class Stretches:
    """Stretches of memory that do not overlap, numbered as they come."""

    def __init__(self, arrays: Sequence[AnyArray] = ()) -> None:
        self._starts: list[int] = []
        self._numbers: list[int] = []
        self.arrays: list[AnyArray] = []
        for array in arrays:
            self.add(array)

    def add(self, array: AnyArray) -> None:
        """Take the memory of an array in C order, which none of the others touches."""
        at = bisect_right(self._starts, address(array))
        self._starts.insert(at, address(array))
        self._numbers.insert(at, len(self.arrays))
        self.arrays.append(array)

    def find(self, array: AnyArray) -> Spot | None:
        """Find where an array lies, if all of it lies in one of the stretches."""
        start = address(array)
        at = bisect_right(self._starts, start) - 1
        if at < 0 or not array.flags.c_contiguous:
            return None
        number, offset = self._numbers[at], start - self._starts[at]
        inside = offset + array.nbytes <= self.arrays[number].nbytes
        return Spot(number, offset) if inside else None

    def touches(self, array: AnyArray) -> bool:
        """Tell whether an array shares memory with one of the stretches."""
        start = address(array)
        at = bisect_right(self._starts, start + array.nbytes - 1) - 1
        return at >= 0 and self._starts[at] + self.arrays[self._numbers[at]].nbytes > start


def written_by(
    tasks: Sequence[Task], outside: Stretches, own: Stretches, constants: Stretches
) -> list[AnyArray] | None:
    """Find the arrays that tasks write first; None if the tasks cannot be repeated.

    They can if they read nothing but arrays from outside, what they, or others before, wrote, and
    what is always the same.

    Parameters
    ----------
    tasks : sequence of Task
        In the order in which they were done.
    outside : Stretches
        Arrays that will be told each time; nothing may be written there.
    own : Stretches
        What recorded tasks have written before.
    constants : Stretches
        Arrays that nobody ever writes.
    """
    new = Stretches()
    known = own, new, outside, constants
    for task in tasks:
        arrays = task.arrays
        read = [arrays[place] for place in _READ if place in arrays]
        written = [arrays[place] for place in _WRITTEN if place in arrays]
        if task.numbers[the.KIND] in _IN_PLACE:
            read += written
        constant = [arrays[place] for place in _CONSTANT if place in arrays]
        if not all(any(of.find(array) for of in known) for array in read):
            return None
        if any(map(outside.touches, [*written, *constant])) or any(map(constants.touches, written)):
            return None
        if any(own.touches(array) or new.touches(array) for array in constant):
            return None
        for array in written:
            if own.find(array) is None and new.find(array) is None:
                if own.touches(array) or new.touches(array):
                    return None
                new.add(array)
    return new.arrays


def spots(task: Task, stretches: Stretches) -> dict[int, Spot]:
    """Find those of a task's arrays, by place, that lie in some stretches of memory."""
    found = {
        place: stretches.find(array)
        for place, array in task.arrays.items()
        if place not in _CONSTANT
    }
    return {place: spot for place, spot in found.items() if spot is not None}


def links(tasks: Sequence[Task]) -> list[bool]:
    """Tell of each task whether its jobs can go on with those of the next one at once.

    Then what a job leaves is read while it is in the cache. All that they touch has to live as long
    as the last of them.
    """
    found = [task.leads_to(other) for task, other in itertools.pairwise(tasks)]
    return [*found, False] if tasks else []


@dataclass(frozen=True)
class Tape:
    """Tasks to be done one after another, with what changes from one time to the next.

    Parameters
    ----------
    tasks : (T, SIZE) int64
        As `_task` says.
    memory : int
        float32 numbers that a job needs for itself.
    places : (P,) int64
        Where, in all the tasks' numbers in turn, an address from outside is written.
    sources, offsets : (P,) int64
        Which array it is, and how many bytes from its beginning.
    alive : tuple
        What other addresses point into.
    """

    tasks: Numbers
    memory: int
    places: Numbers
    sources: Numbers
    offsets: Numbers
    alive: tuple[object, ...]

    @classmethod
    def of(
        cls,
        tasks: Sequence[Task],
        own: Stretches,
        at: Numbers,
        outside: Stretches,
        left: Container[int] = (),
    ) -> Tape:
        """Make a tape of recorded tasks.

        Parameters
        ----------
        tasks : sequence of Task
            In the order in which they were done.
        own : Stretches
            What they wrote.
        at : (S,) int64
            The new address of each of those.
        outside : Stretches
            What will be told each time.
        left : numbers of stretches
            Those of their own that somebody reads afterwards.
        """
        numbers = np.zeros((len(tasks), the.SIZE), np.int64)
        changes: list[tuple[int, int, int]] = []
        alive: list[object] = []
        for row, task in enumerate(tasks):
            numbers[row] = task.numbers
            ours, theirs = spots(task, own), spots(task, outside)
            for place, (stretch, offset) in ours.items():
                numbers[row, place] = at[stretch] + offset
            for place, (stretch, offset) in theirs.items():
                if place not in ours:
                    changes.append((row * the.SIZE + place, stretch, offset))
            stay = task.arrays.keys() - ours.keys() - theirs.keys()
            alive.append((task.alive, [task.arrays[place] for place in stay]))
        places, sources, offsets = np.array(changes, np.int64).reshape(-1, 3).T.copy()
        numbers[:, the.LINKED] = links(tasks)
        memory = _hand_on(tasks, own, left, numbers)
        return cls(numbers, memory, places, sources, offsets, tuple(alive))

    def play(self, outside: Sequence[AnyArray]) -> bool:
        """Do all tasks on these arrays; whether each found what it found when it was recorded.

        If one did not, what the tasks wrote may mean nothing.
        """
        tasks = self.tasks.copy()
        starts = np.array([address(array) for array in outside], np.int64)
        tasks.reshape(-1)[self.places] = starts[self.sources] + self.offsets
        tasks[:, the.FOUND] = 0
        run_tasks(tasks, self.memory)
        return bool((tasks[:, the.FOUND] == self.tasks[:, the.FOUND]).all())


def _hand_on(tasks: Sequence[Task], own: Stretches, left: Container[int], numbers: Numbers) -> int:
    """Let jobs hand ratios on in the thread's memory, where only the linked task reads them.

    So they stay in the cache, and are never written to where they would lie. Return the float32
    numbers that a job needs for itself.
    """
    memory = _LINE * -(-max((task.memory for task in tasks), default=0) // _LINE)
    found = [spots(task, own) for task in tasks]
    uses = Counter(spot.stretch for of_task in found for spot in of_task.values())
    most = 0
    for row, (task, following) in enumerate(itertools.pairwise(found)):
        spot, places = task.get(the.OUT), tasks[row].places
        if (
            places is None or spot is None or spot != following.get(the.SOURCE)
            or uses[spot.stretch] != 2 or spot.stretch in left
            or not numbers[row, the.LINKED] or numbers[row, the.THEN] != the.RATIO
            or numbers[row, the.TAKEN]
        ):  # fmt: skip
            continue
        numbers[row, the.HANDED_ON] = numbers[row + 1, the.TAKEN] = memory
        most = max(most, int(numbers[row, the.CHANNELS] * places[:, 2].max()))
    return memory + most
