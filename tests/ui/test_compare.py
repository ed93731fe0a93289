"""The comparison on the page: what its cells show is what the engine gives."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Locator, Page, expect

import onnxlrp
from onnxlrp import assets
from onnxlrp.evaluate import pearson
from onnxlrp.render.heatmap import channel_sum
from tests.ui.access import serious_violations
from tests.ui.conftest import Serve, Visit
from tests.ui.steps import show, wait_until
from ui.app import create_app
from ui.state import packaged_network

DESIGNS = ("montavon", "epsilon_plus")


def truth(design: str, picture: str) -> np.ndarray:
    """The map that the engine gives, as on the command line."""
    model = packaged_network().model
    result = onnxlrp.explain(model, model.preprocess(assets.default_images()[picture]), design)
    return channel_sum(result.relevance[0])


def cell(page: Page, picture: str, column: str) -> Locator:
    return page.locator(f"[data-cell='{picture} | {column}']")


def number(shown: Locator, label: str) -> str:
    return shown.locator("dl div", has_text=label).locator("dd").inner_text().replace("−", "-")


def choose(page: Page, menu: str, item: str) -> None:
    page.get_by_role("button", name=menu).click()
    page.get_by_role("menuitem", name=item, exact=True).click()
    expect(page.get_by_role("menuitem")).to_have_count(0)


def test_comparing_two_designs_on_two_pictures(serve: Serve, visit: Visit) -> None:
    page = visit(serve(create_app))
    show(page, "Compare")
    choose(page, "Add a row", "All pictures")
    expect(page.locator(".cell[data-state=done]")).to_have_count(4)

    # One crosshair reads every map; the numbers are those of the maps.
    expect(cell(page, "coffee", "epsilon_plus")).to_be_visible()
    first = cell(page, "chelsea", "montavon").locator("canvas")
    first.hover(position={"x": 100, "y": 60})
    x, y = (int(part[2:]) for part in page.locator(".place").inner_text().split(", "))
    for picture in ("chelsea", "coffee"):
        maps = [truth(design, picture) for design in DESIGNS]
        for design, found in zip(DESIGNS, maps, strict=True):
            shown = cell(page, picture, design)
            value = float(shown.locator(".chip").inner_text().replace("−", "-"))
            assert abs(value - found[y, x]) <= 0.06 * abs(found[y, x])
            assert number(shown, "Σ R") == f"{found.sum(dtype=np.float64):.4g}"
        likeness = number(cell(page, picture, "epsilon_plus"), "Pearson")
        assert likeness == f"{pearson(maps[0], maps[1]):.3f}"

    # One scale for each row; a column of differences.
    page.get_by_role("combobox", name="Colour scale of").click()
    page.get_by_role("menuitem", name="each row").click()
    limits = [cell(page, "chelsea", design).locator(".limit") for design in DESIGNS]
    wait_until(lambda: limits[0].inner_text() == limits[1].inner_text(), page)
    choose(page, "Difference", "epsilon_plus − montavon")
    difference = cell(page, "coffee", "epsilon_plus − montavon")
    made = truth("epsilon_plus", "coffee") - truth("montavon", "coffee")
    expect(difference).to_have_attribute("data-state", "done")
    assert number(difference, "|A − B|") == f"{np.abs(made).sum(dtype=np.float64):.4g}"

    # Another class, another order, a column out and in again.
    page.get_by_label("Class explained for coffee").select_option("968")
    page.get_by_role("button", name="Move epsilon_plus left").click()
    expect(page.locator(".head strong").nth(1)).to_have_text("epsilon_plus")
    page.get_by_role("button", name="Take montavon out of the comparison", exact=True).click()
    expect(page.locator(".cell")).to_have_count(2)
    choose(page, "Add a column", "montavon")
    expect(page.locator(".cell[data-state=done]")).to_have_count(4)
    assert not serious_violations(page)

    # A cell opens in the designer.
    page.get_by_role("button", name="Open chelsea under montavon in the designer").click()
    expect(page.get_by_role("tab", name="Design")).to_have_attribute("aria-selected", "true")
