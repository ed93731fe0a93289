"""The session's event loop, from the moment on when the browser shows the page."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import panel as pn


class Loop:
    """Schedules callbacks of a session's threads; those before the page is there wait for it.

    What a component is sent while the browser still builds it would be lost.

    Notes
    -----
    Bokeh's document takes callbacks from any thread, but not safely: while Panel changes the page
    it holds back the document's events, also that a callback was added, and what a thread adds
    just when it lets them go is never run. So a thread asks the loop, and the loop the document.
    """

    def __init__(self) -> None:
        self._document = pn.state.curdoc
        self._loop = None if self._document is None else asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] | None = []
        pn.state.onload(self._open)

    def schedule(self, callback: Callable[[], None]) -> None:
        """Run a callback on the loop soon; from any thread."""
        with self._lock:
            if self._waiting is not None:
                self._waiting.append(callback)
                return
        if self._loop is None or self._document is None:
            callback()
        else:
            self._loop.call_soon_threadsafe(self._document.add_next_tick_callback, callback)

    def _open(self) -> None:
        """The page is there: on with what waited."""
        with self._lock:
            waiting, self._waiting = self._waiting or [], None
        for callback in waiting:
            callback()
