"""The designer's first view, laid out like the paper's screen.

From the left: all designs; picture, classes and heatmap; the ruler with a row for each segment; the
rule of what is selected.
"""

from __future__ import annotations

import panel as pn

from ..state import Workbench
from .manager import manager_view
from .model import model_view
from .parts import side
from .picture import classes_view, heatmap_view, picture_view
from .rules import RulesView


def design_view(bench: Workbench) -> pn.Row:
    """The four columns."""
    return pn.Row(
        side(manager_view(bench), width=228),
        side(picture_view(bench), classes_view(bench), heatmap_view(bench), width=284),
        side(model_view(bench), edge=""),
        side(RulesView(bench), width=304, edge="left"),
        sizing_mode="stretch_both",
        margin=0,
        styles={"height": "100%", "overflow": "hidden"},
    )
