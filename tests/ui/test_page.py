"""The page: everything is there and computed when it opens; what fails says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import ready
from tests.ui.steps import show
from ui import app as designer
from ui.settings import Settings

NETWORK = Path(__file__).parents[1] / "data/models/cifar10_vgglike_keras_tf2onnx.onnx"


def test_it_opens_with_picture_classes_and_heatmap(serve, visit):
    page = visit(serve(designer.create_app))
    expect(page.locator("button.title", has_text="montavon")).to_be_visible()
    expect(page.get_by_role("button", name="Egyptian cat")).to_be_visible()
    expect(page.locator("canvas[data-drawn]").first).to_be_visible()


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900), (1920, 1080)])
def test_what_counts_is_on_the_screen_at_once(serve, visit, size):
    page = visit(serve(designer.create_app))
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    drawn = page.get_by_role("img", name="Relevance of each pixel").and_(
        page.locator("[data-drawn]")
    )
    for part in (
        drawn,
        page.get_by_role("img", name="The picture chelsea"),
        page.get_by_role("button", name="cougar"),
        page.get_by_role("textbox", name="Another target"),
        page.get_by_role("button", name="Segment 4: LRP-0"),
        page.locator(".ruler .row").nth(3),
        page.get_by_role("slider", name="ε, "),
    ):
        expect(part).to_be_in_viewport(ratio=0.99)


def test_it_is_dark_where_the_system_is_until_a_person_chooses(serve, visit):
    url = serve(designer.create_app)
    dark, light = (
        ("background-color", "rgb(18, 18, 18)"),
        ("background-color", "rgb(255, 255, 255)"),
    )
    page = visit(url, color_scheme="dark")
    ready(page)
    body = page.locator("body")
    expect(body).to_have_css(*dark)
    page.emulate_media(color_scheme="light")
    expect(body).to_have_css(*light)
    page.get_by_role("button", name="Toggle theme").click()
    expect(body).to_have_css(*dark)
    page.reload()
    ready(page)
    expect(body).to_have_css(*dark)


def test_a_page_that_cannot_be_built_says_why(serve, visit, monkeypatch):
    def fail(settings):
        raise RuntimeError("no such thing")

    monkeypatch.setattr(designer, "_page", fail)
    page = visit(serve(designer.create_app))
    expect(page.get_by_text("RuntimeError: no such thing").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_view_that_cannot_be_built_leaves_the_others(serve, visit, monkeypatch, scheme):
    def fail(bench):
        raise RuntimeError("not this one")

    broken = designer.VIEWS[0].__class__("broken", "Broken", fail)
    monkeypatch.setattr(designer, "VIEWS", (*designer.VIEWS, broken))
    monkeypatch.setattr("ui.header.VIEWS", designer.VIEWS)
    page = visit(serve(designer.create_app), color_scheme=scheme)
    show(page, "Broken")
    expect(page.get_by_text("RuntimeError: not this one").first).to_be_visible()
    show(page, "Design")
    expect(page.get_by_role("button", name="Egyptian cat")).to_be_visible()


def test_a_link_brings_the_same_screen_back(serve, visit):
    page = visit(serve(designer.create_app))
    page.get_by_role("button", name="tabby").click()
    page.get_by_role("button", name="Duplicate montavon").click()
    page.get_by_role("button", name="Share").click()
    field = page.get_by_label("Link to exactly this", exact=True)
    expect(field).to_have_value(re.compile("state="))
    again = visit(field.input_value())
    expect(again.get_by_role("button", name="tabby")).to_have_attribute("aria-pressed", "true")
    expect(again.get_by_role("button", name="montavon 2", exact=True)).to_be_visible()


def test_a_damaged_link_is_told_and_the_page_works(serve, visit):
    page = visit(serve(designer.create_app) + "/?state=damaged")
    expect(page.get_by_text("damaged or cut off").first).to_be_visible()
    expect(page.get_by_role("button", name="Egyptian cat")).to_be_visible()


def test_an_uploaded_network_is_checked_and_then_explained(serve, visit, tmp_path):
    page = visit(serve(lambda: designer.create_app(Settings(store=tmp_path))))
    show(page, "Open")
    page.locator("input[type=file]").first.set_input_files(NETWORK)
    expect(page.get_by_text("not in use yet")).to_be_visible()
    expect(page.get_by_text("Every layer can be explained")).to_be_visible()
    page.get_by_role("button", name="Use this network").click()
    expect(page.get_by_role("button", name="class 3")).to_be_visible()


def test_a_picture_as_network_is_told(serve, visit, tmp_path):
    page = visit(serve(lambda: designer.create_app(Settings(store=tmp_path))))
    show(page, "Open")
    wrong = {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff\xe0 no network"}
    page.locator("input[type=file]").first.set_input_files([wrong])
    expect(page.get_by_text("cat.jpg").first).to_be_visible()
    show(page, "Design")
    expect(page.get_by_role("button", name="Egyptian cat")).to_be_visible()
