"""Fields for the bounds of z^B."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable, Viewer

from onnxlrp.rules import Rule, Unified, ZBox
from onnxlrp.rules.checks import thaw


class BoundsView(Viewer):
    """Low and high, each a number or a list as in files; both empty: from the preprocessing.

    Parameters
    ----------
    changed : callable(low, high)
        Told when a person changed one.
    """

    def __init__(self, changed: Callable[[Any, Any], None]) -> None:
        super().__init__()
        self._changed = changed
        self._showing = False
        self.low, self.high = (
            pmui.TextInput(
                label=f"{name} of zᴮ",
                placeholder="from preprocessing",
                size="small",
                sizing_mode="stretch_width",
            )
            for name in ("low", "high")
        )
        self._wrong = pn.pane.HTML("", sizing_mode="stretch_width", visible=False)
        for field in (self.low, self.high):
            field.param.watch(lambda *_: self._told(), "value")
        self._body = pn.Column(
            pn.Row(self.low, self.high, sizing_mode="stretch_width"),
            self._wrong,
            sizing_mode="stretch_width",
        )

    def __panel__(self) -> Viewable:
        return self._body

    @property
    def wrong(self) -> str:
        """What is wrong with what was given."""
        return str(self._wrong.object)

    @wrong.setter
    def wrong(self, text: str) -> None:
        self._wrong.param.update(
            object=f'<div role="alert" style="color:#d32f2f;font-size:11px">{text}</div>',
            visible=bool(text),
        )
        for field in (self.low, self.high):
            field.error_state = bool(text)

    def refresh(self, rule: Rule) -> None:
        """Show a rule's bounds; nothing if it has none."""
        self._body.visible = isinstance(rule, ZBox | Unified)
        self._showing = True
        try:
            self.low.value, self.high.value = (_written(rule, key) for key in ("low", "high"))
        finally:
            self._showing = False
        self.wrong = ""

    def _told(self) -> None:
        if self._showing:
            return
        try:
            low, high = (_read(field.value) for field in (self.low, self.high))
        except ValueError:
            self.wrong = "Give a number, or a list of them as in [[-2.1], [-2.0], [-1.8]]."
            return
        self._changed(low, high)


def _written(rule: Rule, key: str) -> str:
    value = getattr(rule, key, None)
    return "" if value is None else json.dumps(thaw(value))


def _read(text: str) -> Any:
    return json.loads(text) if text.strip() else None
