"""The report: what is in it, a look at it, and both of its forms to keep."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..state import Workbench
from ..state.analysis import Analysis
from ..state.report import Report
from .parts import section, side

_PAGE = """
:host { margin: 0; height: 100%; }
iframe { width: 100%; height: calc(100vh - 150px); border: 1px solid var(--lrp-line);
  border-radius: 6px; background: #fff; }
p { color: var(--lrp-faint); }
"""


def report_view(bench: Workbench) -> pn.Row:
    """Contents and buttons at the left, the page itself beside them."""
    report = Analysis.of(bench).report
    return pn.Row(
        side(contents_view(report), width=320),
        side(page_view(report), edge=""),
        sizing_mode="stretch_both",
        margin=0,
        styles={"height": "100%", "overflow": "hidden"},
    )


def contents_view(report: Report) -> pn.Column:
    """What is in it, and the two files."""
    lines = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
    every = pmui.Checkbox.from_param(report.param.every, label="All open pictures", margin=(4, 0))
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (4, 0)}
    page = pmui.Button(
        label="One page (HTML)", icon="download", variant="contained", color="primary", **wide
    )
    archive = pmui.Button(label="Everything (ZIP)", icon="download", variant="outlined", **wide)
    page.on_click(lambda event: report.hand_over("report.html"))
    archive.on_click(lambda event: report.hand_over("report.zip"))
    bar = pmui.LinearProgress(
        value=0, variant="determinate", sizing_mode="stretch_width", margin=(6, 0, 0, 0)
    )
    stage = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
    jobs = report.bench.jobs

    def show(*events: Any) -> None:
        items = "".join(f"<li>{escape(line)}</li>" for line in report.contents)
        lines.object = f"<ul style='font-size:13px;padding-left:18px;margin:0'>{items}</ul>"
        bar.visible = stage.visible = report.writing

    def follow(*events: Any) -> None:
        if report.writing:
            bar.value = round(100 * jobs.fraction)
            stage.object = f"<p style='font-size:12px'>{escape(jobs.stage or jobs.title)}</p>"

    report.param.watch(show, ["made", "every", "active", "writing"])
    jobs.param.watch(follow, ["stage", "fraction"])
    show()
    hint = pn.pane.HTML(
        "<p style='font-size:12px'>The page needs nothing else: pictures, drawings and equations "
        "are inside. The archive adds tables (CSV), drawings (SVG, PNG), maps (NPZ) and the "
        "designs (YAML). What you compute in the other views comes into it.</p>",
        sizing_mode="stretch_width",
        margin=0,
    )
    return section("Report", lines, every, page, archive, bar, stage, hint)


def page_view(report: Report) -> pn.Column:
    """The page as it will be."""
    pane = pn.pane.HTML("", stylesheets=[_PAGE], sizing_mode="stretch_width", margin=0)

    def show(*events: Any) -> None:
        if report.made is None:
            pane.object = "<p>Writing the report …</p>"
            return
        source = escape(report.made.page, quote=True)
        pane.object = f'<iframe title="Report" sandbox srcdoc="{source}"></iframe>'

    report.param.watch(show, "made")
    show()
    return section("Preview", pane)
