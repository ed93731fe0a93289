"""Linked maps: rows × columns of heatmaps with one zoom, one crosshair and one read-out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import param
from numpy.typing import NDArray

from onnxlrp.render.colormaps import colormap

from .script import Gestures, script, style


class MapGrid(Gestures):
    """A grid of relevance maps, each drawn with crisp pixels, all seen from one viewpoint.

    A cell names its map by an id; the values follow when the browser asks for them, once, however
    often the cell is redrawn.

    Gestures: ``move_column(key, to)``, ``remove_column(key)``, ``reference(key)``,
    ``move_row(key, to)``, ``remove_row(key)``, ``retarget(key, target)``, ``open(row, column)``.
    """

    rows = param.List(doc="[{key, name, picture, target, classes}]; picture is a data URL.")
    columns = param.List(doc="[{key, name, kind, note, reference, strip}].")
    cells = param.List(doc="[{row, column, state, map, limit, note, numbers}].")
    stage = param.String("", doc="How far the running cell is.")
    table = param.List(colormap().reshape(-1).tolist(), doc="256 colours, red, green and blue.")
    sign = param.String("both", doc="Of the relevance that is drawn: both, positive or negative.")
    overlay = param.Number(0.0, bounds=(0, 1), doc="How strongly the picture shows beneath.")

    _esm = script("paint", "maps")
    _stylesheets: ClassVar[list[str]] = [style("maps")]

    def __init__(self, find: Callable[[str], NDArray[np.float32] | None], **params: Any) -> None:
        super().__init__(**params)
        self._find = find

    def _handle_msg(self, data: Any) -> None:
        if data["kind"] == "fetch":
            self._send_maps(data["maps"])
        else:
            super()._handle_msg(data)

    def _send_maps(self, ids: Sequence[str]) -> None:
        """Send the maps that there are still; a map that is gone has no cell any more."""
        for name in ids:
            found = self._find(name)
            if found is not None:
                self._send_msg({"map": name, "relevance": np.ascontiguousarray(found)})
