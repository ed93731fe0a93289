"""Relevance on its way down: what each layer gets and what it keeps, and where most is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import panel as pn
from bokeh.events import Tap
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.models.annotations import BoxAnnotation
from bokeh.plotting import figure

from onnxlrp.books import LayerBooks
from onnxlrp.evaluate import LayerStatistics

from .legend import CurveNames

_SUMS: Final = {
    "Σ R": ("arrived", "#222c38", "solid", "circle"),
    "R⁺": ("positive", "#d0413d", "dashed", "triangle"),
    "R⁻": ("negative", "#2f7fc4", "dotted", "inverted_triangle"),
    "absorbed by bias": ("bias", "#b8860b", "bar", "square"),
    "absorbed by ε": ("epsilon", "#7a6fd6", "bar", "diamond"),
}
_ENTROPIES: Final = {
    "entropy of R": ("relevance_entropy", "#009e73", "solid", "circle"),
    "of R⁺": ("positive_entropy", "#d0413d", "dashed", "triangle"),
    "of R⁻": ("negative_entropy", "#2f7fc4", "dotted", "inverted_triangle"),
    "of the activation": ("activation_entropy", "#8a8f98", "dotdash", "square"),
}
_GREY = "#8a8f98"


class LayersChart:
    """A chart with a place for every layer, the input at the left.

    Parameters
    ----------
    pick : callable(layer's name)
        Called when a layer is clicked.
    height : int
        In pixels; it is as wide as its place.
    """

    def __init__(self, pick: Callable[[str], None], height: int = 290) -> None:
        self._names: list[str] = []
        self._kind = _SUMS
        self._source = ColumnDataSource()
        self._lines: list[Any] = []
        self.figure = figure(
            height=height,
            sizing_mode="stretch_width",
            tools="xpan,xwheel_zoom,reset,save",
            toolbar_location="above",
            active_scroll=None,
        )
        self.figure.toolbar.autohide = True
        self.figure.toolbar.logo = None
        self.figure.background_fill_alpha = self.figure.border_fill_alpha = 0
        self._lost = BoxAnnotation(
            left=0, right=1, fill_color="#ff9d00", fill_alpha=0.22, visible=False, level="underlay"
        )
        self.figure.add_layout(self._lost)
        self._hover = HoverTool(mode="vline")
        self.figure.add_tools(self._hover)
        self.figure.on_event(Tap, lambda event: self._tapped(event.x, pick))
        self.names = CurveNames(sizing_mode="stretch_width", margin=0)
        self.names.param.watch(lambda event: self._hide(), "hidden")
        self.pane = pn.Column(
            pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", height=height, margin=0),
            self.names,
            sizing_mode="stretch_width",
            margin=0,
        )

    def show(
        self,
        statistics: Sequence[LayerStatistics],
        lost: LayerBooks | None = None,
        entropy: bool = False,
    ) -> None:
        """Draw the layers of the first picture, from the input up, and mark one of them."""
        layers = [*reversed(statistics)]
        self._names = [each.layer.name for each in layers]
        self._kind = _ENTROPIES if entropy else _SUMS
        places = np.arange(len(layers))
        data = {"x": places, "layer": self._names, "rule": [s.rule or s.layer.op for s in layers]}
        data |= {
            key: np.array([getattr(each, key)[0] for each in layers])
            for key, *_ in self._kind.values()
        }
        self._source = ColumnDataSource(data)
        self.figure.renderers = []
        self._hover.renderers = []
        self._draw()
        self._hover.renderers = self._lines[:1]
        self._hover.tooltips = [("", "@layer"), ("", "@rule")] + [
            (name, f"@{key}{{0.[0000]}}") for name, (key, *_) in self._kind.items()
        ]
        self.figure.xaxis.ticker = _ticks(len(layers))
        self.figure.xaxis.major_label_overrides = dict(enumerate(self._names))
        self.figure.xaxis.major_label_orientation = 0.6
        self.figure.yaxis[0].axis_label = "entropy, log₁₀" if entropy else "relevance"
        at = -1 if lost is None else self._names.index(lost.layer.name)
        self._lost.update(left=at - 0.5, right=at + 0.5, visible=at >= 0)
        self.names.items = [
            {
                "name": name,
                "colour": _GREY if key == "arrived" else colour,
                "dash": "solid" if dash == "bar" else dash,
                "mark": mark,
            }
            for name, (key, colour, dash, mark) in self._kind.items()
        ]
        self._hide()

    def _draw(self) -> None:
        """The bars and lines."""
        self._lines.clear()
        bars = [key for key, _, dash, _ in self._kind.values() if dash == "bar"]
        for name, (key, colour, dash, mark) in self._kind.items():
            if dash == "bar":
                shift = 0.2 if bars.index(key) else -0.2
                places = np.asarray(self._source.data["x"]) + shift
                tops = self._source.data[key]
                bar = self.figure.vbar(places, 0.36, tops, color=colour, alpha=0.8)
                bar.tags = [name]
                continue
            ink = _GREY if key == "arrived" else colour
            how: dict[str, Any] = {"source": self._source, "color": ink}
            line = self.figure.line("x", key, line_width=2, line_dash=dash, **how)
            marks = self.figure.scatter("x", key, size=5, marker=mark, **how)
            line.tags = marks.tags = [name]
            self._lines.append(line)

    def _hide(self) -> None:
        """Draw all but what is hidden."""
        for renderer in self.figure.renderers:
            renderer.visible = renderer.tags[0] not in self.names.hidden

    def _tapped(self, x: float, pick: Callable[[str], None]) -> None:
        """Tell which layer was clicked."""
        place = round(x)
        if 0 <= place < len(self._names):
            pick(self._names[place])


def _ticks(count: int) -> list[int]:
    """Which layers are named below: 24 at most.

    Examples
    --------
    >>> _ticks(3), len(_ticks(200)) <= 24
    ([0, 1, 2], True)
    """
    step = max(1, -(-count // 24))
    return [*range(0, count, step)]
