"""The page: everything is there and computed when it opens; what fails says so."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ui import app as designer


def test_it_opens_with_picture_classes_and_heatmap(serve, visit):
    page = visit(serve(designer.create_app))
    expect(page.locator("button.title", has_text="montavon")).to_be_visible()
    expect(page.get_by_role("button", name="Egyptian cat")).to_be_visible()
    expect(page.locator("canvas[data-drawn]").first).to_be_visible()


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
    page.get_by_role("tab", name="Broken").click()
    expect(page.get_by_text("RuntimeError: not this one").first).to_be_visible()
    page.get_by_role("tab", name="Design").click()
    expect(page.get_by_role("button", name="Egyptian cat")).to_be_visible()
