"""What must not happen on any page: an error, a failed request, a request to anywhere else."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebSocket
from tornado.websocket import WebSocketClosedError

OWN_HOSTS = ("localhost", "127.0.0.1")
OWN_SCHEMES = ("data", "blob", "about", "file")
"""Addresses that never leave the browser."""


SERVER_LOGGERS = ("panel", "bokeh", "tornado", "asyncio", "param")
"""Who reports what went wrong behind the page."""


@dataclass
class Watch:
    """Writes down what goes wrong on all pages of a browser context, and behind them.

    Attributes
    ----------
    faults : list of str
        One line a fault; must be empty when a test ends.
    """

    faults: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch every page of a context, those that it opens later as well."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self._add("uncaught error", str(error.error)))
        context.on("request", lambda request: self._address(request.url))
        context.on("requestfailed", self._failed)
        context.on("response", self._response)
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("websocket", self._socket)
        page.on("crash", lambda _: self._add("crash", page.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._add("console error", message.text)

    def _failed(self, request: Request) -> None:
        # A page that is left or closed drops what it was still asking for: no failure.
        if request.failure != "net::ERR_ABORTED":
            self._add("failed request", f"{request.url} ({request.failure})")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._add("refused request", f"{response.url} ({response.status})")

    def _socket(self, socket: WebSocket) -> None:
        self._address(socket.url)
        socket.on("socketerror", lambda error: self._add("socket error", f"{socket.url} ({error})"))

    def _address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in OWN_SCHEMES and parts.hostname not in OWN_HOSTS:
            self._add("outside request", url)

    def _add(self, kind: str, what: str) -> None:
        self.faults.append(f"{kind}: {what}")


class ServerErrors(logging.Handler):
    """Passes on what the server logs as an error, such as a callback that raised."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.ERROR)
        self.watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        # A page that closes while something is on its way to it: told late, in the midst of another
        # test, when the message that was never sent is collected.
        if isinstance(error, WebSocketClosedError):
            return
        text = record.getMessage()
        if error is not None:
            text += "\n" + "".join(traceback.format_exception(error))
        self.watch.faults.append(f"server error: {text}")
