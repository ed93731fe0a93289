"""The header: where one is, undo and redo, what is being computed."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn

from .components.places import Places
from .state import Workbench
from .state.analysis import Analysis
from .views.parts import icon_button, when
from .views.registry import VIEWS
from .views.saving import share_dialog

_WHITE = {"color": "#fff", "&.Mui-disabled": {"color": "rgba(255, 255, 255, 0.4)"}}
_STAGE = """
:host { margin: 0; color: #fff; font-size: 12px; white-space: nowrap; opacity: 0.92; }
.bk-clearfix, :host > div { display: flex; gap: 8px; align-items: center; }
progress { width: 90px; height: 6px; accent-color: #fff; }
div { overflow: hidden; text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
"""


def header(bench: Workbench) -> list[Any]:
    """What stands in the page's top bar."""
    share = share_dialog(bench)
    button = icon_button("share", "Share", lambda: setattr(share, "open", True), sx=_WHITE)
    rest = pn.Spacer(sizing_mode="stretch_width")
    return [_places(bench), rest, _work(bench), _past(bench), _report(bench), button, share]


def _report(bench: Workbench) -> Any:
    """The report in one click, whatever view is open."""
    return icon_button(
        "summarize",
        "Report: everything found in this session as one page (HTML)",
        lambda: Analysis.of(bench).report.hand_over("report.html"),
        sx=_WHITE,
    )


def _places(bench: Workbench) -> Places:
    """The tabs."""
    places = Places(
        places=[{"key": view.key, "title": view.title} for view in VIEWS], margin=(0, 0, 0, 18)
    )
    places.on_gesture(lambda kind, key: setattr(bench, "place", key))
    when(bench, ["place"], lambda: setattr(places, "current", bench.place))
    return places


def _past(bench: Workbench) -> pn.Row:
    """Undo and redo."""
    undo = icon_button("undo", "Undo (Ctrl+Z)", bench.undo, sx=_WHITE)
    redo = icon_button("redo", "Redo (Ctrl+Shift+Z)", bench.redo, sx=_WHITE)

    def show() -> None:
        past = bench.past
        undo.disabled, redo.disabled = not past.can_undo, not past.can_redo
        undo.description = f"Undo: {past.now.label}" if past.can_undo else "Nothing to undo"

    when(bench, ["history"], show)
    return pn.Row(undo, redo, margin=0, styles={"align-items": "center"})


def _work(bench: Workbench) -> pn.Row:
    """What is being computed, how far it is, and a button that stops it."""
    jobs = bench.jobs
    stage = pn.pane.HTML("", stylesheets=[_STAGE])
    stop = icon_button("close", "Stop the computation", jobs.cancel, sx=_WHITE)
    row = pn.Row(
        stage, stop, margin=0, visible=False, styles={"align-items": "center", "gap": "8px"}
    )

    def show(*events: Any) -> None:
        said = escape(jobs.stage or jobs.title)
        value = round(jobs.fraction, 2)
        stage.object = f"<div>{said}</div><progress aria-label='{said}' value='{value}'></progress>"
        row.visible = jobs.busy

    jobs.param.watch(show, ["busy", "stage", "fraction", "title"])
    return row
