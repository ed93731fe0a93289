"""A word from the browser that what came to the page has been built."""

from __future__ import annotations

import param
from panel.custom import JSComponent

from .script import script


class Arrival(JSComponent):
    """Invisible; added to the page together with something, it tells when both are there."""

    there = param.Boolean(False, doc="Whether the browser shows it.")

    _esm = script("arrival")
