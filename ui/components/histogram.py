"""A histogram with a band across it."""

from __future__ import annotations

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource
from bokeh.models.annotations import BoxAnnotation
from bokeh.plotting import figure
from numpy.typing import ArrayLike, NDArray

_BINS = 80


class Histogram:
    """How often values occur, on a logarithmic scale: most pixels have next to no relevance.

    Parameters
    ----------
    x_label : str
    height : int
        In pixels; it is as wide as its place.
    """

    def __init__(self, x_label: str, height: int = 300) -> None:
        self.figure = figure(
            height=height,
            sizing_mode="stretch_width",
            tools="save",
            toolbar_location=None,
            x_axis_label=x_label,
            y_axis_label="pixels, log₁₀(1 + n)",
        )
        self.figure.background_fill_alpha = self.figure.border_fill_alpha = 0
        self.figure.y_range.start = 0  # type: ignore[attr-defined]  # it is a Range1d
        self._bars = ColumnDataSource({"left": [], "right": [], "top": [], "colour": []})
        self.figure.quad(
            left="left",
            right="right",
            top="top",
            bottom=0,
            color="colour",
            line_color=None,
            source=self._bars,
        )
        self._band = BoxAnnotation(
            left=0,
            right=0,
            fill_color="#ff9d00",
            fill_alpha=0.25,
            line_color="#ff9d00",
            line_width=2,
            visible=False,
        )
        self.figure.add_layout(self._band)
        self.pane = pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", height=height)

    def show(self, values: ArrayLike) -> None:
        """Count these values."""
        left, right, top = histogram(values)
        colour = np.where(left + right >= 0, "#c4302f", "#1f66ae")
        self._bars.data = {"left": left, "right": right, "top": top, "colour": colour}

    def mark(self, low: float, high: float) -> None:
        """Lay the band from ``low`` to ``high``."""
        self._band.update(left=low, right=high, visible=True)


def histogram(
    values: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Left and right edges of the bins, and log₁₀(1 + n); no bin holds values of both signs.

    Examples
    --------
    >>> left, right, top = histogram([-1.0, 1.0, 1.0])
    >>> float(left[0]), float(right[-1]), float(top.max().round(3))
    (-1.0, 1.0, 0.477)
    """
    flat = np.asarray(values, np.float64).reshape(-1)
    low, high = min(0.0, float(flat.min())), max(0.0, float(flat.max()))
    if low == high:
        low, high = -1.0, 1.0
    width = (high - low) / _BINS
    below, above = int(np.ceil(-low / width - 1e-9)), int(np.ceil(high / width - 1e-9))
    edges = np.concatenate([np.linspace(low, 0, below + 1)[:-1], np.linspace(0, high, above + 1)])
    counts, _ = np.histogram(flat, edges)
    return edges[:-1], edges[1:], np.log10(1.0 + counts)
