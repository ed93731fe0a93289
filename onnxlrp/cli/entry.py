"""From the words on the command line to an exit code: 0 done, 1 no, 2 the user's mistake."""

from __future__ import annotations

import io
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence

from onnxlrp import __version__
from onnxlrp.cli import check, explain, operators, presets, warmup
from onnxlrp.cli.command import Command, Parser
from onnxlrp.errors import InputError, OnnxLrpError, did_you_mean

COMMANDS: tuple[Command, ...] = (
    explain.COMMAND,
    check.COMMAND,
    presets.COMMAND,
    operators.COMMAND,
    warmup.COMMAND,
)

_DESCRIPTION = "Explain the decisions of any convolutional network from its ONNX file (LRP)."

_EXAMPLES = """\
examples:
  onnxlrp explain                            the packaged network and pictures
  onnxlrp explain model.onnx cat.jpg -c gamma -o out
  onnxlrp check model.onnx                   can it be explained, and how?
  onnxlrp presets                            the composites known by name
  onnxlrp COMMAND --help                     everything about one command

exit codes:
  0 done, 1 the network cannot be explained (check), 2 a mistake in what was
  given, 130 interrupted"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``onnxlrp``; those of this process if not given.

    Examples
    --------
    >>> main(["presets", "lrp_0"])  # doctest: +ELLIPSIS
    lrp_0...
    0
    """
    _never_stumble_over_encodings()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return _run(words)
    except OnnxLrpError as error:
        if "--debug" in words:
            raise
        print(f"onnxlrp: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("onnxlrp: interrupted; nothing more is written.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough: no complaint, not even at Python's own flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(words: list[str]) -> int:
    """Parse the words and run the command they name."""
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        return 2
    names = [command.name for command in COMMANDS]
    if not words[0].startswith("-") and words[0] not in names:
        hint = did_you_mean(words[0], names)
        raise InputError(f"there is no command {words[0]!r}.{hint} Commands: {', '.join(names)}.")
    arguments = parser.parse_args(words)
    code = _command(arguments).run(arguments)
    sys.stdout.flush()
    return code


def _command(arguments: Namespace) -> Command:
    """Return the command that the arguments name."""
    return next(command for command in COMMANDS if command.name == arguments.command)


def _parser() -> Parser:
    """Make the parser of all commands."""
    parser = Parser("onnxlrp", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("-V", "--version", action="version", version=f"onnxlrp {__version__}")
    commands = parser.add_subparsers(
        title="commands", dest="command", required=True, metavar="COMMAND"
    )
    for command in COMMANDS:
        own = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            epilog=f"examples:\n{command.examples}",
        )
        command.configure(own)
        own.add_argument(
            "--debug", action="store_true", help="show the traceback of an error, for bug reports"
        )
    return parser


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Show a warning as one line."""
    print(f"onnxlrp: warning: {message}", file=sys.stderr)


def _never_stumble_over_encodings() -> None:
    """Let a terminal that has no Σ or ✓ show "?" instead of ending in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
