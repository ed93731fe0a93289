"""A text to take along: shown, and copied to the clipboard by a button."""

from __future__ import annotations

from typing import ClassVar

import param

from .script import Gestures, script, style


class Copy(Gestures):
    """A read-only text with a button that copies it."""

    text = param.String("")
    label = param.String("", doc="What it is.")
    rows = param.Integer(3)

    _esm = script("copy")
    _stylesheets: ClassVar[list[str]] = [style("copy")]
