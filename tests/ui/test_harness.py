"""The watch sees what it must not miss; a page that does its work passes."""

from __future__ import annotations

import panel as pn
import pytest
from panel.viewable import Viewable
from playwright.sync_api import expect

from tests.ui import browser
from tests.ui.conftest import Serve, Visit
from tests.ui.steps import wait_until
from tests.ui.watch import Watch


def greeting() -> Viewable:
    name = pn.widgets.TextInput(label="Name")
    return pn.Column(name, pn.bind("Hello {}".format, name))


def test_a_page_answers_what_is_typed(serve: Serve, visit: Visit) -> None:
    page = visit(serve(greeting))
    page.get_by_label("Name").fill("Lotte")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text("Hello Lotte")).to_be_visible()


FAULTS = {
    "console.error('no such class')": "console error: no such class",
    "setTimeout(() => { throw new Error('odd') })": "uncaught error: odd",
    "fetch('/nowhere').then(r => r.text())": "refused request: http://localhost:",
    "fetch('http://127.0.0.1:9/').catch(() => 0)": "failed request: http://127.0.0.1:9/",
    "fetch('http://fonts.invalid/a').catch(() => 0)": "outside request: http://fonts.invalid/a",
    "new WebSocket('ws://feed.invalid/') && 0": "outside request: ws://feed.invalid/",
}


def test_the_watch_sees_every_kind_of_fault(serve: Serve, visit: Visit, watch: Watch) -> None:
    page = visit(serve(greeting))
    expect(page.get_by_label("Name")).to_be_visible()
    for script, fault in FAULTS.items():
        page.evaluate(script)
        wait_until(lambda fault=fault: any(x.startswith(fault) for x in watch.faults), page)
    watch.faults.clear()


def test_the_watch_sees_errors_of_the_server(serve: Serve, visit: Visit, watch: Watch) -> None:
    def app() -> Viewable:
        button = pn.widgets.Button(label="Divide")
        button.on_click(lambda _: 1 / 0)
        return button

    page = visit(serve(app))
    page.get_by_role("button", name="Divide").click()
    wait_until(lambda: any("ZeroDivisionError" in x for x in watch.faults), page)
    watch.faults.clear()


def test_no_browser_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "COMMANDS", ("no-such-browser",))
    with pytest.raises(FileNotFoundError, match=r"install one \(on Debian: apt-get install chrom"):
        browser.find_browser()
