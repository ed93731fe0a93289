"""How a component finds its script and style, which are files beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

_FOLDER = Path(__file__).parent


def script(*names: str) -> str:
    """The component's scripts, behind what all share."""
    return "\n".join((_FOLDER / f"{part}.js").read_text("utf-8") for part in ("dom", *names))


def style(name: str) -> str:
    """The component's style sheet, behind what all share."""
    return "\n".join((_FOLDER / f"{part}.css").read_text("utf-8") for part in ("shared", name))


class Gestures(JSComponent):
    """A component that tells what a person did on it, as plain data.

    ``on_gesture(f)`` calls ``f(kind, **values)`` for each gesture; which there are, each component
    says.
    """

    met = param.Boolean(False, doc="Whether the browser has told anything yet; see dom.js.")

    __abstract = True

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._told: list[Callable[..., None]] = []

    def on_gesture(self, handler: Callable[..., None]) -> None:
        """Call ``handler(kind, **values)`` from now on."""
        self._told.append(handler)

    def _handle_msg(self, data: Any) -> None:
        values = dict(data)
        kind = values.pop("kind")
        for handler in self._told:
            handler(kind, **values)
