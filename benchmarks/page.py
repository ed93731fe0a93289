"""The designer as the benchmarks use it: a server of its own, and the Chromium of the tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.ui.browser import ARGUMENTS, find_browser

FIND = """
const all = (root, what) => [...root.querySelectorAll("*")].flatMap((e) => [
  ...(e.matches(what) ? [e] : []), ...(e.shadowRoot ? all(e.shadowRoot, what) : []),
]);
"""
"""JavaScript: the elements that match a selector, in shadow roots too."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run ``onnxlrp serve`` on a free port, its networks and its store in a folder; its address."""
    folder.mkdir(exist_ok=True)
    words = ["serve", "--port", "0", "--no-show", "--models", str(folder), "--store", str(folder)]
    server = subprocess.Popen(
        [sys.executable, "-m", "onnxlrp", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield next(w for w in server.stdout.readline().split() if w.startswith("http"))
    finally:
        server.terminate()
        server.wait()


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        yield browser
        browser.close()


def open_page(browser: Browser, address: str) -> Page:
    """Open the designer as a new person, and wait for its heatmap."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(address)
    heatmap = page.get_by_label("Relevance of each pixel")
    heatmap.and_(page.locator("[data-drawn]")).wait_for()
    return page
