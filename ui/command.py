"""``onnxlrp serve``: open the designer in the browser."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli.command import Command
from onnxlrp.errors import InputError

PORT = 5006

_DESCRIPTION = """\
Serve the designer: build, compare and judge LRP models in the browser. It
listens on this machine alone unless told otherwise, and works without the
internet."""

_EXAMPLES = """\
  onnxlrp serve                            on http://127.0.0.1:5006
  onnxlrp serve --models ~/networks        its .onnx files can be opened without an upload
  onnxlrp serve --port 8080 --no-show
  onnxlrp serve --address 0.0.0.0 --allow-origin lab.example.org:5006"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("--port", type=int, default=PORT, metavar="N", help=f"port to listen on ({PORT})")
    add("--address", default="127.0.0.1", metavar="IP", help="address to listen on (127.0.0.1)")
    add(
        "--allow-origin",
        action="append",
        metavar="HOST[:PORT]",
        help="name under which browsers may reach the page, if it is not the address; repeatable",
    )
    add("--models", type=Path, metavar="FOLDER", help="offer this folder's .onnx files")
    add(
        "--store",
        type=Path,
        metavar="FOLDER",
        help="where uploads and long links are kept (the user's cache folder)",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--show", action="store_true", default=None, help="open the page in a browser"
    )
    shown.add_argument(
        "--no-show", dest="show", action="store_false", help="do not (the default without a screen)"
    )


def run(arguments: Namespace) -> int:
    """Serve until interrupted."""
    models = arguments.models
    if models is not None and not models.is_dir():
        raise InputError(f"--models {models}: is no folder.")
    if not 0 <= arguments.port <= 65535:
        raise InputError(f"--port {arguments.port}: a port is a number from 0 to 65535.")
    from .server import serve
    from .settings import Settings

    serve(
        Settings(models=models, store=arguments.store),
        address=arguments.address,
        port=arguments.port,
        origins=arguments.allow_origin or (),
        show=arguments.show,
    )
    return 0


COMMAND = Command(
    "serve", "open the designer in the browser", configure, run, _DESCRIPTION, _EXAMPLES
)
