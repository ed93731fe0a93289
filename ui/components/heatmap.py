"""A relevance map on a canvas: sharp pixels, and the value under the pointer."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import param
from numpy.typing import NDArray

from onnxlrp.render.colormaps import colormap

from ..state import Look
from .script import Gestures, script, style


class HeatMap(Gestures):
    """A map of relevance, coloured in the browser, so that its look changes without a computation.

    Gesture: ``open()`` a person clicked it, or pressed Enter on it.
    """

    values = param.Bytes(default=b"", doc="float32, row by row.")
    rows = param.Integer(0)
    columns = param.Integer(0)
    limit = param.Number(1.0, doc="The relevance that gets the strongest colour.")
    sign = param.String("both", doc="'both', 'positive' or 'negative': what is shown.")
    table = param.Bytes(default=b"", doc="256 colours RGB, zero at 128.")
    under = param.Bytes(default=b"", doc="Luminance of the picture below, uint8, same size.")
    overlay = param.Number(0.0, doc="How strongly the picture shows below.")
    total = param.Number(0.0, doc="What 100 % is in the read-out: Σ R at the output.")
    stale = param.Boolean(False, doc="Whether the map is that of an earlier state.")
    label = param.String("Heatmap", doc="For screen readers.")
    room = param.String("", doc="How high it may be, as CSS writes a length; '' for any height.")

    _esm = script("paint", "heatmap")
    _stylesheets: ClassVar[list[str]] = [style("heatmap")]

    def draw(
        self,
        relevance: NDArray[np.float32],
        look: Look,
        *,
        limit: float | None = None,
        picture: NDArray[np.uint8] | None = None,
        total: float = 0.0,
        label: str = "",
    ) -> None:
        """Draw a map, in one message to the browser.

        Parameters
        ----------
        relevance : ndarray, float32, (H, W)
        look : Look
        limit : float, optional
            In place of what the look makes of this map: a scale shared by several.
        picture : ndarray, uint8, (H, W, 3), optional
            Shows below the map if the look says so and it has the map's size.
        total : float
            Σ R at the output.
        """
        height, width = relevance.shape
        under = b""
        if look.overlay and picture is not None and picture.shape[:2] == relevance.shape:
            under = luminance(picture).tobytes()
        self.param.update(
            values=np.ascontiguousarray(relevance, np.float32).tobytes(),
            rows=height,
            columns=width,
            limit=look.limit_of(relevance) if limit is None else limit,
            sign=look.sign,
            table=colormap(look.colormap).tobytes(),
            under=under,
            overlay=look.overlay,
            total=float(total),
            label=label or self.label,
        )

    def clear(self, label: str) -> None:
        """Draw nothing: there is no map yet."""
        self.param.update(values=b"", label=label)


def luminance(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Brightness of every pixel (ITU-R BT.601), (H, W, 3) → (H, W)."""
    grey: NDArray[np.float64] = picture @ np.array([0.299, 0.587, 0.114])
    return np.rint(grey).astype(np.uint8)
