"""From the words on the command line to an exit code: 0 done, 1 no, 2 the user's mistake."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import entry_points

from onnxlrp import __version__
from onnxlrp.cli import (
    ablate,
    bench,
    check,
    compare,
    evaluate,
    explain,
    flip,
    mask,
    operators,
    presets,
    warmup,
)
from onnxlrp.cli.command import Command, Parser
from onnxlrp.errors import InputError, OnnxLrpError, UnsupportedOperationError, did_you_mean

COMMANDS: tuple[Command, ...] = (
    explain.COMMAND,
    check.COMMAND,
    flip.COMMAND,
    mask.COMMAND,
    ablate.COMMAND,
    evaluate.COMMAND,
    compare.COMMAND,
    presets.COMMAND,
    operators.COMMAND,
    bench.COMMAND,
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
  0 done, 1 the network cannot be explained, 2 a mistake in what was given,
  130 interrupted"""


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
        return 1 if isinstance(error, UnsupportedOperationError) else 2
    except KeyboardInterrupt:
        print("onnxlrp: interrupted; nothing more is written.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough: no complaint, not even at Python's own flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(words: list[str]) -> int:
    """Find the command that the first word names, parse the others, and run it."""
    if not words:
        _overview().print_help(sys.stderr)
        return 2
    if words[0].startswith("-"):
        _overview().parse_args(words[:1])
    known = {command.name: command for command in commands()}
    if words[0] not in known:
        raise InputError(
            f"there is no command {words[0]!r}.{did_you_mean(words[0], known)} "
            f"Commands: {', '.join(known)}."
        )
    command = known[words[0]]
    # Intermixed: options may stand between the paths.
    code = command.run(_parser(command).parse_intermixed_args(words[1:]))
    sys.stdout.flush()
    return code


def commands() -> tuple[Command, ...]:
    """All commands: those of this package, and what others add as ``onnxlrp.commands``."""
    return (*COMMANDS, *(point.load() for point in entry_points(group="onnxlrp.commands")))


def _overview() -> Parser:
    """Make the parser of what stands before any command: help and version."""
    known = commands()
    width = max(len(command.name) for command in known)
    listed = [f"  {command.name:<{width}}   {command.summary}" for command in known]
    epilog = "\n".join(["commands:", *listed, "", _EXAMPLES])
    parser = Parser("onnxlrp", _DESCRIPTION, epilog, usage="onnxlrp COMMAND ...")
    parser.add_argument("--version", action="version", version=f"onnxlrp {__version__}")
    return parser


def _parser(command: Command) -> Parser:
    """Make the parser of one command."""
    name = f"onnxlrp {command.name}"
    parser = Parser(name, command.description, f"examples:\n{command.examples}")
    command.configure(parser)
    parser.add_argument(
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
