"""What a person does on the designer's page, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from panel.tests.util import wait_until as panels_wait_until
from playwright.sync_api import Locator, Page

#: Wait until something holds, half a minute at most: a machine may be busy with other things.
wait_until: Callable[..., None] = partial(panels_wait_until, timeout=30_000)


def show(page: Page, place: str) -> None:
    """Open a view by its title."""
    page.get_by_role("tab", name=place, exact=True).click()


def start_flipping(page: Page, steps: int) -> Locator:
    """Begin to flip pixels in so many steps; the button that stops it."""
    show(page, "Pixel flipping")
    field = page.get_by_role("textbox", name="Steps")
    field.fill(str(steps))
    field.press("Enter")
    page.get_by_role("button", name="Flip", exact=True).click()
    return page.get_by_role("button", name="Stop", exact=True)
