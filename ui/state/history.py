"""Undo and redo: the states that the designs went through, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .designs import Design

LONGEST = 200
"""Steps that are remembered; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All designs at one moment.

    Attributes
    ----------
    designs : tuple of Design
    current : str
        The id of the one that is being edited.
    label : str
        What the step that led here did, for people: "LRP-γ 0.3 on layers 1 to 9".
    gesture : str
        Steps with the same one that follow each other count as one (a slider being dragged).
    """

    designs: tuple[Design, ...]
    current: str
    label: str = ""
    gesture: str = ""

    @property
    def design(self) -> Design:
        """The design that is being edited."""
        return next(d for d in self.designs if d.id == self.current)


@dataclass(frozen=True, slots=True)
class History:
    """Snapshots in the order they were made, and which of them is on the screen.

    Examples
    --------
    >>> from onnxlrp.composites import Composite
    >>> plain, other = Design(Composite("a"), id="1"), Design(Composite("b"), id="1")
    >>> history = History.of(Snapshot((plain,), "1")).do(Snapshot((other,), "1", "Rename"))
    >>> history.undo().now.design.name, history.undo().redo().now.design.name
    ('a', 'b')
    """

    steps: tuple[Snapshot, ...]
    position: int = 0

    @classmethod
    def of(cls, start: Snapshot) -> History:
        """Begin with a snapshot."""
        return cls((start,))

    @property
    def now(self) -> Snapshot:
        """The snapshot on the screen."""
        return self.steps[self.position]

    @property
    def can_undo(self) -> bool:
        """Whether something lies before."""
        return self.position > 0

    @property
    def can_redo(self) -> bool:
        """Whether something that was undone lies ahead."""
        return self.position < len(self.steps) - 1

    @property
    def labels(self) -> tuple[str, ...]:
        """What each step did, the oldest first."""
        return tuple(step.label for step in self.steps)

    def do(self, step: Snapshot) -> History:
        """Go on with a snapshot; what was undone is forgotten."""
        if (step.designs, step.current) == (self.now.designs, self.now.current):
            return self
        done = self.steps[: self.position + 1]
        if step.gesture and step.gesture == self.now.gesture and len(done) > 1:
            done = done[:-1]
        done = (*done, step)[-LONGEST:]
        return History(done, len(done) - 1)

    def look(self, current: str) -> History:
        """Put another design on the screen, which is no step of its own."""
        if not any(design.id == current for design in self.now.designs):
            return self
        steps = list(self.steps)
        steps[self.position] = replace(self.now, current=current, gesture="")
        return replace(self, steps=tuple(steps))

    def undo(self) -> History:
        """One step back, if there is one."""
        return self.jump(self.position - 1)

    def redo(self) -> History:
        """One step forward again, if there is one."""
        return self.jump(self.position + 1)

    def jump(self, position: int) -> History:
        """Put the snapshot at a position on the screen, the nearest one if there is none."""
        return replace(self, position=min(max(position, 0), len(self.steps) - 1))
