"""The open pictures as a row of thumbnails, the one on the screen marked."""

from __future__ import annotations

from typing import ClassVar

import param

from .script import Gestures, script, style


class Thumbs(Gestures):
    """Gestures: ``pick(index)``, ``remove(index)``, ``add()``."""

    pictures = param.List(doc="[{name, url}]")
    current = param.Integer(0)
    size = param.Integer(44, doc="Of a thumbnail, in pixels.")
    most = param.String("none", doc="How high it may grow, as CSS writes it, before it scrolls.")
    can_add = param.Boolean(True, doc="Whether a button leads to opening more.")

    _esm = script("thumbs")
    _stylesheets: ClassVar[list[str]] = [style("thumbs")]
