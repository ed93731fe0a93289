"""What people who use a keyboard or a screen reader must be able to rely on, as axe checks it."""

from __future__ import annotations

from collections.abc import Collection

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

BARE_PAGE = ("document-title", "html-has-lang")
"""What the page around a component alone lacks; the designer's own has it."""


def serious_violations(page: Page, besides: Collection[str] = ()) -> list[str]:
    """Every serious or critical violation that stays on a page, one line an element.

    What fades in or out has no contrast to speak of meanwhile: the pointer leaves what it was over,
    and what is found is looked at again.
    """
    page.mouse.move(0, page.viewport_size["height"] - 1 if page.viewport_size else 0)
    expect(page.locator(".MuiTooltip-tooltip")).to_have_count(0)
    for _ in range(4):
        found = _violations(page, besides)
        if not found:
            break
        page.wait_for_timeout(1000)
    return found


def _violations(page: Page, besides: Collection[str]) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node.get('failureSummary', '')}"
        for v in found
        if v["impact"] in ("serious", "critical") and v["id"] not in besides
        for node in v["nodes"]
    ]
