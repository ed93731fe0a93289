"""The comparison: rows of pictures and classes, columns of designs, all maps seen as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
from panel.viewable import Viewable

from onnxlrp.render.colormaps import colormap

from ..components.maps import MapGrid
from ..state import Workbench
from ..state.cells import SIMILARITIES
from ..state.comparison import Comparison
from .compare_cells import Contents, grid_look
from .parts import when

PLACE = "compare"
"""The view's key among the tabs: only while it is shown are cells filled in."""

_BAR = {"gap": "8px", "flex-wrap": "wrap", "align-items": "center"}
_SMALL: dict[str, Any] = {"size": "small", "margin": 0}
_EVERY_PICTURE = "All pictures"
_SCALES = {"each map": "map", "each row": "row", "all maps": "all"}


def compare_view(bench: Workbench) -> pn.Column:
    """The grid of maps, and above it what can be added, measured and changed."""
    comparison = Comparison(bench)
    contents = Contents(comparison)
    grid = MapGrid(contents.map, sizing_mode="stretch_width", margin=0)
    grid.on_gesture(lambda kind, **values: _GESTURES[kind](contents, **values))

    def show(*events: Any) -> None:
        if bench.network is None or not comparison.active:
            return
        with pn.io.hold():
            grid.param.update(
                rows=contents.rows(),
                columns=contents.columns(),
                cells=contents.cells(),
                **grid_look(bench.look, colormap),
            )

    shown = ["rows", "cells", "running", "order", "hidden", "differences", "reference"]
    comparison.param.watch(show, [*shown, "similarity", "scale", "active"])
    bench.param.watch(show, ["look"])
    bench.jobs.param.watch(lambda event: setattr(grid, "stage", event.new), "stage")
    view = pn.Column(
        pn.Row(*_adding(comparison), *_looking(comparison), margin=0, styles=_BAR),
        grid,
        sizing_mode="stretch_width",
        margin=0,
        styles={"gap": "12px", "padding": "14px 18px 32px", "overflow-y": "auto", "height": "100%"},
    )
    when(bench, ["place"], lambda: setattr(comparison, "active", bench.place == PLACE))
    return view


# ------------------------------------------------------------------------------- what the grid asks
def _open(contents: Contents, row: str, column: str) -> None:
    """Put a cell's picture, class and design on the screen of the designer."""
    comparison = contents.comparison
    bench, found = comparison.bench, contents.row(row)
    bench.choose(column)
    bench.picture = bench.pictures.index(comparison.picture(found))
    bench.ask(target=found.target)
    bench.place = "design"


def _remove_column(contents: Contents, key: str) -> None:
    first, minus, second = key.partition("−")
    if minus:
        contents.comparison.forget_difference(first, second)
    else:
        contents.comparison.hide(key)


_GESTURES: dict[str, Callable[..., None]] = {
    "move_column": lambda c, key, to: c.comparison.move_column(key, to),
    "remove_column": _remove_column,
    "reference": lambda c, key: setattr(c.comparison, "reference", key),
    "move_row": lambda c, key, to: c.comparison.move_row(c.row(key), to),
    "remove_row": lambda c, key: c.comparison.remove_row(c.row(key)),
    "retarget": lambda c, key, target: c.comparison.retarget(c.row(key), target),
    "open": _open,
}


# ---------------------------------------------------------------------------------- above the grid
def _adding(comparison: Comparison) -> list[Viewable]:
    """Menus that add rows, columns and differences; measuring; cancel."""
    bench = comparison.bench
    rows = _menu("Add a row", "add_photo_alternate", lambda name: _add_row(comparison, name))
    columns = _menu("Add a column", "add", lambda name: _add_column(comparison, name))
    differences = _menu("Difference", "difference", lambda name: _subtract(comparison, name))
    measure = pmui.Button(
        label="Measure AUC and AOPC",
        icon="query_stats",
        variant="outlined",
        **_SMALL,
        description="Measure AUC and AOPC by pixel flipping, for every map that is known",
        on_click=lambda event: comparison.measure_areas(),
    )
    stop = pmui.Button(label="Cancel", icon="close", variant="outlined", **_SMALL)

    def press(*events: Any) -> None:
        if comparison.stopped:
            comparison.resume()
        else:
            comparison.cancel()

    def show(*events: Any) -> None:
        hidden = [d.name for d in bench.designs if d.id in comparison.hidden]
        working = bench.jobs.running("compare") or bench.jobs.running("compare areas")
        with pn.io.hold():
            rows.items = [{"label": name} for name in (_EVERY_PICTURE, *_pictures(comparison))]
            columns.items = [{"label": name} for name in hidden]
            columns.disabled = not hidden
            differences.items = [{"label": name} for name in _pairs(comparison)]
            differences.disabled = len(comparison.columns) < 2
            stop.param.update(
                label="Continue" if comparison.stopped else "Cancel",
                icon="play_arrow" if comparison.stopped else "close",
                disabled=not (working or comparison.stopped),
            )

    stop.on_click(press)
    comparison.param.watch(show, ["rows", "order", "hidden", "reference", "running", "stopped"])
    bench.param.watch(show, ["pictures", "designs"])
    bench.jobs.param.watch(show, ["busy"])
    show()
    return [rows, columns, differences, measure, stop]


def _looking(comparison: Comparison) -> list[Viewable]:
    """Which maps share a scale, what likeness means, how strongly the picture shows."""
    bench = comparison.bench
    scale = pmui.Select(label="Colour scale of", options=_SCALES, width=120, **_SMALL)
    scale.link(comparison, value="scale", bidirectional=True)
    scale.value = comparison.scale
    likeness = pmui.Select(
        label="Similarity to the reference", options=list(SIMILARITIES), width=190, **_SMALL
    )
    likeness.link(comparison, value="similarity", bidirectional=True)
    overlay = pmui.FloatSlider(
        label="Picture beneath", start=0, end=1, step=0.05, width=140, **_SMALL
    )
    overlay.param.watch(lambda event: bench.see(overlay=event.new), "value")
    when(bench, ["look"], lambda: setattr(overlay, "value", bench.look.overlay))
    return [scale, likeness, overlay]


def _menu(label: str, icon: str, choose: Callable[[str], None]) -> pmui.MenuButton:
    """A button with a menu of names."""
    button = pmui.MenuButton(label=label, icon=icon, items=[], variant="outlined", **_SMALL)

    def press(item: Any) -> None:
        choose(item["label"])

    button.on_click(press)
    return button


def _pictures(comparison: Comparison) -> list[str]:
    return [p.name for p in comparison.bench.pictures]


def _add_row(comparison: Comparison, name: str) -> None:
    """Append one picture, or all of them."""
    for picture in comparison.bench.pictures:
        if name in (picture.name, _EVERY_PICTURE):
            comparison.add_row(picture)


def _add_column(comparison: Comparison, name: str) -> None:
    for design in comparison.bench.designs:
        if design.name == name and design.id in comparison.hidden:
            comparison.show(design.id)


def _pairs(comparison: Comparison) -> dict[str, tuple[str, str]]:
    """What can be subtracted: the reference from the others, and they from it."""
    names = {d.id: d.name for d in comparison.columns}
    reference = comparison.reference
    others = [identity for identity in names if identity != reference and reference in names]
    pairs = [(reference, other) for other in others] + [(other, reference) for other in others]
    return {f"{names[a]} − {names[b]}": (a, b) for a, b in pairs}


def _subtract(comparison: Comparison, name: str) -> None:
    comparison.subtract(*_pairs(comparison)[name])
