"""The designer's first view, laid out like the paper's screen.

From the left: the picture and all designs; the heatmap and the classes; the ruler with a row for
each segment; the rule of what is selected. What is asked, what is answered and what is designed are
on the screen at once, from 1280 × 720 pixels on.
"""

from __future__ import annotations

import panel as pn

from ..state import Workbench
from .heatmap import classes_view, heatmap_view
from .manager import manager_view
from .model import model_view
from .parts import side
from .picture import picture_view
from .rules import RulesView

_PICTURE = "clamp(204px, 15vw, 300px)"
_RULE = "clamp(284px, 20vw, 340px)"
_HEATMAP = "clamp(268px, min(22vw, 100vh - 452px), 540px)"
"""As wide as leaves room for the classes below the heatmap, which is as high as it is wide."""


def design_view(bench: Workbench) -> pn.Row:
    """The four columns."""
    return pn.Row(
        side(picture_view(bench), manager_view(bench), width=_PICTURE),
        side(heatmap_view(bench), classes_view(bench), width=_HEATMAP),
        side(model_view(bench), edge=""),
        side(RulesView(bench), width=_RULE, edge="left"),
        sizing_mode="stretch_both",
        margin=0,
        styles={"height": "100%", "overflow": "hidden"},
    )
