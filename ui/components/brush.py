"""A free-hand brush on a picture, mirrored on its heatmap."""

from __future__ import annotations

from typing import ClassVar, Final

import param
from panel.custom import JSComponent

from .script import script, style

RADIUS: Final = 10
"""Of the brush at first, in pixels of the picture: 20 across, as VisLRPDesigner has it."""

EMPTY: Final = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="


class Brush(JSComponent):
    """Two pictures of one size; what is painted on one appears on both.

    Parameters
    ----------
    picture, heatmap : str
        Images as data URLs.
    rows, columns : int
        Size of the picture in its own pixels, the unit of all that follows.
    radius : int
    strokes : list of {"radius": number, "points": [[x, y], …]}
        What was painted, in its order; taking the last one away undoes it.
    """

    picture = param.String(EMPTY)
    heatmap = param.String(EMPTY)
    rows = param.Integer(1, bounds=(1, None))
    columns = param.Integer(1, bounds=(1, None))
    radius = param.Integer(RADIUS, bounds=(1, 60))
    strokes = param.List([])

    _esm = script("brush")
    _stylesheets: ClassVar[list[str]] = [style("brush")]
