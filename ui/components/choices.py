"""A row or grid of buttons of which one is pressed; and keys that work anywhere on the page."""

from __future__ import annotations

from typing import ClassVar

import param

from .script import Gestures, script, style


class Choices(Gestures):
    """Buttons under a heading.

    Gesture: ``choose(key)``.
    """

    heading = param.String("", doc="What is chosen, shown above the buttons.")
    options = param.List(doc="[{key, label, title, off}]; label is HTML.")
    chosen = param.String("", doc="Key of the pressed button; none if it is no option's.")
    beside = param.Boolean(False, doc="Whether the heading stands left of the buttons.")
    columns = param.Integer(0, doc="Buttons in a row; 0 for all of them.")
    wrong = param.String("", doc="What is wrong with what was chosen.")

    _esm = script("choices")
    _stylesheets: ClassVar[list[str]] = [style("choices")]


class Shortcuts(Gestures):
    """Shows nothing; tells of keys pressed anywhere but in a field.

    Gesture: ``key(name)`` with a name of ``keys``.
    """

    keys = param.Dict({}, doc="'ctrl+z' → name; ctrl is the command key on a Mac, too.")

    _esm = script("shortcuts")
