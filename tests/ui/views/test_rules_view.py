"""The rule editor in a browser: presets, numbers, equation and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.snapshots import snapshot
from ui import app as designer


@pytest.fixture
def page(serve: Any, visit: Any) -> Page:
    """The designer with segment 2 of montavon selected, an LRP-γ."""
    page = visit(serve(designer.create_app), reduced_motion="reduce")
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(row(page, 4).locator("figcaption")).to_contain_text("Σ R")
    page.get_by_role("button", name="Segment 2: LRP-γ 0.25").click()
    expect(page.get_by_text("Segment 2, layers 3 to 26")).to_be_visible()
    return page


def row(page: Page, number: int) -> Locator:
    return page.locator(".ruler .row").nth(number - 1)


def preset(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def field(page: Page, symbol: str) -> Locator:
    return page.get_by_role("textbox", name=symbol, exact=True)


def give(page: Page, symbol: str, value: str) -> None:
    field(page, symbol).fill(value)
    field(page, symbol).press("Enter")


def pressed(page: Page, name: str) -> None:
    expect(preset(page, name)).to_have_attribute("aria-pressed", "true")


def test_a_preset_changes_equation_bars_and_heatmap(page: Page) -> None:
    before = row(page, 2).locator("img").get_attribute("src")
    preset(page, "LRP-αβ").click()
    expect(row(page, 2)).to_contain_text("LRP-α2β1")
    expect(field(page, "α")).to_have_value("2")
    expect(row(page, 2).get_by_role("img", name="α 2, β 1")).to_be_visible()
    expect(row(page, 2).locator("math").first).to_contain_text("2")
    expect(row(page, 2).locator("img")).not_to_have_attribute("src", str(before))


def test_a_preset_becomes_custom_and_finds_its_name_again(page: Page) -> None:
    pressed(page, "LRP-γ")
    give(page, "θ0", "0.2")
    pressed(page, "custom")
    expect(row(page, 2)).to_contain_text("custom")
    snapshot(page, "rules")
    give(page, "θ0", "0")
    pressed(page, "LRP-γ")


def test_one_drag_of_a_slider_is_one_step(page: Page) -> None:
    slider = page.get_by_role("slider", name="γ1+, extra weight")
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.6 * box["width"], middle)
    page.mouse.down()
    for share in (0.7, 0.8, 0.9, 0.98):
        page.mouse.move(box["x"] + share * box["width"], middle, steps=3)
        page.wait_for_timeout(120)
    page.mouse.up()
    expect(row(page, 2)).not_to_contain_text("LRP-γ 0.25")
    page.keyboard.press("Control+z")
    expect(row(page, 2)).to_contain_text("LRP-γ 0.25")
    page.keyboard.press("Control+Shift+z")
    expect(row(page, 2)).not_to_contain_text("LRP-γ 0.25")


def test_a_double_click_resets(page: Page) -> None:
    give(page, "γ1+", "0.7")
    expect(row(page, 2)).to_contain_text("LRP-γ 0.7")
    page.get_by_role("slider", name="γ1+, extra weight").dblclick()
    expect(row(page, 2)).to_contain_text("LRP-γ 0.25")


def test_alpha_and_beta_are_locked_until_freed(page: Page) -> None:
    preset(page, "LRP-αβ").click()
    give(page, "α", "1.5")
    expect(field(page, "β")).to_have_value("0.5")
    give(page, "α", "0.5")
    refused = "α − β = 1 is locked, so α is at least 1, got 0.5."
    expect(page.get_by_role("alert").filter(has_text=refused).first).to_be_visible()
    page.get_by_role("button", name="free", exact=True).click()
    give(page, "α", "3")
    expect(field(page, "β")).to_have_value("0.5")
    expect(page.get_by_text("α − β is not 1: each layer makes more")).to_be_visible()
    page.get_by_role("button", name="locked", exact=True).click()
    expect(field(page, "α")).to_have_value("1.5")


def test_what_does_not_suit_a_layer_is_told_at_the_presets(page: Page) -> None:
    preset(page, "zB").click()
    wrong = page.get_by_role("alert").filter(has_text="z_box on")
    expect(wrong.first).to_contain_text("needs low and high")
    preset(page, "pass").click()
    expect(page.get_by_role("alert").filter(has_text="pass").first).to_be_visible()
    page.keyboard.press("Control+z")
    expect(row(page, 2)).to_contain_text("LRP-γ 0.25")


def test_bounds_bias_and_units(page: Page) -> None:
    page.get_by_role("button", name="relative", exact=True).click()
    expect(row(page, 2).locator("math").first).to_contain_text("rms")
    page.get_by_role("button", name="spread", exact=True).click()
    expect(row(page, 2)).to_contain_text("bias spread")
    page.get_by_role("button", name="Segment 1: zᴮ").click()
    page.get_by_role("textbox", name="low of zᴮ").fill("-100")
    page.get_by_role("textbox", name="high of zᴮ").fill("150")
    page.get_by_role("textbox", name="high of zᴮ").press("Enter")
    expect(row(page, 1).locator("math").first).to_contain_text("100")


def test_edits_reach_the_type_or_all(page: Page) -> None:
    page.get_by_role("button", name="All layers", exact=True).click()
    preset(page, "flat").click()
    expect(page.locator(".ruler .row")).to_have_count(1)
    expect(row(page, 1)).to_contain_text("flat · layers 0 to 63")


def test_a_preset_for_the_whole_network_and_the_way_back_by_the_history(page: Page) -> None:
    page.get_by_role("button", name="epsilon_gamma_box", exact=True).click()
    expect(page.locator(".ruler .row")).to_have_count(2)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".ruler .row")).to_have_count(4)
