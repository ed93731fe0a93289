"""The workbench: the one home of a session's state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import param

from onnxlrp.composites import Composite
from onnxlrp.errors import OnnxLrpError
from onnxlrp.graph.model import Model

from . import designs as edits
from .designs import Design
from .history import History, Snapshot
from .jobs import Jobs, Schedule, as_line, at_once
from .look import Look
from .networks import Network, Picture, packaged_network, packaged_pictures, read_picture
from .results import Explained, Explanations
from .scores import Question
from .segments import Segment
from .store import Store

STARTING_DESIGNS = ("montavon", "epsilon_plus")
"""The presets that a session begins with."""

Level = Literal["error", "warning", "success", "info"]

_DEBOUNCE = 0.02  # seconds: what a dragged slider sends in one go is computed once


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """A line for the user, shown as a toast."""

    text: str
    level: Level = "error"


class Workbench(param.Parameterized):
    """Everything that one session shows and does; views watch its parameters and call its methods.

    All methods run on the event loop; what is heavy goes through :attr:`jobs`.

    Parameters
    ----------
    schedule : callable
        ``doc.add_next_tick_callback`` of the session; :func:`.jobs.at_once` without a loop.
    store : Store, optional
        Where uploads and long links are kept.
    folder : Path, optional
        Networks that the server offers.
    """

    network = param.ClassSelector(class_=Network, doc="The network on the screen.")
    pictures = param.ClassSelector(
        class_=tuple, default=(), doc="Picture values, as the network sees them."
    )
    picture = param.Integer(0, doc="Position of the picture on the screen.")
    question = param.ClassSelector(class_=Question, default=Question(), doc="Target and unit.")
    designs = param.ClassSelector(
        class_=tuple, default=(), doc="Design values; change them by methods."
    )
    current = param.String("", doc="Id of the design that is being edited.")
    history = param.ClassSelector(class_=History, doc="Undo and redo, for showing.")
    selection = param.ClassSelector(class_=frozenset, default=frozenset(), doc="Layer indices.")
    look = param.ClassSelector(class_=Look, default=Look(), doc="How heatmaps are drawn.")
    explained = param.ClassSelector(class_=Explained, doc="Current design on current picture.")
    pending = param.Boolean(False, doc="Whether `explained` is that of an earlier state.")
    books = param.ClassSelector(
        class_=tuple, default=(), doc="LayerBooks of the current design; () until known."
    )
    place = param.String("design", doc="The view on the screen.")
    notice = param.ClassSelector(class_=Notice, doc="The last line for the user.")

    def __init__(
        self,
        schedule: Schedule = at_once,
        store: Store | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.jobs = Jobs(schedule, lambda lane, error: self.tell(as_line(error)))
        self.explanations = Explanations()
        self.store = Store() if store is None else store
        self.companions: dict[str, Any] = {}
        """State that several views share and that is no part of the bench, by its name."""
        self._histories: dict[str, History] = {}
        self.param.watch(
            self._refresh, ["network", "pictures", "picture", "question", "designs", "current"]
        )

    # ------------------------------------------------------------------------------ what is shown
    @property
    def opened(self) -> Network:
        """The network on the screen; there is one from the first :meth:`adopt` on."""
        assert self.network is not None
        return self.network

    @property
    def model(self) -> Model:
        """Its onnxlrp Model."""
        return self.opened.model

    @property
    def past(self) -> History:
        """Undo and redo; there is one from the first :meth:`adopt` on."""
        assert self.history is not None
        return self.history

    @property
    def shown(self) -> Picture | None:
        """The picture on the screen."""
        return self.pictures[self.picture] if self.pictures else None

    @property
    def design(self) -> Design:
        """The design that is being edited."""
        return self._by_id(self.current)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The ruler's segments under the current design."""
        return edits.segments(self.design, self.model)

    def tell_error(self, error: Exception) -> None:
        """Show the user what went wrong."""
        self.tell(as_line(error))

    def tell(self, text: str, level: Level = "error") -> None:
        """Show the user a line."""
        self.notice = Notice(text, level)

    # ------------------------------------------------------------------------------ what is open
    def open_packaged(self) -> None:
        """Begin with the network and the pictures that come along."""
        network = packaged_network()
        files = packaged_pictures()
        pictures = [
            read_picture(network.model, data, name, packaged=True) for name, data in files.items()
        ]
        self.adopt(network, pictures)

    def adopt(self, network: Network, pictures: Sequence[Picture] = ()) -> None:
        """Put a network on the screen; its designs are those it had in this session before.

        Raises
        ------
        UnsupportedOperationError
            It cannot be explained; names every node.
        """
        if self.network is not None:
            self._histories[self.network.sha256] = self.past
        history = self._histories.get(network.sha256) or _beginning(network)
        same = self.network is not None and self.network.sha256 == network.sha256
        question = self.question if same else Question("top1", self.question.kind)
        self.param.update(
            network=network,
            pictures=tuple(pictures),
            picture=0,
            question=question,
            selection=frozenset(),
            **_of(history),
        )

    def add_pictures(self, pictures: Sequence[Picture]) -> None:
        """Append pictures and show the first of them; those that are there already are shown."""
        known = {p.key: i for i, p in enumerate(self.pictures)}
        new = tuple({p.key: p for p in pictures if p.key not in known}.values())
        first = known.get(pictures[0].key, len(self.pictures)) if pictures else self.picture
        self.param.update(pictures=(*self.pictures, *new), picture=first)

    def remove_picture(self, index: int) -> None:
        """Let a picture go; the last one stays."""
        if len(self.pictures) > 1:
            left = tuple(p for i, p in enumerate(self.pictures) if i != index)
            shown = self.picture - (self.picture > index)
            self.param.update(pictures=left, picture=min(shown, len(left) - 1))

    def ask(self, **values: Any) -> None:
        """Change target or unit: ``ask(target="285")``, ``ask(kind="probability")``."""
        self.question = replace(self.question, **values)

    def select(self, layers: Collection[int]) -> None:
        """Select layers, in all views."""
        self.selection = frozenset(layers)

    def see(self, **values: Any) -> None:
        """Change how heatmaps are drawn: ``see(sign="positive")``."""
        self._try(lambda: setattr(self, "look", replace(self.look, **values)))

    # ----------------------------------------------------------------------------------- designs
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
        self.param.update(**_of(self.past.look(identity)))

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
        self.param.update(**_of(self.past.undo()))

    def redo(self) -> None:
        """Do again what was taken back."""
        self.param.update(**_of(self.past.redo()))

    def jump(self, position: int) -> None:
        """Go to a step of the history."""
        self.param.update(**_of(self.past.jump(position)))

    # -------------------------------------------------------------------------------------- work
    def explained_now(self) -> Explained:
        """Explain what is on the screen and wait for it: for programs without an event loop."""
        assert self.shown is not None
        self.jobs.cancel()
        return self.explanations.explain(
            self.opened, self.shown, self.question, self.design.composite
        )

    def close(self) -> None:
        """End the session: cancel its work, let go of what it holds."""
        self.jobs.close()
        self.explanations.forget()

    def _do(self, step: Snapshot) -> None:
        self.param.update(**_of(self.past.do(step)))

    def _by_id(self, identity: str) -> Design:
        found: Design = next(d for d in self.designs if d.id == identity)
        return found

    def _try(self, action: Callable[[], object]) -> bool:
        """Do something; show the user what is wrong with it if it cannot be done."""
        try:
            action()
        except OnnxLrpError as error:
            self.tell(as_line(error))
            return False
        return True

    def _refresh(self, *_: object) -> None:
        """Explain what is on the screen; at once, if that is known."""
        shown = self.shown
        if self.network is None or shown is None or not self.designs:
            return
        asked = self.opened, shown, self.question, self.design.composite
        layers = [s.start for s in self.segments]
        known = self.explanations.found(*asked, layers=layers)
        if known is not None:
            self.jobs.cancel("explain")
            self._show(known)
            return
        self.pending = True
        self.jobs.cancel("books")
        self.jobs.run(
            "explain",
            lambda progress: self.explanations.explain(*asked, layers=layers, progress=progress),
            self._show,
            title=f"Explaining {shown.name} under {self.design.name}",
            debounce=_DEBOUNCE,
        )

    def _show(self, explained: Explained) -> None:
        """Show a result; its books follow when the screen has it."""
        self.param.update(explained=explained, pending=False, books=explained.books)
        shown = self.shown
        if explained.books or shown is None:
            return
        asked = self.opened, shown, self.question, self.design.composite
        self.jobs.run(
            "books",
            lambda progress: self.explanations.explain(*asked, books=True, progress=progress),
            lambda made: setattr(self, "books", made.books),
            title=f"Keeping books of {self.design.name}",
        )


def _of(history: History) -> dict[str, Any]:
    """The parameters that follow from a history."""
    now = history.now
    return {"history": history, "designs": now.designs, "current": now.current}


def _beginning(network: Network) -> History:
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
