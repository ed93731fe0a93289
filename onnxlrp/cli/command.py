"""What a subcommand is, and the parser that reads its arguments."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand; its module imports what is heavy only when it runs.

    Attributes
    ----------
    name : str
    summary : str
        One line for ``onnxlrp --help``.
    configure : callable
        Adds the command's arguments to its parser.
    run : callable
        Does the work and returns the exit code.
    description, examples : str
        What ``onnxlrp NAME --help`` says before and after the arguments.
    """

    name: str
    summary: str
    configure: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    description: str
    examples: str


class Parser(ArgumentParser):
    """An argument parser whose errors are one line, and whose options are written out in full."""

    def __init__(self, prog: str, description: str, epilog: str, usage: str | None = None) -> None:
        super().__init__(
            prog,
            usage,
            description=description,
            epilog=epilog,
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and leave with exit code 2."""
        self.exit(2, f"onnxlrp: error: {message}; see '{self.prog} --help'.\n")
