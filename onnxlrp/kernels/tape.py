"""Tasks that were recorded once, and are done again on other arrays without Python in between.

A recorded task names arrays by their addresses. Each of those lies in memory that the recorded
tasks wrote themselves, which gets a new place (see `arena`), or in an array from *outside*, whose
address is written into the task each time; everything else is the model's and stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxlrp.kernels import _task as the
from onnxlrp.kernels.crew import Numbers, Task
from onnxlrp.kernels.joining import links
from onnxlrp.kernels.scratch import address
from onnxlrp.kernels.stretches import AnyArray, Stretches, spots
from onnxlrp.kernels.threads import run_tasks


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
    ) -> Tape:
        """Make a tape of recorded tasks.

        Parameters
        ----------
        tasks : sequence of Task
            In the order in which they were done; see `joined`.
        own : Stretches
            What they wrote.
        at : (S,) int64
            The new address of each of those.
        outside : Stretches
            What will be told each time.
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
        memory = max((task.memory for task in tasks), default=0)
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
