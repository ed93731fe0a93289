"""Screenshots for the documentation, taken by the tests when they are asked to."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

FOLDER = "ONNXLRP_SCREENSHOTS"
"""Environment variable: the folder that screenshots go to; none are kept without it."""

SIZE = {"width": 1440, "height": 900}


def snapshot(page: Page, name: str) -> None:
    """Keep what a page shows as NAME.png, in the size of the documentation."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    was = page.viewport_size
    page.set_viewport_size(SIZE)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)
    page.screenshot(path=Path(folder, f"{name}.png"))
    if was is not None:
        page.set_viewport_size(was)
