"""The server: ready before the first page is asked for, ended by Ctrl+C."""

from __future__ import annotations

import os
import socket
import sys
import warnings
from collections.abc import Sequence

import panel as pn
from bokeh.settings import settings as settings_of_bokeh
from bokeh.util.warnings import BokehUserWarning

from onnxlrp.errors import InputError
from onnxlrp.kernels import ensure_compiled

from .app import TITLE, create_app
from .settings import Settings
from .state import Workbench

UNUSED = 15_000
"""Milliseconds after which a closed tab's session ends, and the work that it had."""


def serve(
    settings: Settings,
    *,
    address: str = "127.0.0.1",
    port: int = 5006,
    origins: Sequence[str] = (),
    show: bool | None = None,
) -> None:
    """Serve the designer until interrupted.

    Parameters
    ----------
    settings : Settings
    address : str
        Address to listen on; 127.0.0.1 is this machine alone.
    port : int
        0 takes one that is free.
    origins : sequence of str
        "host:port" by which browsers may reach the page, besides the address itself.
    show : bool, optional
        Open a browser; None: where there is a screen.

    Raises
    ------
    InputError
        The port is taken, or the address is none of this machine's.
    """
    # Of what came to a page later, such as a view, its browser tells the whole, known or not.
    warnings.filterwarnings("ignore", "reference already known", BokehUserWarning)
    # Whatever the environment says: what the page is made of comes from this machine.
    settings_of_bokeh.resources = "server"
    port = _free(address, port)
    shown = "localhost" if address in ("127.0.0.1", "0.0.0.0", "::") else address
    own = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", address)]
    warm_up()
    print(f"The designer is on http://{shown}:{port} (Ctrl+C ends it).", flush=True)
    pn.serve(
        lambda: create_app(settings),  # Panel takes no functools.partial for an app
        title=TITLE,
        address=address,
        port=port,
        websocket_origin=[*own, *origins],
        show=_has_screen() if show is None else show,
        verbose=False,
        check_unused_sessions_milliseconds=UNUSED // 3,
        unused_session_lifetime_milliseconds=UNUSED,
    )


def warm_up() -> None:
    """Do once what every session would wait for: compile, load, run the packaged network."""
    ensure_compiled(lambda line: print(line, file=sys.stderr, flush=True))
    bench = Workbench()
    bench.open_packaged()
    bench.explained_now()
    bench.close()


def _free(address: str, port: int) -> int:
    """The port, if it can be had: a plain line is better than tornado's traceback."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise InputError(
                f"cannot listen on {address} port {port}: {error.strerror or error}. "
                "Choose another with --port or --address."
            ) from error
        return int(probe.getsockname()[1])


def _has_screen() -> bool:
    """Whether a browser could be shown."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
