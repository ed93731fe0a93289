"""How heatmaps are drawn: scale, sign, picture below, colours. Nothing is computed anew."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from onnxlrp.render.colormaps import colormap, colormap_names

from ..components.choices import Choices
from ..state import Workbench
from .parts import when

_SCALES = {
    "percentile": ("99 %", "The 99th percentile of |R| gets the strongest colour"),
    "max": ("max", "The largest |R| gets the strongest colour"),
    "cubic": ("cubic", "10·(mean |R|³)^⅓, as the paper has it"),
    "fixed": ("fixed", "A relevance of your own, the same for all maps"),
}
_SIGNS = {
    "both": ("both", "What speaks for the target, and what against it"),
    "positive": ("for", "Only what speaks for the target"),
    "negative": ("against", "Only what speaks against it"),
}
_COLOURS = {
    "red-blue": "Safe for colour-blind people",
    "purple-green": "Safe for colour-blind people",
    "seismic": "The paper's",
}
_SCALE = """
div.scale { height: 10px; border-radius: 3px; border: 1px solid var(--lrp-line); }
div.ends { display: flex; justify-content: space-between; font-size: 11px; color: var(--lrp-faint);
  font-variant-numeric: tabular-nums; }
"""


def look_controls(bench: Workbench) -> pn.Column:
    """The settings that all heatmaps share."""
    scale = _choices("Strongest colour at", _SCALES)
    scale.on_gesture(lambda kind, key: bench.see(normalisation=key))
    limit = pmui.FloatInput(
        label="R of the strongest colour",
        value=bench.look.limit,
        size="small",
        sizing_mode="stretch_width",
        margin=(6, 0, 0, 0),
    )
    limit.param.watch(lambda event: event.new and bench.see(limit=event.new), "value")  # type: ignore[func-returns-value]
    sign = _choices("Shown", _SIGNS)
    sign.on_gesture(lambda kind, key: bench.see(sign=key))
    overlay = pmui.FloatSlider(
        label="Picture below",
        start=0,
        end=1,
        step=0.05,
        value=bench.look.overlay,
        size="small",
        sizing_mode="stretch_width",
        margin=(0, 6),
    )
    overlay.param.watch(lambda event: bench.see(overlay=event.new), "value")
    colours = _choices(
        "Colours", {name: (name, _COLOURS.get(name, "")) for name in colormap_names()}
    )
    colours.on_gesture(lambda kind, key: bench.see(colormap=key))

    def show() -> None:
        look = bench.look
        scale.chosen, sign.chosen, colours.chosen = look.normalisation, look.sign, look.colormap
        limit.visible = look.normalisation == "fixed"
        overlay.value = look.overlay

    when(bench, ["look"], show)
    return pn.Column(
        scale,
        limit,
        sign,
        colours,
        overlay,
        sizing_mode="stretch_width",
        margin=0,
        styles={"gap": "6px"},
    )


def colour_scale(bench: Workbench) -> Any:
    """The colours of the final heatmap, and the relevance at both ends."""
    pane = pn.pane.HTML(stylesheets=[_SCALE], sizing_mode="stretch_width", margin=0)

    def show() -> None:
        explained, look = bench.explained, bench.look
        if explained is None:
            pane.object = ""
            return
        limit = look.limit_of(explained.relevance)
        stops = ", ".join("rgb({},{},{})".format(*rgb) for rgb in colormap(look.colormap)[1::18])
        pane.object = (
            f'<div class="scale" style="background: linear-gradient(to right, {stops})"></div>'
            f'<div class="ends"><span>−{limit:.3g}</span><span>0</span>'
            f"<span>{limit:.3g}</span></div>"
        )

    when(bench, ["explained", "look"], show)
    return pane


def _choices(heading: str, options: dict[str, tuple[str, str]]) -> Choices:
    return Choices(
        heading=heading,
        options=[{"key": k, "label": label, "title": why} for k, (label, why) in options.items()],
        sizing_mode="stretch_width",
        margin=0,
    )
