"""The workbench: the one home of a session's state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import param

from .drafts import Drafts, beginning, parameters_of
from .explained import Explained
from .history import History
from .jobs import Jobs, Schedule, as_line, at_once
from .look import Look
from .networks import Network, Picture, packaged_network, packaged_pictures, read_picture
from .results import Explanations
from .scores import Question
from .store import Store

_DEBOUNCE = 0.02  # seconds: what a dragged slider sends in one go is computed once


class Workbench(Drafts):
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

    pictures = param.ClassSelector(
        class_=tuple, default=(), doc="Picture values, as the network sees them."
    )
    picture = param.Integer(0, doc="Position of the picture on the screen.")
    question = param.ClassSelector(class_=Question, default=Question(), doc="Target and unit.")
    selection = param.ClassSelector(class_=frozenset, default=frozenset(), doc="Layer indices.")
    look = param.ClassSelector(class_=Look, default=Look(), doc="How heatmaps are drawn.")
    explained = param.ClassSelector(class_=Explained, doc="Current design on current picture.")
    pending = param.Boolean(False, doc="Whether `explained` is that of an earlier state.")
    failed = param.String("", doc="Why there is nothing newer than `explained`; empty if there is.")
    books = param.ClassSelector(
        class_=tuple, default=(), doc="LayerBooks of the current design; () until known."
    )
    place = param.String("design", doc="The view on the screen.")

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
    def shown(self) -> Picture | None:
        """The picture on the screen."""
        return self.pictures[self.picture] if self.pictures else None

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
        history = self._histories.get(network.sha256) or beginning(network)
        same = self.network is not None and self.network.sha256 == network.sha256
        question = self.question if same else Question("top1", self.question.kind)
        self.param.update(
            network=network,
            pictures=tuple(pictures),
            picture=0,
            question=question,
            selection=frozenset(),
            **({} if same else {"explained": None, "books": ()}),
            **parameters_of(history),
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
        self.param.update(pending=True, failed="")
        self.jobs.cancel("books")
        self.jobs.run(
            "explain",
            lambda progress: self.explanations.explain(*asked, layers=layers, progress=progress),
            self._show,
            title=f"Explaining {shown.name} under {self.design.name}",
            failed=self._fail,
            debounce=_DEBOUNCE,
        )

    def _fail(self, error: Exception) -> None:
        """Say why what is on the screen cannot be explained, and go on saying it."""
        self.tell_error(error)
        self.failed = as_line(error)

    def _show(self, explained: Explained) -> None:
        """Show a result; its books follow when the screen has it."""
        self.param.update(explained=explained, pending=False, failed="", books=explained.books)
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
