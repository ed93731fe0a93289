"""What people who use a keyboard or a screen reader must be able to rely on, as axe checks it."""

from __future__ import annotations

from collections.abc import Collection

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

BARE_PAGE = ("document-title", "html-has-lang")
"""What the page around a component alone lacks; the designer's own has it."""


def serious_violations(page: Page, besides: Collection[str] = ()) -> list[str]:
    """Every serious or critical violation on a page, one line an element."""
    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node.get('failureSummary', '')}"
        for v in found
        if v["impact"] in ("serious", "critical") and v["id"] not in besides
        for node in v["nodes"]
    ]
