"""``onnxlrp presets``: the composites known by name, and the rules they give a network's layers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

_DESCRIPTION = """\
List the presets; describe one; or show which rule any composite gives each
layer of a network."""

_EXAMPLES = """\
  onnxlrp presets
  onnxlrp presets montavon
  onnxlrp presets montavon --model model.onnx"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="preset; with --model also a composite's file, or a rule ('gamma:gamma=0.1')",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="MODEL",
        help="ONNX file whose layers are shown with their rules",
    )
    add_network_options(parser)


def run(arguments: Namespace) -> int:
    """Print the list, a description, or a map of layers to rules."""
    if arguments.name is None:
        _list()
    elif arguments.model is None:
        _describe(arguments.name)
    else:
        _map(arguments)
    return 0


def _list() -> None:
    """Print every preset with its line."""
    from onnxlrp.composites import presets

    listed = presets()
    width = max(map(len, listed))
    for name, line in listed.items():
        print(f"{name:<{width}}  {line}")


def _describe(name: str) -> None:
    """Print what is known of a composite without a network: its entries."""
    from onnxlrp.composites import Composite

    composite = Composite.parse(name)
    print(f"{composite.name}: {composite.description}".removesuffix(": "))
    for entry in composite.entries:
        print(f"  {entry}")
    chosen = [f"{key}: {value}" for key, value in composite.options.items()]
    print(f"  {', '.join(chosen)}")
    print("The last line that matches a layer decides; layers without one take LRP-ε.")


def _map(arguments: Namespace) -> None:
    """Print the rule that each layer of a network gets."""
    from onnxlrp.cli.network import load_explainable
    from onnxlrp.composites import Composite
    from onnxlrp.ops import Linear, bind

    composite = Composite.parse(arguments.name)
    model = load_explainable(arguments.model, arguments)
    linear = [index for index, op in bind(model).items() if isinstance(op, Linear)]
    print(composite.explain_assignment(model, linear))


COMMAND = Command(
    "presets", "list the presets; show their rules on a network", configure, run,
    _DESCRIPTION, _EXAMPLES,
)  # fmt: skip
