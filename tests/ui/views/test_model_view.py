"""Segments, graph and table in a browser: three views of one selection and one design."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.snapshots import snapshot
from ui import app as designer


@pytest.fixture
def page(serve: Any, visit: Any) -> Page:
    """The designer as it opens: montavon on the packaged network, everything computed."""
    page = visit(serve(designer.create_app), reduced_motion="reduce")
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(row(page, 4).locator("figcaption")).to_contain_text("Σ R")
    return page


def row(page: Page, number: int) -> Locator:
    """What one segment does."""
    return page.locator(".ruler .row").nth(number - 1)


def bound(page: Page, number: int) -> Locator:
    """The bound above segment ``number``."""
    name = f"Bound between segments {number - 1} and {number}"
    return page.get_by_role("slider", name=name, exact=True)


def line(page: Page, name: str) -> Locator:
    return page.get_by_role("listbox", name="Layers, from the input").get_by_role(
        "option", name=name
    )


def way(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_bound_moves_by_keyboard_and_is_undone(page: Page) -> None:
    expect(row(page, 2)).to_contain_text("layers 3 to 26")
    bound(page, 3).press("ArrowDown")
    expect(row(page, 2)).to_contain_text("layers 3 to 32")
    expect(bound(page, 3)).to_be_focused()
    expect(bound(page, 3)).to_have_attribute(
        "aria-valuetext", "segment 3, LRP-ε 0.25·rms, begins at layer 33, fire6_squeeze1x1 (Conv)"
    )
    expect(row(page, 3).locator("figcaption")).to_contain_text("at layer 33, Σ R")
    page.keyboard.press("Control+z")
    expect(row(page, 2)).to_contain_text("layers 3 to 26")


def test_a_bound_is_dragged_and_one_drag_is_one_step(page: Page) -> None:
    handle = bound(page, 4).bounding_box()
    aim = line(page, "conv10, Conv").bounding_box()
    assert handle is not None
    assert aim is not None
    x = handle["x"] + handle["width"] / 2
    page.mouse.move(x, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(x, (handle["y"] + aim["y"]) / 2, steps=4)
    page.mouse.move(x, aim["y"] + 2, steps=4)
    expect(row(page, 4)).to_contain_text("layers 61 to 63")
    page.mouse.up()
    page.keyboard.press("Control+z")
    expect(row(page, 4)).to_contain_text("layers 51 to 63")


def test_segments_are_split_and_joined(page: Page) -> None:
    line(page, "fire3, 7 layers").click()
    page.keyboard.press("s")
    expect(row(page, 3)).to_contain_text("LRP-γ 0.25 · layers 10 to 26")
    expect(page.locator(".ruler .row")).to_have_count(5)
    bound(page, 3).press("Delete")
    expect(page.locator(".ruler .row")).to_have_count(4)


def test_folds_open_and_close(page: Page) -> None:
    inside = line(page, "layer 5: fire2_expand1x1")
    expect(inside).to_have_count(0)
    line(page, "fire2, 7 layers, folded").press("ArrowRight")
    expect(inside).to_be_visible()
    snapshot(page, "segments")
    line(page, "fire2, 7 layers, open").press("ArrowLeft")
    expect(inside).to_have_count(0)


def test_one_selection_in_three_views(page: Page) -> None:
    line(page, "fire2, 7 layers, folded").click()
    expect(page.get_by_text("7 selected layers")).to_be_visible()
    way(page, "Graph")
    graph = page.get_by_role("listbox", name="Layers of the network")
    expect(graph.locator("[aria-selected=true]")).to_have_count(7)
    graph.get_by_role("option", name="fire2_expand3x3, Conv, LRP-γ 0.25").click()
    expect(graph.locator("[aria-selected=true]")).to_have_count(1)
    way(page, "Layers")
    expect(page.locator(".tabulator-selected")).to_have_count(1)
    expect(page.locator(".tabulator-selected")).to_contain_text("fire2_expand3x3")
    other = page.locator(".tabulator-row").filter(has_text="fire3_expand1x1").first
    other.locator("[tabulator-field=Layer]").click(modifiers=["Control"])
    expect(page.get_by_text("2 selected layers")).to_be_visible()


def test_the_graph_is_walked_searched_and_boxed(page: Page) -> None:
    way(page, "Graph")
    graph = page.get_by_role("listbox", name="Layers of the network")
    graph.get_by_role("option", name="conv1, Conv").click()
    expect(graph.locator("[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(graph.locator("[aria-selected=true]")).to_have_attribute("data-at", "1")
    search = page.get_by_role("searchbox", name="Find layers by name or type")
    search.fill("concat")
    expect(page.get_by_text("8 found")).to_be_visible()
    search.press("Enter")
    expect(graph.locator("[aria-selected=true]")).to_have_count(8)
    search.fill("")
    page.get_by_role("button", name="Show the whole network (f)").click()
    board = page.locator("svg.board").bounding_box()
    assert board is not None
    middle = board["x"] + board["width"] / 2
    page.keyboard.down("Shift")
    page.mouse.move(middle - 60, board["y"] + 2)
    page.mouse.down()
    page.mouse.move(middle + 60, board["y"] + board["height"] - 2, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(graph.locator("[aria-selected=true]")).to_have_count(64)


def test_edges_are_as_wide_as_their_share_of_relevance(page: Page) -> None:
    way(page, "Graph")
    expect(page.locator(".wire.known")).to_have_count(72)
    into_concat = page.locator(".wire", has_text="fire9_expand1x1_relu → fire9_concat")
    expect(into_concat).to_contain_text("% of the relevance")
    snapshot(page, "graph")
    way(page, "Layers")
    expect(page.locator(".tabulator-row", has_text="conv1_relu")).to_be_visible()
    snapshot(page, "layers")


def test_a_rule_is_chosen_in_the_table(page: Page) -> None:
    way(page, "Layers")
    cell = (
        page.locator(".tabulator-row")
        .filter(has_text="conv1")
        .first.locator("[tabulator-field=Rule]")
    )
    cell.click()
    page.locator(".tabulator-edit-list-item", has_text="flat").click()
    way(page, "Segments")
    expect(row(page, 1)).to_contain_text("1 · flat · layers 0 to 2")


def test_parameters_are_written_in_the_table_and_mistakes_are_told(page: Page, watch: Any) -> None:
    way(page, "Layers")
    cell = (
        page.locator(".tabulator-row")
        .filter(has_text="fire2_squeeze1x1")
        .first.locator("[tabulator-field=Parameters]")
    )
    cell.click()
    cell.locator("input").fill("gama=0.7")
    cell.locator("input").press("Enter")
    expect(page.get_by_text("rule 'gamma' has no parameter 'gama'").first).to_be_visible()
    expect(cell).to_have_text("gamma=0.25")
    cell.click()
    cell.locator("input").fill("gamma=0.7")
    cell.locator("input").press("Enter")
    way(page, "Segments")
    expect(row(page, 2)).to_contain_text("LRP-γ 0.7 · layers 3 to 4")


def test_bounds_that_stand_in_no_cell_are_kept(page: Page) -> None:
    page.get_by_role("button", name="Segment 1: zᴮ").click()
    page.get_by_role("textbox", name="low of zᴮ").fill("[[[-100]], [[-110]], [[-120]]]")
    page.get_by_role("textbox", name="high of zᴮ").fill("[[[150]], [[140]], [[130]]]")
    page.get_by_role("textbox", name="high of zᴮ").press("Enter")
    expect(row(page, 1)).to_contain_text("Σ R = ")
    way(page, "Layers")
    line = page.locator(".tabulator-row").filter(has_text="conv1").first
    cell = line.locator("[tabulator-field=Parameters]")
    cell.click()
    cell.locator("input").fill("epsilon=0.5")
    cell.locator("input").press("Enter")
    way(page, "Segments")
    expect(row(page, 1).get_by_role("img", name="ε 0.5")).to_be_visible()
    expect(page.get_by_role("textbox", name="low of zᴮ")).to_have_value(
        "[[[-100.0]], [[-110.0]], [[-120.0]]]"
    )
