"""The page: one workbench a session, a header, and the views in tabs."""

from __future__ import annotations

import traceback
from html import escape
from pathlib import Path
from typing import Any

import panel as pn
from panel.util.parameters import edit_readonly
from panel.viewable import Viewable
from panel_material_ui.template.base import Page

from .components.arrival import Arrival
from .components.handover import Handover
from .components.names import Names
from .components.scheme import Scheme
from .header import header
from .loop import Loop
from .settings import Settings
from .state import Store, Workbench
from .state.opening import Opening
from .views.registry import VIEWS
from .views.saving import LINK

TITLE = "onnxlrp designer"
_FOLDER = Path(__file__).parent
_LIGHT = {"color": "#8ab8ee"}
_THEME = {
    "light": {"palette": {"primary": {"main": "#17467f"}, "background": {"paper": "#ffffff"}}},
    "dark": {
        "palette": {"primary": {"main": "#3b78c2"}},
        # The primary colour carries white text; as text itself it is too dark here.
        "components": {"MuiButton": {"styleOverrides": {"outlined": _LIGHT, "text": _LIGHT}}},
    },
}


def create_app(settings: Settings | None = None) -> Viewable:
    """The page of a new session; one that says what went wrong, if it cannot be built.

    Parameters
    ----------
    settings : Settings, optional
        What the server was started with.
    """
    try:
        return _page(settings or Settings())
    except Exception as error:
        # Panel would show a spinner for ever.
        return _error_page(error)


def _page(settings: Settings) -> Page:
    """Build the page around a new workbench."""
    pn.extension("tabulator", "filedropper", notifications=True, reconnect=True)
    loop = Loop()
    bench = Workbench(loop.schedule, Store(settings.store), settings.models)
    bench.open_packaged()
    scheme, handover = Scheme(margin=0), Handover(margin=0)
    page = Page(
        title=TITLE,
        header=[*header(bench), scheme, handover, Names(margin=0)],
        main=[_places(bench, loop)],
        busy_indicator=None,
        # The page shows its bar all the same, and it has no name for a screen reader.
        sx={
            ".MuiAppBar-root > .MuiLinearProgress-root": {"display": "none"},
            ".MuiAppBar-root": {"backgroundColor": "#17467f !important"},
            ".MuiToolbar-root": {"minHeight": "48px !important"},
            ".MuiToolbar-root .MuiTypography-root": {"fontSize": "18px"},
        },
        theme_config=_THEME,
        raw_css=[(_FOLDER / "assets" / "theme.css").read_text("utf-8")],
    )
    with edit_readonly(page):
        # It would watch the whole server's, which then holds every page there ever was.
        page.busy = bench.jobs.param.busy
    scheme.param.watch(
        lambda event: loop.schedule(lambda: setattr(page, "dark_theme", event.new)), "dark"
    )
    page.link(scheme, dark_theme="dark")
    _connect(bench, handover)
    _restore(bench)
    return page


def _restore(bench: Workbench) -> None:
    """Put on the screen what the page's address holds."""
    given = pn.state.session_args.get(LINK, [])
    if given:
        Opening(bench).restore(given[0].decode("ascii", "replace"))


def _connect(bench: Workbench, handover: Handover) -> None:
    """Show the bench's lines as toasts, give its files; end its work with the session."""

    def tell(event: Any) -> None:
        notice = event.new
        if pn.state.notifications is not None:
            show = getattr(pn.state.notifications, notice.level)
            show(notice.text, duration=0 if notice.level == "error" else 5000)

    def give(event: Any) -> None:
        if event.new is not None:
            handover.give(event.new.name, event.new.content)

    bench.param.watch(tell, "notice")
    bench.param.watch(give, "file")
    pn.state.on_session_destroyed(lambda context: bench.close())


def _places(bench: Workbench, loop: Loop) -> pn.Column:
    """The views; each is built when it is opened for the first time, and then kept.

    What is computed for it meanwhile waits until the browser has it.
    """
    area = pn.Column(sizing_mode="stretch_both", margin=0, styles={"height": "100%"})
    built: dict[str, Viewable] = {}

    def show(*events: Any) -> None:
        place = bench.place if bench.place in {v.key for v in VIEWS} else VIEWS[0].key
        if place not in built:
            view = next(v for v in VIEWS if v.key == place)
            built[place] = _safely(view.title, view.build, bench)
            arrival = Arrival(width=0, height=0, margin=0)
            go_on = loop.pause()
            arrival.param.watch(lambda event: go_on(), "there")
            area.extend([built[place], arrival])
        for key, shown in built.items():
            shown.visible = key == place

    bench.param.watch(show, "place")
    show()
    return area


def _safely(title: str, build: Any, bench: Workbench) -> Viewable:
    """A view, or what went wrong with it: the others go on."""
    try:
        found: Viewable = build(bench)
    except Exception as error:
        return _report(f"The view {title} could not be built.", error)
    return found


def _report(what: str, error: Exception) -> Viewable:
    """What went wrong, for a person and for a bug report."""
    trace = "".join(traceback.format_exception(error))
    return pn.pane.HTML(
        f"<h3>{escape(what)}</h3><p>{escape(type(error).__name__)}: {escape(str(error))}</p>"
        f"<details><summary>For a bug report</summary><pre>{escape(trace)}</pre></details>",
        margin=24,
        sizing_mode="stretch_width",
    )


def _error_page(error: Exception) -> Viewable:
    """A page without anything that could fail again."""
    return pn.Column(_report("The designer could not be opened. Reload to try again.", error))
