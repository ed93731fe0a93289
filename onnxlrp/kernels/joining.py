"""How recorded tasks are joined: what one leaves for the next alone never gets to memory."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Container, Sequence

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels.crew import Task
from onnxlrp.kernels.stretches import Spot, Stretches, spots

#: float32 numbers in a line of the cache.
_LINE = 16


def links(tasks: Sequence[Task]) -> list[bool]:
    """Tell of each task whether its jobs can go on with those of the next one at once.

    Then what a job leaves is read while it is in the cache. All that they touch has to live as long
    as the last of them.
    """
    found = [task.leads_to(other) for task, other in itertools.pairwise(tasks)]
    return [*found, False] if tasks else []


def joined(tasks: Sequence[Task], own: Stretches, left: Container[int] = ()) -> list[Task]:
    """Do the same with fewer arrays: those that one task alone reads, the next one, are left out.

    The shares of a sum are made where one of them is divided, and ratios that go to a linked task
    stay in the thread's memory.

    Parameters
    ----------
    tasks : sequence of Task
        In the order in which they were done.
    own : Stretches
        What they wrote.
    left : numbers of stretches
        Those of their own that somebody reads afterwards.
    """
    passing = _Passing(tasks, own, left)
    made: list[Task] = []
    for task in tasks:
        merged = _dividing_a_share(made[-1], task, passing) if made else None
        if merged is None:
            made.append(task)
        else:
            made[-1] = merged
    for row in range(len(made) - 1):
        made[row : row + 2] = _handing_on(made[row], made[row + 1], passing)
    return made


class _Passing:
    """Tells which arrays go from one task to the next and to nobody else."""

    def __init__(self, tasks: Sequence[Task], own: Stretches, left: Container[int]) -> None:
        self._own = own
        self._left = left
        found = (spot for task in tasks for spot in spots(task, own).values())
        self._uses = Counter(spot.stretch for spot in found)

    def whole(self, task: Task, place: int) -> Spot | None:
        """Where a task's array lies, if it is all that lies there."""
        array = task.arrays.get(place)
        spot = self._own.find(array) if array is not None else None
        if array is None or spot is None:
            return None
        return spot if array.nbytes == self._own.arrays[spot.stretch].nbytes else None

    def is_all(self, spot: Spot, task: Task, places: Sequence[int]) -> bool:
        """Whether only one task writes it, and only these places of another one read it."""
        reads = sum(self.whole(task, place) == spot for place in places)
        return (
            reads > 0 and self._uses[spot.stretch] == 1 + reads and spot.stretch not in self._left
        )


def _dividing_a_share(of_sum: Task, ratio: Task, passing: _Passing) -> Task | None:
    """One task that shares the relevance of a sum, and makes the ratios of one of the shares."""
    if of_sum.numbers[the.KIND] != the.SHARES or ratio.numbers[the.THEN] != the.RATIO:
        return None
    if of_sum.found:
        return None
    arrays = dict(of_sum.arrays)
    reals = arrays[the.REALS]
    for to, x, other, y in (
        (the.TO, the.C, the.TO_OTHER, the.D),
        (the.TO_OTHER, the.D, the.TO, the.C),
    ):
        spot = passing.whole(of_sum, to)
        if spot is None or passing.whole(ratio, the.RELEVANCE) != spot:
            continue
        if not passing.is_all(spot, ratio, (the.RELEVANCE, the.SIGN)):
            continue
        shared = {
            the.SHARE_OF: arrays[the.A], the.SHARE_X: arrays[x], the.SHARE_Y: arrays[y],
            the.SHARE_TO: arrays[other], the.SHARE_EPSILON: arrays[the.EPSILON],
            the.SHARE_REALS: reals if x == the.C else np.ascontiguousarray(reals[[0, 1, 2, 4, 3]]),
        }  # fmt: skip
        of_ratio = dict(ratio.arrays)
        for place in (the.RELEVANCE, the.SIGN):
            if passing.whole(ratio, place) == spot:
                of_ratio[place] = arrays[the.B]
        return Task.on(
            ratio.numbers.copy(), ratio.memory, ratio.seconds + of_sum.seconds, of_ratio | shared,
            (ratio.alive, of_sum.alive), ratio.places,
        )  # fmt: skip
    return None


def _handing_on(ratio: Task, following: Task, passing: _Passing) -> tuple[Task, Task]:
    """The same two, the ratios of the first in the thread's memory if the other one takes them."""
    spot = passing.whole(ratio, the.OUT)
    if (
        spot is None or ratio.places is None or ratio.numbers[the.THEN] != the.RATIO
        or ratio.numbers[the.TAKEN] or not ratio.leads_to(following)
        or not passing.is_all(spot, following, (the.SOURCE,))
    ):  # fmt: skip
        return ratio, following
    at = _LINE * -(-max(ratio.memory, following.memory) // _LINE)
    memory = at + int(ratio.numbers[the.CHANNELS] * ratio.places[:, 2].max())
    changed = (ratio, the.OUT, the.HANDED_ON), (following, the.SOURCE, the.TAKEN)
    one, other = (_without(task, place, memory, handed, at) for task, place, handed in changed)
    return one, other


def _without(task: Task, place: int, memory: int, handed: int, at: int) -> Task:
    """A task without one of its arrays, which lies in the thread's memory instead."""
    numbers = task.numbers.copy()
    numbers[place], numbers[handed] = 0, at
    arrays = {other: array for other, array in task.arrays.items() if other != place}
    return task._replace(numbers=numbers, memory=memory, arrays=arrays)
