"""What the network says, and why: the final heatmap with its sums, and the classes to explain."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..components.choices import Choices
from ..components.classes import ClassBars
from ..components.heatmap import HeatMap
from ..state import Explained, Workbench, probabilities
from .look import colour_scale, look_controls
from .parts import icon_button, section, when

TOP = 10
"""Classes that are shown."""

_FACTS = """
.facts { display: flex; flex-wrap: wrap; gap: 0 8px; font-size: 12px; line-height: 16px;
  white-space: nowrap; font-variant-numeric: tabular-nums; }
.target { flex: 1 1 56px; min-width: 0; overflow: hidden; text-overflow: ellipsis;
  font-weight: 600; }
.faint { color: var(--lrp-faint); }
div.faint { font-size: 11.5px; }
.bad { font-size: 12px; line-height: 1.4; color: var(--lrp-bad); }
"""


def classes_view(bench: Workbench) -> pn.Column:
    """The strongest classes; a click makes one the target."""
    bars = ClassBars(sizing_mode="stretch_width", margin=0)
    unit = Choices(
        options=[
            {"key": "logit", "label": "logits", "title": "Σ R starts as the target's logit"},
            {"key": "probability", "label": "%", "title": "Σ R starts as the target's probability"},
        ],
        width=104,
        margin=0,
    )
    other = pmui.TextInput(
        label="Another target",
        placeholder="label, number, class:281-285, top1 …",
        size="small",
        sizing_mode="stretch_width",
        margin=(6, 0, 0, 0),
    )

    def show() -> None:
        explained = bench.explained
        if explained is None or explained.output.ndim != 1:
            bars.classes = []
            return
        bars.param.update(
            classes=_bars(explained, bench),
            target=explained.target if explained.target >= 0 else _pair(bench)[0],
            versus=_pair(bench)[1],
        )

    def pick(kind: str, index: int) -> None:
        explained = bench.explained
        if kind == "pick" or explained is None or explained.target in (-1, index):
            bench.ask(target=str(index))
        else:
            bench.ask(target=f"class:{explained.target}-{index}")

    def say() -> None:
        unit.chosen, other.value = bench.question.kind, bench.question.target

    bars.on_gesture(pick)
    unit.on_gesture(lambda kind, key: bench.ask(kind=key))
    other.param.watch(lambda event: bench.ask(target=event.new.strip() or "top1"), "value")
    when(bench, ["explained", "question"], show)
    when(bench, ["question"], say)
    when(bench, ["pending"], lambda: setattr(bars, "stale", bench.pending))
    assumed = pn.pane.HTML(sizing_mode="stretch_width", margin=0, stylesheets=[_FACTS])

    def name() -> None:
        why = bench.model.labels_note
        assumed.object = f'<div class="faint">{escape(why)}</div>'
        assumed.visible = bool(why)

    when(bench, ["network"], name)
    return section("Classes", bars, other, assumed, tools=(unit,), styles={"gap": "6px"})


def heatmap_view(bench: Workbench) -> pn.Column:
    """The final heatmap with its sums; in its place, why there is none."""
    heatmap = HeatMap(sizing_mode="stretch_width", margin=0, room="100vh - 432px")
    facts = pn.pane.HTML(sizing_mode="stretch_width", margin=0, stylesheets=[_FACTS])

    def show() -> None:
        explained, shown = bench.explained, bench.shown
        if explained is None or shown is None:
            heatmap.clear("The heatmap, not computed yet")
            facts.object = _failure(bench.failed)
            return
        target = explained.aim or bench.model.label(explained.target)
        heatmap.draw(
            explained.relevance,
            bench.look,
            picture=shown.rgb,
            total=explained.started,
            label=f"Relevance of each pixel for {target}",
        )
        facts.object = _facts(explained, target) + _failure(bench.failed)

    def stale() -> None:
        heatmap.stale = bench.pending and not bench.failed

    when(bench, ["explained", "failed", "look"], show)
    when(bench, ["pending", "failed"], stale)
    controls = look_controls(bench)
    controls.visible = False
    tools = icon_button(
        "tune", "How heatmaps are drawn", lambda: setattr(controls, "visible", not controls.visible)
    )
    return section(
        "Heatmap",
        heatmap,
        colour_scale(bench),
        facts,
        controls,
        tools=(tools,),
        styles={"gap": "6px"},
    )


def _bars(explained: Explained, bench: Workbench) -> list[dict[str, Any]]:
    """The top classes as the component takes them."""
    output = explained.output
    probable = bench.question.kind == "probability"
    values = probabilities(output) if probable else output
    best = np.argsort(-output, kind="stable")[:TOP]
    largest = float(np.abs(values[best]).max()) or 1.0
    return [
        {
            "index": int(i),
            "label": bench.model.label(int(i)),
            "text": f"{100 * values[i]:.1f} %" if probable else _score(float(values[i])),
            "share": max(0.0, float(values[i]) / largest),
        }
        for i in best
    ]


def _score(value: float) -> str:
    """A logit in few characters."""
    return f"{value:.2f}" if abs(value) < 1e4 else f"{value:.3g}"


def _pair(bench: Workbench) -> tuple[int, int]:
    """The two classes of a target "class:a-b"; −1 for what is none."""
    kind, _, text = bench.question.target.partition(":")
    parts = text.split("-")
    if kind != "class" or len(parts) != 2 or not all(p.strip().isdigit() for p in parts):
        return -1, -1
    return int(parts[0]), int(parts[1])


def _facts(explained: Explained, target: str) -> str:
    """What was explained, how much relevance arrived, and what it took."""
    arrived, started = f"{explained.arrived:.4g}", f"{explained.started:.4g}"
    return (
        f'<div class="facts"><span class="target" title="{escape(target)}">{escape(target)}</span>'
        f'<span title="Relevance at the picture, of that at the output">Σ R {arrived} '
        f'<span class="faint">of</span> {started}</span>'
        f'<span class="faint">{_duration(explained.seconds)}</span></div>'
    )


def _duration(seconds: float) -> str:
    """Time in few characters."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _failure(reason: str) -> str:
    """Why there is nothing newer."""
    return f'<div class="bad" role="alert">{escape(reason)}</div>' if reason else ""
