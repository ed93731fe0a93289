"""Where the arrays of tasks lie: in which stretch of memory, and who writes it first."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from onnxlrp.kernels import _task as the
from onnxlrp.kernels.crew import Task
from onnxlrp.kernels.scratch import address

AnyArray = NDArray[Any]

#: Places of the arrays of a task that it reads, that it writes, and that hold a model's numbers.
_READ = (the.SOURCE, the.X, the.SIGN, the.RELEVANCE, the.ONTO, the.A, the.B, the.C, the.D)
_WRITTEN = (the.OUT, the.TO, the.TO_OTHER)
_CONSTANT = (the.BIAS, the.REALS, the.EPSILON, the.SHARE_REALS, the.SHARE_EPSILON)
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
