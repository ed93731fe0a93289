"""The tabs of the page: which view is on the screen."""

from __future__ import annotations

from typing import ClassVar

import param

from .script import Gestures, script, style


class Places(Gestures):
    """One tab a view. Gesture: ``go(key)``."""

    places = param.List(doc="[{key, title}]")
    current = param.String("")

    _esm = script("places")
    _stylesheets: ClassVar[list[str]] = [style("places")]
