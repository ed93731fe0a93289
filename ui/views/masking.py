"""The manual modes: a brush on picture and heatmap, a band of relevance, and the answer to both."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from ..components.brush import Brush
from ..components.changes import ChangesTable
from ..components.histogram import Histogram
from ..state.masking import ManualMasking
from .flipping_curves import FILLS
from .flipping_film import FRAME
from .images import map_url, picture_url
from .parts import icon_button, section, when

_STEPS = 400  # of the slider across a histogram


def masking_settings(masking: ManualMasking) -> pn.Column:
    """What masked pixels become, and the brush."""
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "size": "small", "margin": (4, 0)}
    fill = pmui.Select(
        label="Masked pixels become",
        options=["zero", *(f for f in FILLS if f != "zero")],
        value=masking.fill,
        **wide,
    )
    layer = pmui.Select(
        label="Relevance of", options=[*masking.choices], value=masking.layer, **wide
    )
    fill.param.watch(lambda event: setattr(masking, "fill", event.new), "value")
    layer.param.watch(lambda event: setattr(masking, "layer", event.new), "value")

    def show(*events: Any) -> None:
        layer.visible = masking.mode == "band"
        layer.value = masking.layer

    when(masking.bench, ["network"], lambda: setattr(layer, "options", [*masking.choices]))
    masking.param.watch(show, ["mode", "layer"])
    show()
    return section("Settings", fill, layer)


def brush_view(masking: ManualMasking) -> pn.Column:
    """The picture and its heatmap, to be painted on."""
    brush = Brush(sizing_mode="stretch_width", margin=0)
    size = pmui.IntSlider.from_param(
        brush.param.radius,
        label="Brush, pixels",
        start=1,
        end=60,
        width=200,
        size="small",
        margin=0,
    )
    undo = icon_button("undo", "Take the last stroke back", masking.undo)
    clear = icon_button("delete", "Take all strokes back", masking.clear)
    hint = pn.pane.HTML(
        "<p>Paint over the picture or over its heatmap: what you cover is masked on both, and the "
        "network is asked again. With the keyboard: arrows move, space paints, + and − change the "
        "brush, backspace undoes.</p>",
        sizing_mode="stretch_width",
        margin=0,
    )
    bench = masking.bench

    def draw() -> None:
        shown, explained = bench.shown, bench.explained
        if shown is None or explained is None:
            return
        rows, columns, _ = shown.rgb.shape
        heatmap = map_url(explained.relevance, bench.look)
        brush.param.update(
            picture=picture_url(shown.rgb), heatmap=heatmap, rows=rows, columns=columns
        )

    def follow(*events: Any) -> None:
        if brush.strokes != masking.strokes:
            brush.strokes = masking.strokes
        undo.disabled = clear.disabled = not masking.strokes

    brush.param.watch(lambda event: setattr(masking, "strokes", event.new), "strokes")
    masking.param.watch(follow, "strokes")
    when(bench, ["explained", "picture", "pictures", "look"], draw)
    follow()
    return section("Brush", hint, brush, tools=(size, undo, clear))


def band_view(masking: ManualMasking) -> pn.Column:
    """A histogram of relevance with a band across it."""
    chart = Histogram("relevance", height=300)
    band = pmui.RangeSlider(
        label="Masked: relevance from … to …",
        start=0.0,
        end=1.0,
        value=(0.0, 1.0),
        step=0.01,
        format="0.0000",
        sizing_mode="stretch_width",
        margin=(8, 14),
    )
    hint = pn.pane.HTML(
        "<p>All pixels whose relevance lies within the band are masked. The relevance may be that "
        "of any layer; its map is enlarged to the picture's size.</p>",
        sizing_mode="stretch_width",
        margin=0,
    )

    def draw(*events: Any) -> None:
        values = masking.histogram
        chart.pane.visible = band.visible = values is not None
        if values is None:
            return
        chart.show(values)
        low, high = float(values.min()), float(values.max())
        step = (high - low) / _STEPS or 1.0
        with pn.io.hold():
            band.param.update(start=low, end=high + step, step=step)
        follow()

    def follow(*events: Any) -> None:
        if masking.band is not None:
            chart.mark(*masking.band)
            if not np.allclose(band.value, masking.band, rtol=1e-6, atol=0):
                band.value = masking.band

    band.param.watch(lambda event: setattr(masking, "band", event.new), "value")
    masking.param.watch(draw, "histogram")
    masking.param.watch(follow, "band")
    draw()
    return section("Band of relevance", hint, chart.pane, band)


def answer_view(masking: ManualMasking) -> pn.Column:
    """The masked picture, and the new top ten beside the old."""
    image = pn.pane.HTML("", stylesheets=[FRAME], sizing_mode="stretch_width", margin=0)
    classes = ChangesTable()

    def show(*events: Any) -> None:
        found = masking.found
        if found is None:
            image.object = "<p>Nothing is masked yet.</p>"
            classes.show(())
            return
        url = picture_url(found.rgb)
        words = f"{100 * found.share:.1f} % of the pixels masked"
        image.object = f'<img src="{url}" alt="The masked picture"><p>{words}</p>'
        classes.show(found.top(), found.target, "Leading classes, beside the whole picture")

    masking.param.watch(show, "found")
    show()
    return section("What the network sees", image, classes.pane)
