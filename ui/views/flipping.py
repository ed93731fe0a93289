"""Pixel flipping: curves of all designs with a film of one, and the two manual modes."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..state import Workbench
from ..state.analysis import Analysis
from .flipping_curves import curves_view, settings_view
from .flipping_film import film_view
from .masking import answer_view, band_view, brush_view, masking_settings
from .parts import section, side

_MODES = {"Curves": "curves", "Brush": "brush", "Band": "band"}


def flipping_view(bench: Workbench) -> pn.Row:
    """Settings, what they give, and what the network sees."""
    analysis = Analysis.of(bench)
    masking = analysis.masking
    mode = pmui.RadioButtonGroup(
        options=_MODES,
        value="curves",
        size="small",
        margin=0,
        sizing_mode="stretch_width",
    )
    shown: dict[str, list[Any]] = {
        "curves": [settings_view(analysis.flipping), curves_view(analysis.flipping)],
        "brush": [brush_view(masking)],
        "band": [band_view(masking)],
    }
    film = film_view(analysis.flipping)
    manual = [masking_settings(masking), answer_view(masking)]

    def show(*events: Any) -> None:
        if mode.value != "curves":
            masking.mode = mode.value
        for name, views in shown.items():
            for view in views:
                view.visible = name == mode.value
        film.visible = mode.value == "curves"
        for view in manual:
            view.visible = mode.value != "curves"

    mode.param.watch(show, "value")
    show()
    settings, curves = shown["curves"]
    return pn.Row(
        side(section("Pixel flipping", mode), settings, manual[0], width=284),
        side(curves, *shown["brush"], *shown["band"]),
        side(film, manual[1], width=388, edge=""),
        sizing_mode="stretch_both",
        margin=0,
        styles={"height": "100%", "overflow": "hidden"},
    )
