"""What every view is made of: titled sections, small buttons, and the link from state to screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..state import Workbench

_TITLE = """
:host { flex: 1 1 auto; min-width: 0; margin: 0; }
h2 {
  margin: 0; font-size: 11px; line-height: 24px; font-weight: 700; letter-spacing: 0.07em;
  text-transform: uppercase; color: var(--lrp-faint); white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis;
}
"""


def section(title: str, *objects: Any, tools: Sequence[Any] = (), **options: Any) -> pn.Column:
    """A titled part of the page.

    Parameters
    ----------
    title : str
    *objects
        What stands below the title.
    tools : sequence
        What stands at the title's right: buttons, a menu.
    """
    head = pn.Row(
        pn.pane.HTML(f"<h2>{title}</h2>", stylesheets=[_TITLE]),
        *tools,
        styles={"align-items": "center", "gap": "4px", "min-height": "28px"},
        sizing_mode="stretch_width",
        margin=0,
    )
    styles = {"gap": "8px", **options.pop("styles", {})}
    options.setdefault("sizing_mode", "stretch_width")
    options.setdefault("margin", 0)
    return pn.Column(head, *objects, styles=styles, **options)


def side(*objects: Any, width: int | str | None = None, edge: str = "right") -> pn.Column:
    """A column of the page that scrolls by itself, with a line at one edge.

    Parameters
    ----------
    *objects
    width : int or str, optional
        Pixels, or a length as CSS writes it; what is left of the page if not given.
    edge : "right", "left" or ""
    """
    length = f"{width}px" if isinstance(width, int) else width
    styles = {
        "padding": "8px 14px 24px",
        "gap": "16px",
        "overflow-y": "auto",
        "overflow-x": "hidden",
        "height": "100%",
        "min-width": "0",
        **({f"border-{edge}": "1px solid var(--lrp-line)"} if edge else {}),
        **({"flex": f"0 0 {length}", "width": length} if length else {"flex": "1 1 0"}),
    }
    return pn.Column(*objects, styles=styles, margin=0, sizing_mode="stretch_both")


def icon_button(icon: str, label: str, act: Callable[[], Any], **options: Any) -> pmui.IconButton:
    """A small button that shows an icon and says what it does."""
    return pmui.IconButton(
        icon=icon,
        description=label,
        on_click=lambda event: act(),
        **{"size": "small", "icon_size": "18px", "margin": 0, **options},
    )


def stop_button(act: Callable[[], Any]) -> pmui.Button:
    """A button that stops a computation; hidden until one is under way."""
    return pmui.Button(
        label="Stop",
        icon="stop",
        color="error",
        variant="outlined",
        margin=(4, 0, 4, 8),
        visible=False,
        on_click=lambda event: act(),
    )


def when(bench: Workbench, names: list[str], act: Callable[[], None], now: bool = True) -> None:
    """Call ``act`` after any of these parameters of the bench changed, and now."""
    bench.param.watch(lambda *events: act(), names)
    if now:
        act()
