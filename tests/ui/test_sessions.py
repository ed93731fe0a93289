"""Sessions: each has its own state, nothing of it is left behind, its work ends with it."""

from __future__ import annotations

import asyncio
import gc
import logging
from threading import Thread

import pytest
from bokeh.client import pull_session
from playwright.sync_api import expect

from onnxlrp.composites import Composite
from tests.ui.conftest import PATIENCE, Benches, Serve, Visit, ready
from tests.ui.steps import show, wait_until
from ui import app as designer

SHORT = {
    "check_unused_sessions_milliseconds": 200,
    "unused_session_lifetime_milliseconds": 5000,
}
"""A closed tab's session ends soon; before, a slow browser must have connected to it."""


def open_and_close(url: str, count: int) -> None:
    """Open sessions without a browser: what they leave on the server is the same."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    for _ in range(count):
        pull_session(url=url).close()
    asyncio.get_event_loop().close()


def test_two_sessions_do_not_see_each_other(serve: Serve, visit: Visit, benches: Benches) -> None:
    url = serve(designer.create_app)
    one, two = visit(url), visit(url)
    ready(one)
    ready(two)
    first, second = (found() for found in benches)
    assert first is not None
    assert second is not None
    before = (second.designs, second.question, second.picture, second.look)
    one.get_by_role("button", name="tabby").click()
    one.get_by_role("button", name="Duplicate epsilon_plus").click()
    one.get_by_role("button", name="Explain coffee").click()
    wait_until(lambda: len(first.designs) == 3 and first.picture == 1 and not first.pending, one)
    assert first.question.target != "top1"
    assert (second.designs, second.question, second.picture, second.look) == before
    expect(two.get_by_role("button", name="Egyptian cat explained")).to_be_visible()
    expect(two.get_by_role("button", name="Nothing to undo")).to_be_disabled()
    expect(two.get_by_role("button", name="epsilon_plus 2", exact=True)).to_have_count(0)


def test_closed_sessions_leave_nothing(
    serve: Serve, visit: Visit, benches: Benches, caplog: pytest.LogCaptureFixture
) -> None:
    # What is logged is kept until the test ends, and its events hold what they are about.
    caplog.set_level(logging.WARNING, logger="panel")
    url = serve(designer.create_app, **SHORT)
    for tab in ("Design", "Compare"):
        page = visit(url)
        ready(page)
        show(page, tab)
        page.close()
    opening = Thread(target=open_and_close, args=(url, 18))
    opening.start()
    opening.join()

    def gone() -> bool:
        gc.collect()
        return not any(found() for found in benches)

    assert len(benches) == 20
    wait_until(gone, timeout=PATIENCE)


def test_closing_the_tab_cancels_its_work(serve: Serve, visit: Visit, benches: Benches) -> None:
    page = visit(serve(designer.create_app, **SHORT))
    ready(page)
    bench = benches[0]()
    assert bench is not None
    wait_until(lambda: not bench.jobs.busy, page)
    asked = bench.opened, bench.pictures[1], bench.question, Composite.preset("gamma")
    steps: list[int] = []

    def endless(progress: object) -> None:
        while True:
            bench.explanations.explain(*asked, progress=progress)  # type: ignore[arg-type]
            bench.explanations.forget()
            steps.append(1)

    job = bench.jobs.run("long", endless, lambda _: None)
    wait_until(lambda: len(steps) > 1, page)
    assert not job.ended.is_set()
    page.close()
    assert job.ended.wait(PATIENCE / 1000)
    assert job.cancel.is_set()
