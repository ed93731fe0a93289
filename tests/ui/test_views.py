"""Every view, light and dark: nothing serious for axe to say, and a picture of it.

With ONNXLRP_SCREENSHOTS=docs/designer pictures of the documentation are made anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui.access import serious_violations
from tests.ui.conftest import PATIENCE, Benches, Serve, Visit, ready
from tests.ui.steps import show, wait_until
from ui import app as designer
from ui.views.registry import VIEWS

DOCUMENTED = ("open", "design", "design_dark", "compare")
"""The pictures of the documentation that are taken here; the other views' tests take theirs."""


def take(page: Page, name: str, folder: Path) -> None:
    """Make a picture once nothing moves any more."""
    folder.mkdir(parents=True, exist_ok=True)
    page.mouse.move(2, 300)
    page.wait_for_timeout(800)
    page.screenshot(path=folder / f"{name}.png", animations="disabled")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view(
    serve: Serve, visit: Visit, benches: Benches, tmp_path: Path, scheme: str
) -> None:
    documented = Path(os.environ.get("ONNXLRP_SCREENSHOTS") or tmp_path)
    page = visit(serve(designer.create_app), reduced_motion="reduce")
    ready(page)
    if scheme == "dark":
        page.get_by_role("button", name="Toggle theme").click()
        page.wait_for_timeout(1000)
    bench = benches[0]()
    assert bench is not None
    problems = []
    for view in VIEWS:
        show(page, view.title)
        page.wait_for_timeout(1000)
        wait_until(lambda: not bench.jobs.busy, page, timeout=PATIENCE)
        expect(page.locator(".cell:visible:not([data-state=done])")).to_have_count(0)
        name = view.key if scheme == "light" else f"{view.key}_dark"
        take(page, name, documented if name in DOCUMENTED else tmp_path)
        problems += [f"{view.title}: {line}" for line in serious_violations(page)]
    assert not problems, "\n".join(problems)
