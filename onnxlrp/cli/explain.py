"""``onnxlrp explain``: heatmaps of pictures, and where relevance went on its way to them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

DEFAULT_COMPOSITE = "epsilon_plus"

_DESCRIPTION = """\
Explain what a network sees in pictures: for each picture and composite a
heatmap (PNG) and the numbers behind it (NPZ: relevance, x, target, output,
recorded tensors, metadata as JSON).

MODEL is the first path that ends in .onnx, or else the first path of all if it
is a file but neither a picture nor an array; without one the packaged network
is taken. All other paths are IMAGEs: pictures, or .npy and .npz arrays that
hold the network's input tensor as it is, or pictures as uint8 (H, W[, 3]).
Without an IMAGE the packaged pictures are explained, by the packaged network
only."""

_EXAMPLES = """\
  onnxlrp explain
  onnxlrp explain cat.jpg dog.jpg -c epsilon_gamma_box -t "Egyptian cat" -o out
  onnxlrp explain model.onnx cat.jpg -c gamma:gamma=0.1 -c design.yaml
  onnxlrp explain model.onnx batch.npy -t 3 --record conv5 --init one"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="[MODEL] [IMAGE ...], see above"
    )
    _add_question(parser)
    add_network_options(parser)
    _add_running(parser)
    _add_results(parser)


def _add_question(parser: ArgumentParser) -> None:
    """Add what is explained, and under which designs."""
    add = parser.add_argument_group("the question").add_argument
    add(
        "-c",
        "--composite",
        action="append",
        metavar="COMPOSITE",
        help="preset ('onnxlrp presets' lists them), YAML or JSON file, or a rule for every "
        "weighted layer ('gamma:gamma=0.1'); repeat it for several heatmaps (default: "
        f"{DEFAULT_COMPOSITE})",
    )
    add(
        "-t",
        "--target",
        default="top1",
        metavar="TARGET",
        help="what is explained: 'top1', a class's number or its label, 'class:281-285' (their "
        "difference), 'region:15' (a class where it wins in a map of classes), 'box:17/9' (number "
        "9 of box 17), 'element:3,20,20', 'neuron:conv5/12' (channel 12 of layer conv5), "
        "'neuron:conv5/12@3,4' (at one position) (default: top1)",
    )
    add(
        "--init",
        choices=("logit", "one"),
        default="logit",
        help="relevance at the output: the target's score, or 1 (default: logit)",
    )
    add(
        "--record",
        action="extend",
        nargs="+",
        default=[],
        metavar="LAYER",
        help="layers (or tensors) whose relevance is stored in the NPZ as well",
    )


def _add_running(parser: ArgumentParser) -> None:
    """Add where and how exactly the network runs."""
    add = parser.add_argument_group("the network's own run").add_argument
    add(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where onnxruntime runs the network; auto takes CUDA if it can be had (default: auto)",
    )
    add(
        "--precision",
        choices=("single", "double"),
        default="single",
        help="float32 by onnxruntime, or float64 on the CPU, slower, for maps in which no rounding "
        "of it decides (default: single)",
    )


def _add_results(parser: ArgumentParser) -> None:
    """Add where results go, and how heatmaps look."""
    add = parser.add_argument_group("the results").add_argument
    add(
        "-o",
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder for the results, made if missing (default: the current one)",
    )
    add("--force", action="store_true", help="replace results that are there already")
    add(
        "--report",
        action="store_true",
        help="also write report.html, and report.zip with all of it",
    )
    add("-q", "--quiet", action="store_true", help="print only the files that were written")
    add("--overlay", action="store_true", help="add a panel with the heatmap over the picture")
    add(
        "--normalize",
        choices=("max", "percentile", "cubic"),
        default="percentile",
        help="which |relevance| gets the strongest colour: the largest, the 99th percentile, or "
        "10 times the cubic mean (default: percentile)",
    )
    add("--colormap", default="red-blue", metavar="NAME", help="red-blue, purple-green or seismic")


def run(arguments: Namespace) -> int:
    """Read everything, compute everything, and only then write."""
    from onnxlrp.cli.console import notify
    from onnxlrp.cli.explaining import (
        Question,
        Running,
        explain_samples,
        gathered,
        parse_composite,
    )
    from onnxlrp.cli.figures import Drawing
    from onnxlrp.cli.inputs import packaged_pictures, read_samples, sort_paths
    from onnxlrp.cli.network import load_explainable
    from onnxlrp.cli.report import report
    from onnxlrp.cli.results import check_free, planned_files, write
    from onnxlrp.kernels import ensure_compiled
    from onnxlrp.render.names import distinct
    from onnxlrp.report import Findings, save_report

    composites = [parse_composite(text) for text in arguments.composite or [DEFAULT_COMPOSITE]]
    drawing = Drawing(arguments.normalize, arguments.colormap, arguments.overlay)
    model_path, image_paths = sort_paths(arguments.paths)
    model = load_explainable(model_path, arguments)
    samples = read_samples(model, image_paths or packaged_pictures(model_path))
    files = planned_files(arguments.output, samples, composites, replace=arguments.force)
    if arguments.report:
        reports = [arguments.output / f"report.{suffix}" for suffix in ("html", "zip")]
        check_free(arguments.output, reports, replace=arguments.force)
    ensure_compiled(notify)
    question = Question(arguments.target, arguments.init, tuple(arguments.record))
    running = Running(arguments.device, arguments.precision)
    explanations = explain_samples(model, samples, composites, question, running)
    written = write(files, model, explanations, drawing)
    if arguments.report:
        names = distinct(composite.name for composite in composites)
        findings = Findings(
            model,
            dict(zip(names, composites, strict=True)),
            f"Explanations of {model.name}",
            gathered(explanations, names),
            settings={"target": arguments.target, "init": arguments.init},
            limit=arguments.normalize,
            colormap=arguments.colormap,
        )
        written += save_report(findings, arguments.output)
    if not arguments.quiet:
        print("\n\n".join(report(model, explanations)) + "\n")
    print("\n".join(map(str, written)))
    return 0


COMMAND = Command("explain", "make heatmaps of pictures", configure, run, _DESCRIPTION, _EXAMPLES)
