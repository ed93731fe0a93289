"""The picture, what the network says it is, and the final heatmap."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..components.choices import Choices
from ..components.classes import ClassBars
from ..components.heatmap import HeatMap
from ..components.thumbs import Thumbs
from ..state import Explained, Workbench, probabilities
from .images import picture_url
from .look import colour_scale, look_controls
from .parts import icon_button, section, when

TOP = 10
"""Classes that are shown."""

_PICTURE = """
img { display: block; width: 100%; border-radius: 6px; border: 1px solid var(--lrp-line); }
:host { margin: 0; }
"""
_FACTS = """
:host { margin: 0; }
dl { display: grid; grid-template-columns: 1fr auto; gap: 1px 10px; margin: 0; font-size: 12px; }
dt { color: var(--lrp-faint); } dd { margin: 0; font-variant-numeric: tabular-nums; }
"""


def picture_view(bench: Workbench) -> pn.Column:
    """The picture on the screen, and a choice among all that are open."""
    image = pn.pane.HTML(width=158, stylesheets=[_PICTURE])
    thumbs = Thumbs(width=92, margin=0)

    def show() -> None:
        shown = bench.shown
        if shown is None:
            return
        thumbs.param.update(
            pictures=[
                {"name": p.name, "url": picture_url(p.rgb, largest=88)} for p in bench.pictures
            ],
            current=bench.picture,
        )
        url = picture_url(shown.rgb)
        image.object = f'<img src="{url}" alt="The picture {escape(shown.name)}">'

    def act(kind: str, index: int = 0) -> None:
        match kind:
            case "pick":
                bench.picture = index
            case "remove":
                bench.remove_picture(index)
            case "add":
                bench.place = "open"

    thumbs.on_gesture(act)
    when(bench, ["pictures", "picture"], show)
    row = pn.Row(image, thumbs, margin=0, sizing_mode="stretch_width", styles={"gap": "8px"})
    return section("Picture", row)


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
    return section("Classes", bars, other, tools=(unit,))


def heatmap_view(bench: Workbench) -> pn.Column:
    """The final heatmap with its sums."""
    heatmap = HeatMap(sizing_mode="stretch_width", margin=0)
    facts = pn.pane.HTML(sizing_mode="stretch_width", stylesheets=[_FACTS])

    def show() -> None:
        explained, shown = bench.explained, bench.shown
        if explained is None or shown is None:
            return
        target = explained.aim or bench.model.label(explained.target)
        heatmap.draw(
            explained.relevance,
            bench.look,
            picture=shown.rgb,
            total=explained.started,
            label=f"Relevance of each pixel for {target}",
        )
        facts.object = _facts(explained, target)

    when(bench, ["explained", "look"], show)
    when(bench, ["pending"], lambda: setattr(heatmap, "stale", bench.pending))
    controls = look_controls(bench)
    controls.visible = False
    tools = icon_button(
        "tune", "How heatmaps are drawn", lambda: setattr(controls, "visible", not controls.visible)
    )
    return section("Heatmap", heatmap, colour_scale(bench), controls, facts, tools=(tools,))


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
            "text": f"{100 * values[i]:.1f} %" if probable else f"{values[i]:.2f}",
            "share": max(0.0, float(values[i]) / largest),
        }
        for i in best
    ]


def _pair(bench: Workbench) -> tuple[int, int]:
    """The two classes of a target "class:a-b"; −1 for what is none."""
    kind, _, text = bench.question.target.partition(":")
    parts = text.split("-")
    if kind != "class" or len(parts) != 2 or not all(p.strip().isdigit() for p in parts):
        return -1, -1
    return int(parts[0]), int(parts[1])


def _facts(explained: Explained, target: str) -> str:
    """The sums below the heatmap."""
    rows = {
        "target": escape(target),
        "R at the output": f"{explained.started:.4g}",
        "Σ R at the picture": f"{explained.arrived:.4g}",
        "time": f"{1000 * explained.seconds:.0f} ms",
    }
    return "<dl>" + "".join(f"<dt>{k}</dt><dd>{v}</dd>" for k, v in rows.items()) + "</dl>"
