"""The grid of linked maps: every map read at one pixel, one zoom, by pointer and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import panel as pn
import pytest
from playwright.sync_api import Locator, Page, expect

from onnxlrp.render.heatmap import heatmap_rgb
from tests.ui.access import BARE_PAGE, serious_violations
from tests.ui.conftest import Serve, Visit
from tests.ui.steps import wait_until
from ui.components.maps import MapGrid

SIDE = 10
MAPS = {
    f"{row}{column}": np.random.default_rng(i).normal(size=(SIDE, SIDE)).astype(np.float32)
    for i, (row, column) in enumerate((r, c) for r in "ab" for c in "xy")
}


def grid_of(asked: list[str], told: list[tuple[str, dict[str, Any]]]) -> MapGrid:
    """Two rows, two columns; writes down which maps were sent and what was done."""

    def find(name: str) -> np.ndarray | None:
        asked.append(name)
        return MAPS.get(name)

    classes = [["top1", "highest: cat"], ["7", "dog"]]
    grid = MapGrid(
        find,
        rows=[
            {"key": r, "name": f"row {r}", "picture": "", "target": "top1", "classes": classes}
            for r in "ab"
        ],
        columns=[
            {
                "key": c,
                "name": f"design {c}",
                "kind": "design",
                "reference": c == "x",
                "strip": [{"colour": "#f6a6a1", "share": 1, "label": "LRP-ε"}],
            }
            for c in "xy"
        ],
        cells=[
            {
                "row": name[0],
                "column": name[1],
                "state": "done",
                "map": name,
                "limit": 2.0,
                "note": "",
                "numbers": [["Σ R", f"{MAPS[name].sum():.3f}", "sum"]],
            }
            for name in MAPS
        ],
        sizing_mode="stretch_width",
    )
    grid.on_gesture(lambda kind, **values: told.append((kind, values)))
    return grid


PIXELS = """(canvas, side) => {
  const step = canvas.width / side, context = canvas.getContext("2d");
  const at = (i) => context.getImageData(
    (i % side + 0.5) * step, (Math.floor(i / side) + 0.5) * step, 1, 1);
  return Array.from({ length: side * side }, (_, i) => [...at(i).data].slice(0, 3));
}"""
"""The colour in the middle of every pixel of a map."""


class Opened:
    """The grid on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.grid: MapGrid | None = None

    def app(self) -> pn.Column:
        self.grid = grid_of(self.asked, self.told)
        return pn.Column(self.grid, sizing_mode="stretch_width")

    def cell(self, row: str, column: str) -> Locator:
        return self.page.locator(f"[data-cell='row {row} | design {column}']")

    def point(self, x: float, y: float, row: str = "a", column: str = "x") -> None:
        """Move the pointer to a pixel of a map, at any zoom the frame's (x, y) of SIDE."""
        canvas = self.cell(row, column).locator("canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        step = box["width"] / SIDE
        self.page.mouse.move(box["x"] + (x + 0.5) * step, box["y"] + (y + 0.5) * step)

    def reads(self, x: int, y: int) -> None:
        """All four maps show their value at that pixel."""
        for name, values in MAPS.items():
            expect(self.cell(*name).locator(".chip")).to_have_text(written(values[y, x]))


def written(value: float) -> str:
    size = abs(float(value))
    text = f"{value:.1e}" if size < 1e-3 else f"{value:#.3g}"
    return text.replace("-", "−")


@pytest.fixture
def opened(serve: Serve, visit: Visit) -> Opened:
    holder: list[Opened] = []

    def app() -> pn.Column:
        return holder[0].app()

    url = serve(app)
    page = visit("about:blank")
    holder.append(Opened(page))
    page.goto(url)
    opened = holder[0]
    expect(page.locator(".cell canvas")).to_have_count(4)
    wait_until(lambda: sorted(opened.asked) == sorted(MAPS), page)
    return opened


def told(opened: Opened, act: Callable[[], object]) -> tuple[str, dict[str, Any]]:
    """What the page told of one action."""
    opened.told.clear()
    act()
    wait_until(lambda: len(opened.told) == 1, opened.page)
    return opened.told[0]


def test_one_crosshair_reads_every_map(opened: Opened) -> None:
    opened.point(3, 7)
    opened.reads(3, 7)
    expect(opened.page.locator(".place")).to_have_text("x 3, y 7")
    opened.point(9, 0, "b", "y")
    opened.reads(9, 0)
    opened.page.mouse.move(0, 0)
    expect(opened.cell("a", "x").locator(".chip")).to_be_hidden()
    # A click keeps the crosshair, another lets it go.
    opened.point(2, 2)
    opened.page.mouse.down()
    opened.page.mouse.up()
    opened.point(5, 5)
    opened.reads(2, 2)
    opened.page.mouse.down()
    opened.page.mouse.up()
    opened.point(6, 4)
    opened.reads(6, 4)
    # The table says what the maps show.
    opened.page.mouse.down()
    opened.page.mouse.up()
    opened.page.get_by_text("All numbers as a table").click()
    rows = opened.page.get_by_role("row").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["Picture", "Design", "R at the crosshair", "Σ R"],
        *(
            [f"row {n[0]}", f"design {n[1]}", written(v[4, 6]), f"{v.sum():.3f}"]
            for n, v in MAPS.items()
        ),
    ]


