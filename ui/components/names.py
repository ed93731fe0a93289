"""Names, for screen readers, of what Panel Material UI's widgets leave without."""

from __future__ import annotations

from .script import Gestures, script


class Names(Gestures):
    """Shows nothing; gives the ± buttons of number fields their names, wherever they come up."""

    _esm = script("names")
