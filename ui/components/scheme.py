"""Light or dark: what the system prefers until a person chooses."""

from __future__ import annotations

import param

from .script import Gestures, script


class Scheme(Gestures):
    """Shows nothing; keeps ``dark`` as the system has it, or as it was chosen on this computer."""

    dark = param.Boolean(False, doc="Whether the page is dark; a change made here is a choice.")

    _esm = script("scheme")
