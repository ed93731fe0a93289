"""The design manager's cards: a name, a strip of segments, and what can be done with a design."""

from __future__ import annotations

from typing import ClassVar

import param

from .script import Gestures, script, style


class DesignCards(Gestures):
    """One card a design, the one being edited marked.

    Gestures: ``choose(id)``, ``duplicate(id)``, ``rename(id, name)``, ``delete(id)``.
    """

    designs = param.List(doc="[{id, name, note, segments: [{first, last, label, colour}]}]")
    current = param.String("", doc="Id of the design that is being edited.")

    _esm = script("cards")
    _stylesheets: ClassVar[list[str]] = [style("cards")]
