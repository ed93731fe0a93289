"""Undo, redo, and the list of steps."""

from __future__ import annotations

import panel as pn
from panel.viewable import Viewable, Viewer

from ..components.choices import Choices
from ..state import Workbench


class HistoryView(Viewer):
    """The steps of a session; each can be gone back to.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self.moves = Choices(sizing_mode="stretch_width", margin=0)
        self.moves.on_gesture(lambda kind, key: getattr(bench, key)())
        self.steps = Choices(columns=1, sizing_mode="stretch_width", margin=0)
        self.steps.on_gesture(lambda kind, key: bench.jump(int(key)))
        bench.param.watch(lambda *_: self.refresh(), "history")
        if bench.history is not None:
            self.refresh()
        self._body = pn.Column(
            self.moves,
            pn.Column(self.steps, sizing_mode="stretch_width", max_height=220, scroll=True),
            sizing_mode="stretch_width",
        )

    def __panel__(self) -> Viewable:
        return self._body

    def refresh(self) -> None:
        """Show the steps, the last one on top."""
        past = self.bench.past
        self.moves.options = [
            {"key": "undo", "label": "Undo", "title": "Ctrl+Z", "off": not past.can_undo},
            {"key": "redo", "label": "Redo", "title": "Ctrl+Shift+Z", "off": not past.can_redo},
        ]
        steps = [
            {"key": str(i), "label": label or "Start", "title": f"Go to step {i}"}
            for i, label in enumerate(past.labels)
        ]
        self.steps.param.update(options=steps[::-1], chosen=str(past.position))
