"""``onnxlrp warmup``: compile the kernels now instead of at the first explanation."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from onnxlrp.cli.command import Command

_DESCRIPTION = """\
Compile the kernels, which happens once after an install or an update; later
runs load them from the cache. Without this the first explanation does it."""

_EXAMPLES = """\
  onnxlrp warmup
  NUMBA_CACHE_DIR=/some/folder onnxlrp warmup      where the package's folder is read-only"""


def configure(parser: ArgumentParser) -> None:
    """Add nothing: this command has no arguments."""


def run(arguments: Namespace) -> int:
    """Compile what is not compiled yet."""
    from onnxlrp.cli.console import notify
    from onnxlrp.kernels import ensure_compiled

    ensure_compiled(notify)
    print("The kernels are compiled.")
    return 0


COMMAND = Command(
    "warmup", "compile the kernels ahead of time", configure, run, _DESCRIPTION, _EXAMPLES
)
