"""The designer in a real browser: a server of its own for each test, pages that are watched."""

from __future__ import annotations

import logging
import uuid
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import panel as pn
import pytest
from bokeh.server.server import Server
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.ui.browser import ARGUMENTS, find_browser
from tests.ui.steps import wait_until
from tests.ui.watch import SERVER_LOGGERS, ServerErrors, Watch
from ui import app as designer
from ui.state import Workbench

Serve = Callable[..., str]
"""Serves an app, a function that returns what is shown; returns its address."""

Visit = Callable[..., Page]
"""Opens a page as a new person: cookies, storage and session of its own."""

Benches = list["weakref.ref[Workbench]"]
"""The workbench of every session so far; the list does not keep them alive."""

VIEWPORT = {"width": 1280, "height": 720}
"""The smallest screen that the designer promises to be usable on."""

PATIENCE = 60_000
"""Milliseconds until a thing that must appear has failed to: this machine may be very busy."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this folder, closed after the last of them."""
    path = find_browser()
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test if anything went wrong on a page; tests of faults clear ``watch.faults``."""
    watch = Watch()
    errors = ServerErrors(watch)
    for name in SERVER_LOGGERS:
        logging.getLogger(name).addHandler(errors)
    yield watch
    for name in SERVER_LOGGERS:
        logging.getLogger(name).removeHandler(errors)
    assert not watch.faults, "\n".join(["on the page:", *dict.fromkeys(watch.faults)])


@pytest.fixture
def visit(browser: Browser, watch: Watch) -> Iterator[Visit]:
    """Open an address as a new person, with options of a browser context if wanted."""
    contexts: list[BrowserContext] = []

    def open_page(url: str, **options: Any) -> Page:
        context = browser.new_context(viewport=VIEWPORT, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        watch.over(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve apps on free ports of this machine; all servers and sessions end with the test."""

    def start(app: Callable[[], Any], **options: Any) -> str:
        server_id = uuid.uuid4().hex
        pn.serve(
            app,
            address="127.0.0.1",
            threaded=True,
            show=False,
            verbose=False,
            server_id=server_id,
            **options,
        )
        wait_until(lambda: server_id in pn.state._servers)
        return f"http://localhost:{pn.state._servers[server_id][0].port}"

    yield start
    threads = list(pn.state._threads.values())
    for server, _, _ in pn.state._servers.values():
        stopped: Future[None] = Future()
        server.io_loop.add_callback(_stop, server, stopped)
        stopped.result(timeout=PATIENCE / 1000)
    pn.state.reset()
    for thread in threads:
        thread.join(timeout=PATIENCE / 1000)
        assert not thread.is_alive(), "the server did not end"


async def _stop(server: Server, stopped: Future[None]) -> None:
    """Stop a server on its own thread: sessions, then sockets; Panel leaves the latter open."""
    try:
        server.stop()
        await server._http.close_all_connections()
        stopped.set_result(None)
    except BaseException as error:
        stopped.set_exception(error)
        raise


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> Iterator[Benches]:
    """Write the sessions' workbenches down, so that a test can look behind the page."""
    made: Benches = []

    def watched(*values: object) -> Workbench:
        bench = Workbench(*values)  # type: ignore[arg-type]
        made.append(weakref.ref(bench))
        return bench

    monkeypatch.setattr(designer, "Workbench", watched)
    yield made


def ready(page: Page) -> None:
    """Wait until the page shows what it opens with."""
    expect(page.get_by_role("button", name="Egyptian cat")).to_be_visible(timeout=PATIENCE)
