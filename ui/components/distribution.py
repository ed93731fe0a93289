"""Scores of many pictures under some designs: a dot each, the mean, and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.models.annotations import Span
from bokeh.plotting import figure
from numpy.typing import NDArray

from onnxlrp.evaluate import bootstrap_interval

from .curves import COLOURS, GREY

_ROW: Final = 46  # pixels for each name
_SPREAD: Final = 0.28  # of the dots around their line


class Distribution:
    """A line of dots for each name, on one scale.

    Parameters
    ----------
    x_label : str
    zero : bool
        Whether 0 is marked: for differences.
    """

    def __init__(self, x_label: str = "", zero: bool = False) -> None:
        self.figure = figure(
            height=2 * _ROW,
            sizing_mode="stretch_width",
            tools="xpan,xwheel_zoom,reset,save",
            toolbar_location="above",
            active_scroll=None,
            x_axis_label=x_label,
            y_range=Range1d(start=-0.5, end=0.5),
        )
        self.figure.toolbar.autohide = True
        self.figure.toolbar.logo = None
        self.figure.background_fill_alpha = self.figure.border_fill_alpha = 0
        self.figure.ygrid.visible = False
        if zero:
            self.figure.add_layout(Span(dimension="height", location=0, line_color=GREY))
        self._hover = HoverTool(tooltips=[("", "@name"), ("", "@image"), ("", "@value{0.[0000]}")])
        self.figure.add_tools(self._hover)
        self.pane = pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", margin=0)

    def show(
        self,
        names: Sequence[str],
        values: NDArray[np.float64],
        images: Sequence[str],
        x_label: str | None = None,
        numbers: Sequence[int] | None = None,
    ) -> None:
        """Put these in place of what was there.

        Parameters
        ----------
        names : sequence of str, (lines,)
        values : ndarray, float64, (images, lines)
            NaN where there is none.
        images : sequence of str
        numbers : sequence of int, optional
            Choose the colours; the order of the names unless given.
        """
        self.figure.renderers = []
        self._hover.renderers = []
        dots = [
            self._draw(place, name, values[:, place], images, number)
            for place, (name, number) in enumerate(
                zip(names, numbers or range(len(names)), strict=True)
            )
        ]
        self._hover.renderers = dots
        self.figure.y_range.update(start=len(names) - 0.4, end=-0.6)
        self.figure.yaxis.ticker = [*range(len(names))]
        self.figure.yaxis.major_label_overrides = dict(enumerate(names))
        self.figure.height = 70 + _ROW * max(1, len(names))
        if x_label is not None:
            self.figure.xaxis[0].axis_label = x_label

    def _draw(
        self,
        place: int,
        name: str,
        values: NDArray[np.float64],
        images: Sequence[str],
        number: int,
    ) -> Any:
        """One line of dots; returns the dots."""
        known = np.isfinite(values)
        scatter = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(values))
        source = ColumnDataSource(
            {
                "value": values[known],
                "y": (place + scatter)[known],
                "image": [image for image, good in zip(images, known, strict=True) if good],
                "name": [name] * int(known.sum()),
            }
        )
        colour = COLOURS[number % len(COLOURS)]
        dots = self.figure.scatter("value", "y", source=source, size=6, color=colour, alpha=0.45)
        if known.any():
            low, high = bootstrap_interval(values[known])
            ends = [float(low), float(high)]
            self.figure.line(ends, [place, place], color="#ff9d00", line_width=3)
            mean = [float(values[known].mean())]
            self.figure.scatter(
                mean, [place], marker="diamond", size=14, color="#ff9d00", line_color="#222222"
            )
        return dots
