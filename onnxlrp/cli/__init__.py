"""The command ``onnxlrp``: one file a subcommand, listed in :mod:`onnxlrp.cli.entry`."""

from __future__ import annotations

from onnxlrp.cli.entry import main

__all__ = ["main"]
