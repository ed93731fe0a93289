"""``onnxlrp bench``: how long a design takes on a network, layer by layer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

DEFAULT_COMPOSITE = "epsilon_plus"

_DESCRIPTION = """\
Time an explanation on a network of your own: the forward pass, every layer of
the sweep, the whole in multiples of a plain forward pass, and the memory. Of
several composites, each takes its turn in every round."""

_EXAMPLES = """\
  onnxlrp bench                              the packaged network
  onnxlrp bench model.onnx -c gamma -c epsilon_plus
  onnxlrp bench model.onnx --size 512 --rounds 20"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL",
        help="ONNX file; the packaged one if left out",
    )
    add(
        "-c",
        "--composite",
        action="append",
        metavar="COMPOSITE",
        help="preset, YAML or JSON file, or rule ('gamma:gamma=0.1'); repeat it to compare several "
        f"(default: {DEFAULT_COMPOSITE})",
    )
    add("--rounds", type=int, default=7, metavar="N", help="explanations timed (default: 7)")
    add("--image", type=Path, metavar="IMAGE", help="picture or array to explain, not noise")
    add(
        "--size",
        type=int,
        metavar="PIXELS",
        help="height and width of the noise, where the network leaves them open",
    )
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="of the forward pass")
    add_network_options(parser)


def run(arguments: Namespace) -> int:
    """Time the composites and print the tables."""
    import numpy as np

    from onnxlrp.cli.console import notify
    from onnxlrp.cli.explaining import parse_composite
    from onnxlrp.cli.inputs import read_samples
    from onnxlrp.cli.network import load_explainable
    from onnxlrp.cli.timing import noise, report, time_composites
    from onnxlrp.errors import InputError
    from onnxlrp.kernels import ensure_compiled

    if arguments.rounds < 1:
        raise InputError(f"--rounds {arguments.rounds}: time at least 1 explanation.")
    if arguments.size is not None and arguments.size < 1:
        raise InputError(f"--size {arguments.size}: give the pixels of one side, 1 or more.")
    composites = [parse_composite(text) for text in arguments.composite or [DEFAULT_COMPOSITE]]
    model = load_explainable(arguments.model, arguments)
    if arguments.image is None:
        x = noise(model, arguments.size)
    else:
        x = read_samples(model, [arguments.image])[0].x
        x = np.repeat(x, model.fixed_batch or 1, axis=0)
    ensure_compiled(notify)
    timings = time_composites(model, x, composites, arguments.rounds, arguments.device)
    print("\n\n".join(report(model, timings, x)))
    return 0


COMMAND = Command(
    "bench", "time a design on a network, layer by layer", configure, run, _DESCRIPTION, _EXAMPLES
)
