"""The session's event loop, at the times when the browser can take what it is sent."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import panel as pn
from bokeh.document.callbacks import invoke_with_curdoc

LONGEST = 30.0
"""Seconds after which the browser is no longer waited for: it lost its connection."""


class Loop:
    """Schedules callbacks of a session's threads; while the browser builds something they wait.

    What the browser is sent for a view that it still builds is lost: the view has read its first
    state, and does not listen yet. The page is built at first, and every view when it is opened.

    Notes
    -----
    Bokeh's document takes callbacks from any thread, but not safely: while Panel changes the page
    it holds back the document's events, also that a callback was added, and what a thread adds
    just when it lets them go is never run. So a thread asks the loop, and the loop runs the
    callback itself when it has the document's lock, as Bokeh does.
    """

    def __init__(self) -> None:
        self._document = pn.state.curdoc
        self._loop = None if self._document is None else asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._building: set[object] = set()
        self._waiting: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        pn.state.onload(partial(self._end, self._begin()))

    def schedule(self, callback: Callable[[], None]) -> None:
        """Run a callback on the loop soon; from any thread."""
        with self._lock:
            if self._building:
                self._waiting.append(callback)
                return
        self._send(callback)

    def pause(self) -> Callable[[], None]:
        """Keep callbacks back, because the browser builds something, until what this returns."""
        token = self._begin()
        if self._loop is not None:
            # By a weak reference: a session that is closed meanwhile is not kept for it.
            self._loop.call_later(LONGEST, _give_up, weakref.ref(self), token)
        return partial(self._end, token)

    def _begin(self) -> object:
        """The browser has something to build."""
        token = object()
        with self._lock:
            self._building.add(token)
        return token

    def _end(self, token: object) -> None:
        """It is built: on with what waited, unless something else is not."""
        with self._lock:
            self._building.discard(token)
            if self._building:
                return
            waiting, self._waiting = self._waiting, []
        for callback in waiting:
            self._send(callback)

    def _send(self, callback: Callable[[], None]) -> None:
        if self._loop is None or self._document is None:
            callback()
        else:
            self._loop.call_soon_threadsafe(self._hand_on, callback)

    def _hand_on(self, callback: Callable[[], None]) -> None:
        """Run a callback once the document is free; of a closed tab nothing is left to be told."""
        assert self._document is not None and self._loop is not None
        context = self._document.session_context
        if context is None or context.destroyed:
            return
        run = context.with_locked_document(partial(_run, callback))
        task = asyncio.ensure_future(run, loop=self._loop)
        self._tasks.add(task)  # the loop itself keeps tasks by weak references only
        task.add_done_callback(self._tasks.discard)


async def _run(callback: Callable[[], None], document: Any) -> None:
    """Run a callback as the document's own."""
    invoke_with_curdoc(document, callback)


def _give_up(loop: weakref.ref[Loop], token: object) -> None:
    """Wait no longer, if the session is still there."""
    found = loop()
    if found is not None:
        found._end(token)
