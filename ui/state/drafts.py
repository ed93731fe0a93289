"""The designs of the network on the screen, and every way of changing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import param

from onnxlrp.composites import Composite
from onnxlrp.errors import OnnxLrpError
from onnxlrp.graph.model import Model

from . import designs as edits
from .designs import Design
from .history import History, Snapshot
from .networks import Network
from .notices import Noticing
from .segments import Segment

STARTING_DESIGNS = ("montavon", "epsilon_plus")
"""The presets that a network begins with."""


class Drafts(Noticing):
    """Designs as values, one of them being edited; each change is a step of the history."""

    network = param.ClassSelector(class_=Network, doc="The network on the screen.")
    designs = param.ClassSelector(
        class_=tuple, default=(), doc="Design values; change them by methods."
    )
    current = param.String("", doc="Id of the design that is being edited.")
    history = param.ClassSelector(class_=History, doc="Undo and redo, for showing.")

    @property
    def opened(self) -> Network:
        """The network on the screen; there is one from the first :meth:`Workbench.adopt` on."""
        assert self.network is not None
        return self.network

    @property
    def model(self) -> Model:
        """Its onnxlrp Model."""
        return self.opened.model

    @property
    def past(self) -> History:
        """Undo and redo; there is one from the first :meth:`Workbench.adopt` on."""
        assert self.history is not None
        return self.history

    @property
    def design(self) -> Design:
        """The design that is being edited."""
        return self._by_id(self.current)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The ruler's segments under the current design."""
        return edits.segments(self.design, self.model)

    def edit(
        self, change: Callable[[Design], Design], label: str = "Edit", gesture: str = ""
    ) -> bool:
        """Put a changed design in the place of the current one.

        Parameters
        ----------
        change : callable(design) → design
            Such as ``lambda d: with_rule(d, bench.model, layers, rule)``; an error that it raises
            is shown, and nothing changes.
        label : str
            For the history: "LRP-γ 0.3 on layers 1 to 9".
        gesture : str
            Edits with the same one that follow each other are undone as one (a dragged slider).

        Returns
        -------
        bool
            Whether it went well.
        """

        def make() -> None:
            made = change(self.design)
            edits.segments(made, self.model)  # says what does not fit before it is shown
            changed = tuple(made if d.id == made.id else d for d in self.designs)
            self._do(Snapshot(changed, self.current, label, gesture))

        return self._try(make)

    def add(self, design: Design, label: str = "") -> bool:
        """Append a design and edit it from now on."""

        def make() -> None:
            edits.segments(design, self.model)
            added = (*self.designs, design)
            self._do(Snapshot(added, design.id, label or f"Add {design.name}"))

        return self._try(make)

    def add_preset(self, text: str) -> bool:
        """Append a preset or a rule for all layers, as the command line names it."""
        return self._try(lambda: self._add_parsed(text))

    def _add_parsed(self, text: str) -> None:
        composite = Composite.parse(text)
        design = Design(replace(composite, name=self.free_name(composite.name)))
        edits.segments(design, self.model)
        self._do(Snapshot((*self.designs, design), design.id, f"Add {design.name}"))

    def duplicate(self, identity: str = "") -> None:
        """Copy a design, the current one unless another is named, and edit the copy."""
        source = self._by_id(identity or self.current)
        copy = edits.duplicate(source, self.free_name(source.name))
        place = self.designs.index(source) + 1
        made = (*self.designs[:place], copy, *self.designs[place:])
        self._do(Snapshot(made, copy.id, f"Duplicate {source.name}"))

    def rename(self, identity: str, name: str) -> bool:
        """Call a design otherwise."""

        def make() -> None:
            made = edits.rename(self._by_id(identity), name)
            renamed = tuple(made if d.id == identity else d for d in self.designs)
            self._do(Snapshot(renamed, self.current, f"Rename to {made.name}"))

        return self._try(make)

    def delete(self, identity: str) -> None:
        """Let a design go (undo brings it back); the last one stays."""
        gone = self._by_id(identity)
        left = tuple(d for d in self.designs if d.id != identity)
        if not left:
            self.tell("This is the only design: add another before deleting it.", "info")
            return
        at = min(self.designs.index(gone), len(left) - 1)
        current = left[at].id if identity == self.current else self.current
        self._do(Snapshot(left, current, f"Delete {gone.name}"))

    def choose(self, identity: str) -> None:
        """Put another design on the screen."""
        self.param.update(**parameters_of(self.past.look(identity)))

    def free_name(self, name: str) -> str:
        """The name, or with the first number behind it that no design has."""
        taken = {d.name for d in self.designs}
        stem, number = name, 2
        if name in taken:
            head, _, tail = name.rpartition(" ")
            stem, number = (head, int(tail) + 1) if head and tail.isdigit() else (name, 2)
        found = name
        while found in taken:
            found, number = f"{stem} {number}", number + 1
        return found

    def undo(self) -> None:
        """Take the last step back."""
        self.param.update(**parameters_of(self.past.undo()))

    def redo(self) -> None:
        """Do again what was taken back."""
        self.param.update(**parameters_of(self.past.redo()))

    def jump(self, position: int) -> None:
        """Go to a step of the history."""
        self.param.update(**parameters_of(self.past.jump(position)))

    def _do(self, step: Snapshot) -> None:
        self.param.update(**parameters_of(self.past.do(step)))

    def _by_id(self, identity: str) -> Design:
        found: Design = next(d for d in self.designs if d.id == identity)
        return found


def parameters_of(history: History) -> dict[str, Any]:
    """The parameters that follow from a history."""
    now = history.now
    return {"history": history, "designs": now.designs, "current": now.current}


def beginning(network: Network) -> History:
    """The designs that a network begins with."""
    made = []
    for name in STARTING_DESIGNS:
        composite = Composite.preset(name)
        try:
            edits.segments(Design(composite), network.model)
        except OnnxLrpError:
            # montavon needs bounds, which a network without a preprocessing has not.
            continue
        made.append(Design(composite))
    return History.of(Snapshot(tuple(made), made[0].id, "Start"))
