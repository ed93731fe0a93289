"""``onnxlrp check``: whether a network can be explained, and what happens at each layer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

_DESCRIPTION = """\
Show a network as LRP sees it: every layer with its output's shape, what was
merged into it, and what happens to relevance there. If the network cannot be
explained, every node and reason is named, and the exit code is 1."""

_EXAMPLES = """\
  onnxlrp check                              the packaged network
  onnxlrp check model.onnx -c epsilon_plus   with the rule of each layer
  onnxlrp check model.onnx --json > report.json"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL",
        help="ONNX file; the packaged one if left out",
    )
    parser.add_argument(
        "-c",
        "--composite",
        metavar="COMPOSITE",
        help="also show the rule that each layer gets: preset, file, or rule ('gamma:gamma=0.1')",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_network_options(parser)


def run(arguments: Namespace) -> int:
    """Print the report; 0 if the network can be explained, 1 if not."""
    from onnxlrp.cli.inspection_text import as_json, as_text
    from onnxlrp.cli.network import load_network
    from onnxlrp.composites import Composite
    from onnxlrp.inspection import inspect

    composite = Composite.parse(arguments.composite) if arguments.composite else None
    model = load_network(arguments.model, arguments)
    inspection = inspect(model, composite)
    print(as_json(inspection) if arguments.json else as_text(inspection))
    return 0 if inspection.explainable else 1


COMMAND = Command(
    "check",
    "say whether a network can be explained, and how",
    configure,
    run,
    _DESCRIPTION,
    _EXAMPLES,
)
