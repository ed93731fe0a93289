"""The segments of a design: ruler, and beside it what each of them does."""

from __future__ import annotations

from html import escape
from typing import Any

from panel.viewable import Viewable, Viewer

from ..components.bars import bars
from ..components.ruler import Ruler, all_folds, folds_of, large_folds
from ..layout.stages import stages
from ..state import (
    Explained,
    Segment,
    Workbench,
    bounds_of,
    linear_layers,
    merge,
    move_bound,
    split,
)
from .equation import equation
from .images import map_url

MOST_OPEN = 40
"""Networks with more layers than this begin folded, but for folds of more than half of them."""


class RulerView(Viewer):
    """The ruler of the current design; all edits go through the bench.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self.ruler = Ruler(sizing_mode="stretch_width")
        self.ruler.on_gesture(self._gesture)
        bench.param.watch(lambda *_: self._open(), "network")
        bench.param.watch(
            lambda *_: self._segments(),
            ["network", "designs", "current", "explained", "pending", "failed", "look"],
        )
        bench.param.watch(lambda *_: self._selection(), "selection")
        if bench.network is not None:
            self._open()
            self._segments()

    def __panel__(self) -> Viewable:
        return self.ruler

    # ------------------------------------------------------------------------------- what is shown
    def _open(self) -> None:
        model = self.bench.model
        linear = linear_layers(model)
        folds = stages(model)
        self.ruler.param.update(
            layers=[
                {
                    "name": layer.name,
                    "op": layer.op,
                    "ruled": layer.index in linear,
                    "note": f"merged into it: {', '.join(layer.merged)}" if layer.merged else "",
                }
                for layer in model.layers
            ],
            folds=folds_of(folds),
            places=list(bounds_of(model)),
            opened=all_folds(folds)
            if len(model.layers) <= MOST_OPEN
            else large_folds(folds, len(model.layers) // 2),
        )
        if not self.bench.selection and self.bench.segments:
            self.bench.select(self.bench.segments[0].layers)

    def _segments(self) -> None:
        """Show segments and what each of them does; in one go, so that they never disagree."""
        self.ruler.segments = [self._segment(s) for s in self.bench.segments]
        self.ruler.current = self._current()

    def _selection(self) -> None:
        self.ruler.param.update(selection=sorted(self.bench.selection), current=self._current())

    def _current(self) -> int:
        """The segment that all selected layers lie in; 0 if there is none."""
        return current_segment(self.bench)

    def _segment(self, segment: Segment) -> dict[str, Any]:
        """What one segment does, for the screen."""
        first, last = segment.start, segment.stop - 1
        layers = f"layers {first} to {last}" if last > first else f"layer {first}"
        row: dict[str, Any] = {
            "number": segment.number,
            "start": first,
            "stop": segment.stop,
            "label": segment.label,
            "colour": segment.colour,
            "title": f"{segment.number} · {escape(segment.label)} · {layers}",
            "equation": equation(segment.rule),
            "bars": bars(segment.rule),
            "stale": self.bench.pending,
            "image": "",
            "said": "",
            "caption": "not computed" if self.bench.failed else "computing …",
        }
        explained: Explained | None = self.bench.explained
        arrived = None if explained is None else explained.maps.get(segment.start)
        if arrived is not None and not self.bench.failed:
            look = self.bench.look
            total = f"Σ R = {arrived.sum():.3g}"
            where = "the picture" if first == 0 else f"layer {first}"
            row["image"] = map_url(arrived, look)
            row["said"] = f"Relevance that arrives at {where}, {total}"
            row["caption"] = f"at {where}, <span>{total}</span>"
        return row

    # --------------------------------------------------------------------------- what a person does
    def _gesture(self, kind: str, **values: Any) -> None:
        getattr(self, f"_on_{kind}")(**values)

    def _on_pick(self, layers: list[int]) -> None:
        self.bench.select(layers)

    def _on_segment(self, number: int) -> None:
        self.bench.select(self.bench.segments[number - 1].layers)

    def _on_move(self, number: int, to: int, gesture: str) -> None:
        """Move the bound below a segment, counted as long as the hand holds it."""
        cut = self.bench.segments
        if not 1 <= number < len(cut):
            return
        bound, model = cut[number].start, self.bench.model
        label = f"Bound of segments {number} and {number + 1} to layer {to}"
        self._edit(lambda d: move_bound(d, model, bound, to), label, gesture)

    def _on_split(self, at: int) -> None:
        model = self.bench.model
        self._edit(lambda d: split(d, model, at), f"Segment begins at {model.layers[at].name}")

    def _on_merge(self, number: int) -> None:
        cut, model = self.bench.segments, self.bench.model
        if not 2 <= number <= len(cut):
            self.bench.tell(
                "Select a segment other than the first: it joins the one before.", "info"
            )
            return
        bound = cut[number - 1].start
        self._edit(lambda d: merge(d, model, bound), f"Join segments {number - 1} and {number}")

    def _edit(self, change: Any, label: str, gesture: str = "") -> None:
        """Edit the design; a segment that was selected whole stays so."""
        before, chosen = self.bench.segments, self.bench.selection
        whole = next((s.number for s in before if chosen == frozenset(s.layers)), 0)
        if self.bench.edit(change, label, gesture) and whole:
            cut = self.bench.segments
            self.bench.select(cut[min(whole, len(cut)) - 1].layers)


def current_segment(bench: Workbench) -> int:
    """The number of the segment that all selected layers lie in; 0 if there is none."""
    if not bench.selection:
        return 0
    found = (s.number for s in bench.segments if bench.selection <= set(s.layers))
    return next(found, 0)
