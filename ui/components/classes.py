"""The network's answer: its strongest classes as bars, of which one is the target."""

from __future__ import annotations

from typing import ClassVar

import param

from .script import Gestures, script, style


class ClassBars(Gestures):
    """The top classes, the strongest first.

    Gestures: ``pick(index)`` explain this class; ``against(index)`` explain the difference between
    the target and this class (Shift or Ctrl with a click).
    """

    classes = param.List(doc="[{index, label, value, text, share}], share within 0…1 is the bar.")
    target = param.Integer(-1, doc="The explained class.")
    versus = param.Integer(-1, doc="The class it is compared with, −1 without.")

    stale = param.Boolean(False, doc="Whether they are those of an earlier state.")

    _esm = script("classes")
    _stylesheets: ClassVar[list[str]] = [style("classes")]
