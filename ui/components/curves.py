"""A chart of curves that are told apart by dash and mark as well as by colour, with a cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.models.annotations import Span
from bokeh.plotting import figure
from numpy.typing import NDArray

from .legend import CurveNames

Dash = Literal["solid", "dashed", "dotted", "dotdash"]

# The colours of Okabe and Ito, which people with any colour vision tell apart, made to stand out on
# white and on black alike.
COLOURS: Final = ("#0a84c9", "#d55e00", "#009e73", "#c76a9e", "#b8860b", "#7a6fd6", "#4aa8d8")
GREY: Final = "#8a8f98"
MARKS: Final = ("circle", "square", "triangle", "diamond", "inverted_triangle", "star", "plus")
_MARKED: Final = 9  # marks on a curve, about


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One curve of a chart.

    Attributes
    ----------
    name : str
        In the legend and under the pointer.
    x, y : ndarray, float, (points,)
    number : int or None
        Chooses colour and mark; None is grey without marks.
    dash : str
    low, high : ndarray, float, (points,), or None
        A band.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    number: int | None = 0
    dash: Dash = "solid"
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None

    @property
    def colour(self) -> str:
        """As its number says."""
        return GREY if self.number is None else COLOURS[self.number % len(COLOURS)]

    @property
    def mark(self) -> str | None:
        """As its number says."""
        return None if self.number is None else MARKS[self.number % len(MARKS)]


class CurveChart:
    """A chart whose curves and cursor change in place.

    Parameters
    ----------
    x_label, y_label : str
    height : int
        In pixels; it is as wide as its place.
    """

    def __init__(self, x_label: str, y_label: str, height: int = 330) -> None:
        self._x_label = x_label
        self.figure = figure(
            height=height,
            sizing_mode="stretch_width",
            tools="pan,box_zoom,wheel_zoom,reset,save",
            toolbar_location="above",
            x_axis_label=x_label,
            y_axis_label=y_label,
            active_scroll=None,
        )
        self.figure.toolbar.autohide = True
        self.figure.toolbar.logo = None
        self.figure.background_fill_alpha = 0
        self.figure.border_fill_alpha = 0
        self.figure.min_border_right = 12
        self._hover = HoverTool(
            tooltips=self._tips(x_label, y_label),
            renderers=[],
        )
        self._cursor = Span(
            dimension="height",
            location=0,
            line_color="#ff9d00",
            line_width=2,
            visible=False,
            name="cursor",
        )
        self.legend = CurveNames(sizing_mode="stretch_width", margin=0)
        self._drawn: dict[str, list[Any]] = {}
        self.figure.add_tools(self._hover)
        self.figure.add_layout(self._cursor)
        self.legend.param.watch(self._hide, "hidden")
        self.pane = pn.Column(
            pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", height=height, margin=0),
            self.legend,
            sizing_mode="stretch_width",
            margin=0,
        )

    @staticmethod
    def _tips(x_label: str, y_label: str) -> list[tuple[str, str]]:
        """What stands under the pointer."""
        return [("", "@name"), (x_label, "@x{0.[000]}"), (y_label, "@y{0.[0000]}")]

    def show(self, lines: Sequence[Line], y_label: str | None = None) -> None:
        """Put these curves in place of what was there."""
        # Drawn beside the page, so that what is on it changes once: of a curve that is replaced
        # before the browser was told of it, the browser would be told that it is not there.
        beside = figure()
        self._drawn = {line.name: list(_draw(beside, line)) for line in lines}
        self._hide()
        self.figure.renderers = list(beside.renderers)
        self._hover.renderers = [renderers[-1] for renderers in self._drawn.values()]
        self.legend.items = [
            {"name": line.name, "colour": line.colour, "dash": line.dash, "mark": line.mark}
            for line in lines
        ]
        if y_label is not None:
            self.figure.yaxis[0].axis_label = y_label
            self._hover.tooltips = self._tips(self._x_label, y_label)

    def _hide(self, *_: Any) -> None:
        """Draw all curves but those that are hidden."""
        for name, renderers in self._drawn.items():
            for renderer in renderers:
                renderer.visible = name not in self.legend.hidden

    def point(self, x: float | None) -> None:
        """Move the cursor, or take it away."""
        self._cursor.visible = x is not None
        if x is not None:
            self._cursor.location = float(x)


def _draw(on: figure, line: Line) -> Iterator[Any]:
    """The renderers of one curve on a chart; the line itself last."""
    source = ColumnDataSource(
        {"x": line.x, "y": line.y, "name": [line.name] * len(line.x)}, name=line.name
    )
    if line.low is not None and line.high is not None and (line.low != line.high).any():
        yield on.varea(line.x, line.low, line.high, fill_color=line.colour, fill_alpha=0.16)
    if line.mark is not None:
        every = np.unique(np.linspace(0, len(line.x) - 1, _MARKED).round().astype(int))
        yield on.scatter(line.x[every], line.y[every], marker=line.mark, size=8, color=line.colour)
    yield on.line("x", "y", source=source, color=line.colour, line_width=2, line_dash=line.dash)


def numbered(names: Sequence[str]) -> dict[str, int]:
    """Give every name its own colour and mark, in their order.

    Examples
    --------
    >>> numbered(["a", "b"])
    {'a': 0, 'b': 1}
    """
    return dict(zip(names, count(), strict=False))
