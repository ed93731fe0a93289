"""What the steps of a sweep do, noted while they are carried out, and made a recording."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from onnxlrp.kernels import (
    Recorded,
    Stretches,
    Tape,
    Task,
    address,
    aligned,
    joined,
    lay_out,
    links,
    recorded,
    spots,
    written_by,
)
from onnxlrp.ops.base import Array, Shape, Tensors
from onnxlrp.plan import Plan, Step
from onnxlrp.recordings.passage import Passage, Pending, Recording, Source


class _Entry(NamedTuple):
    """One layer as it was carried out; ``tasks``: all that it did, or None if Python did more."""

    step: Step
    before: Mapping[str, Array]
    after: Mapping[str, Array]
    values: Mapping[str, Array]
    proven: Set[str]
    tasks: tuple[Task, ...] | None

    @property
    def is_taped(self) -> bool:
        return self.tasks is not None


class _Block(NamedTuple):
    """Layers one after another, all of them on a tape or none, and the tasks that they come to."""

    entries: tuple[_Entry, ...]
    tasks: list[Task]


class Recorder:
    """Notes what the steps of a sweep do while they are carried out, all arrays kept alive.

    Parameters
    ----------
    plan : Plan
    constants : sequence of ndarray
        What steps may read that is the same each time.
    """

    def __init__(self, plan: Plan, constants: Sequence[Array] = ()) -> None:
        self._plan = plan
        self._constants = Stretches(constants)
        self._entries: list[_Entry] = []
        self._own = Stretches()

    @contextmanager
    def step(
        self, step: Step, pending: Pending, tensors: Tensors, proven: Set[str]
    ) -> Iterator[None]:
        """Context in which the next step is carried out."""
        before, known = dict(pending), frozenset(proven)
        with recorded() as done:
            yield
        values = {name: tensors.value(name) for name in step.values}
        tasks, after = tuple(done.tasks), dict(pending)
        entry = _Entry(step, before, after, values, proven - known, tasks)
        written = self._written(entry, done)
        if written is None:
            entry = entry._replace(tasks=None)
        for array in written or ():
            self._own.add(array)
        self._entries.append(entry)

    def _written(self, entry: _Entry, done: Recorded) -> list[Array] | None:
        """The arrays that a step wrote first, if its tasks are all that it did."""
        outside = _Outside(entry.before, entry.values)
        may_choose = not entry.step.operation.reads_in_tasks and entry.values
        if done.in_python or may_choose or not outside.is_sound:
            return None  # an operation of another kind may act on what it reads, without a task
        written = written_by(done.tasks, outside, self._own, self._constants)
        if written is None:
            return None
        new = Stretches(written)
        for name, r in entry.after.items():
            known = entry.before.get(name) is r or self._own.find(r) or new.find(r)
            if not known and outside.source(r) is None:
                return None
        return written

    def recording(self) -> Recording:
        """What was recorded, its arrays in memory of their own."""
        groups = itertools.groupby(self._entries, lambda entry: entry.is_taped)
        blocks = [self._block(tuple(of)) for _, of in groups]
        lives = self._lives(blocks)
        arrays = enumerate(self._own.arrays)
        sizes = [array.nbytes if number in lives else 0 for number, array in arrays]
        none = (0, 0)
        offsets, size = lay_out(sizes, [lives.get(n, none) for n in range(len(sizes))])
        memory = aligned(size // 4)
        places = [
            memory[at // 4 : (at + size) // 4] for at, size in zip(offsets, sizes, strict=True)
        ]
        passages = tuple(self._passage(block, places) for block in blocks)
        return Recording(self._plan, passages, memory)

    def _block(self, entries: tuple[_Entry, ...]) -> _Block:
        """Layers one after another, with all that they did."""
        tasks = [task for entry in entries for task in entry.tasks or ()]
        return _Block(entries, joined(tasks, self._own, set(self._of(entries[-1].after))))

    def _lives(self, blocks: Sequence[_Block]) -> dict[int, tuple[int, int]]:
        """First and last moment, counted in tasks, at which somebody needs an own array.

        Linked tasks are done at one moment. What there was before a block is needed until its end:
        its layers may have to be carried out one by one after all.
        """
        lives: dict[int, tuple[int, int]] = {}

        def touch(stretches: Iterator[int], moment: int) -> None:
            for stretch in stretches:
                lives[stretch] = lives.get(stretch, (moment, moment))[0], moment

        moment = 0
        for entries, tasks in blocks:
            for task, linked in zip(tasks, links(tasks), strict=True):
                touch((spot.stretch for spot in spots(task, self._own).values()), moment)
                moment += not linked
            touch(self._of(entries[0].before), moment)
            touch(self._of(entries[-1].after), moment)
            moment += 1
        return lives

    def _of(self, relevances: Mapping[str, Array]) -> Iterator[int]:
        """The own arrays in which relevances lie."""
        found = map(self._own.find, relevances.values())
        return (spot.stretch for spot in found if spot is not None)

    def _passage(self, block: _Block, places: Sequence[Array]) -> Passage:
        """Layers as they will be played."""
        entries, tasks = block
        steps = tuple(entry.step for entry in entries)
        before, after = entries[0].before, entries[-1].after
        foreign = {name: r for name, r in before.items() if self._own.find(r) is None}
        values = {name: value for entry in entries for name, value in entry.values.items()}
        outside = _Outside(foreign, values)
        if not (entries[0].is_taped and outside.is_sound):
            return Passage(steps)
        given: dict[str, Array] = {}
        passed: dict[str, tuple[Source, Shape]] = {}
        for name, r in after.items():
            if before.get(name) is r:
                continue
            spot, source = self._own.find(r), outside.source(r)
            if spot is not None:
                place = places[spot.stretch][spot.offset // 4 :]
                given[name] = place[: r.size].reshape(r.shape)
            elif source is not None:
                passed[name] = source, r.shape
        at = np.array([address(place) for place in places], np.int64)
        return Passage(
            steps=steps,
            tape=Tape.of(tasks, self._own, at, outside),
            reads=tuple(outside.sources),
            same=tuple(outside.same),
            taken=tuple(name for name in before if name not in after),
            given=given,
            passed=passed,
            proven=frozenset(name for entry in entries for name in entry.proven),
        )


class _Outside(Stretches):
    """The arrays that a tape is told each time it is played.

    Attributes
    ----------
    sources : list of Source
        What each of them is.
    same : list of (Source, int)
        What else is the same array as one of them.
    is_sound : bool
        Whether arrays are in C order and share no memory but as a whole.
    """

    def __init__(self, relevances: Mapping[str, Array], values: Mapping[str, Array]) -> None:
        super().__init__()
        self.sources: list[Source] = []
        self.same: list[tuple[Source, int]] = []
        self.is_sound = True
        kinds = (relevances, False), (values, True)
        for source, array in [(Source(n, of), a) for named, of in kinds for n, a in named.items()]:
            spot = self.find(array)
            if spot is not None and self.arrays[spot.stretch].nbytes == array.nbytes:
                self.same.append((source, spot.stretch))
            elif self.touches(array) or not array.flags.c_contiguous or not array.nbytes:
                self.is_sound = False
            else:
                self.add(array)
                self.sources.append(source)

    def source(self, array: Array) -> Source | None:
        """What an array as a whole is, if it is relevance."""
        spot = self.find(array)
        if spot is None or self.arrays[spot.stretch].nbytes != array.nbytes:
            return None
        source = self.sources[spot.stretch]
        return None if source.is_value else source
