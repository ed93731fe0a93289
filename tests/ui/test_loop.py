"""The way from a thread to the page: nothing gets lost on it."""

from __future__ import annotations

from threading import Event, Thread

import panel as pn

from tests.ui.conftest import Serve, Visit
from tests.ui.steps import wait_until
from ui.loop import Loop


def test_nothing_is_lost_while_the_page_changes(serve: Serve, visit: Visit) -> None:
    loops: list[Loop] = []
    ran: list[str] = []

    def app() -> pn.Column:
        loops.append(Loop())
        document = pn.state.curdoc

        def change() -> None:
            document.hold()
            thread = Thread(target=loops[0].schedule, args=(lambda: ran.append("scheduled"),))
            thread.start()
            thread.join()
            # Where bokeh's `unhold` and Panel's `unlocked` have looked at the events already.
            document.callbacks._held_events = []
            document.unhold()
            ran.append("changed")

        loops[0].schedule(change)
        return pn.Column("A page")

    page = visit(serve(app))
    wait_until(lambda: ran == ["changed", "scheduled"], page)


def test_what_comes_after_the_tab_was_closed_goes_nowhere(serve: Serve, visit: Visit) -> None:
    loops: list[Loop] = []
    ran: list[str] = []

    def app() -> pn.Column:
        loops.append(Loop())
        return pn.Column("A page")

    page = visit(serve(app))
    document, server = loops[0]._document, loops[0]._loop
    context = document.session_context
    page.close()
    wait_until(lambda: context.destroyed)
    passed = Event()
    loops[0].schedule(lambda: ran.append("scheduled"))
    server.call_soon_threadsafe(passed.set)
    assert passed.wait(30)
    assert ran == []