def test_zoom_and_pan_move_all_maps(opened: Opened) -> None:
    opened.point(0, 0)
    opened.page.mouse.dblclick(*centre(opened, "a", "x"))
    expect(opened.page.locator(".zoomed")).to_have_text("2.00×")
    # The middle half of the map is on the screen: pixels 2.5 to 7.5.
    opened.page.keyboard.press("Escape")
    opened.point(0, 0, "b", "y")
    opened.reads(2, 2)
    opened.point(9, 9)
    opened.reads(7, 7)
    opened.page.mouse.down()
    opened.point(-10, -10)
    opened.page.mouse.up()
    opened.point(9, 9)
    opened.reads(9, 9)
    opened.page.get_by_role("button", name="Whole maps").click()
    expect(opened.page.locator(".zoomed")).to_be_empty()
    opened.point(0, 0)
    opened.page.keyboard.down("Control")
    opened.page.mouse.wheel(0, -300)
    opened.page.keyboard.up("Control")
    expect(opened.page.locator(".zoomed")).to_have_text("2.72×")
    opened.page.get_by_role("button", name="Whole maps").click()
    keys(opened)


def centre(opened: Opened, row: str, column: str) -> tuple[float, float]:
    box = opened.cell(row, column).locator("canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def keys(opened: Opened) -> None:
    """The same from the keyboard."""
    board = opened.page.get_by_role("group", name="Linked maps")
    board.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        board.press(key)
    opened.reads(6, 7)
    board.press("Shift+ArrowUp")
    opened.reads(6, 0)
    status = opened.page.get_by_role("status")
    expect(status).to_contain_text(f"x 6, y 0 (kept): design x {written(MAPS['ax'][0, 6])}")
    board.press("+")
    expect(opened.page.locator(".zoomed")).to_have_text("2.00×")
    board.press("0")
    expect(opened.page.locator(".zoomed")).to_be_empty()
    board.press("Escape")
    expect(opened.cell("a", "x").locator(".chip")).to_be_hidden()


def drawn_as_figures(opened: Opened) -> None:
    """The first map has the colours that the command line gives it."""
    shown = opened.page.locator(".cell canvas").first.evaluate(PIXELS, SIDE)
    np.testing.assert_array_equal(np.reshape(shown, (SIDE, SIDE, 3)), heatmap_rgb(MAPS["ax"], 2.0))


def test_what_is_done_is_told(opened: Opened) -> None:
    def press(name: str) -> Callable[[], object]:
        return opened.page.get_by_role("button", name=name).click

    assert told(opened, press("Move design x right")) == ("move_column", {"key": "x", "to": 1})
    assert told(opened, press("Take design y out")) == ("remove_column", {"key": "y"})
    assert told(opened, press("Move row b up")) == ("move_row", {"key": "b", "to": 0})
    assert told(opened, press("Take row a out")) == ("remove_row", {"key": "a"})
    assert told(opened, press("Open row b under design y")) == ("open", {"row": "b", "column": "y"})
    second = opened.page.get_by_role("radio", name="reference: design y")
    assert told(opened, second.check) == ("reference", {"key": "y"})
    chosen = opened.page.get_by_label("Class explained for row b")
    assert told(opened, lambda: chosen.select_option("7")) == (
        "retarget",
        {"key": "b", "target": "7"},
    )
    heads = opened.page.locator(".head[draggable]")
    assert told(opened, lambda: heads.nth(0).drag_to(heads.nth(1))) == (
        "move_column",
        {"key": "x", "to": 1},
    )


def test_a_map_is_drawn_right_sent_once_and_replaced(opened: Opened) -> None:
    grid = opened.grid
    assert grid is not None
    drawn_as_figures(opened)
    changed = [{**cell, "limit": 3.0} for cell in grid.cells]
    changed[0]["map"] = "by"
    changed[1] = {**changed[1], "state": "running", "map": "", "numbers": []}
    changed[2] = {**changed[2], "state": "failed", "map": "", "note": "no such class"}
    grid.param.update(cells=changed, stage="backward 3/53")
    expect(opened.page.get_by_text("no such class").first).to_be_visible()
    expect(opened.page.get_by_text("backward 3/53")).to_be_visible()
    opened.point(4, 4)
    expect(opened.cell("a", "x").locator(".chip")).to_have_text(written(MAPS["by"][4, 4]))
    assert sorted(opened.asked) == sorted(MAPS)
    # People with a screen reader can use it.
    assert not serious_violations(opened.page, besides=BARE_PAGE)
