"""``onnxlrp flip``: how fast the score falls as pixels are flipped in the order of relevance."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli import judging
from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

_DESCRIPTION = """\
Flip the regions of pictures, the most relevant first (morf), the least relevant
first (lerf), and at random, and follow the score of the target. A design whose
score falls fast under morf and slowly under lerf has found what matters.

Writes curves.csv (image, design, order, step, fraction, score), scores.csv
(image, design, metric, value), curves.png, curves.svg, summary.json, and
report.html, which shows the heatmaps as well."""

_EXAMPLES = """\
  onnxlrp flip -o out
  onnxlrp flip model.onnx cat.jpg -c epsilon_plus -c gamma -o out
  onnxlrp flip cat.jpg --unit 16 --fill blur --score probability -o out"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="[MODEL] [IMAGE ...], as for explain"
    )
    judging.add_design_options(parser)
    judging.add_flipping_options(parser)
    add_network_options(parser)
    judging.add_folder_options(parser, resume=False)


def run(arguments: Namespace) -> int:
    """Read everything, flip, and only then write."""
    from onnxlrp.cli.evaluation import console_report, write_report
    from onnxlrp.cli.explaining import Question, Running, explain_samples, gathered
    from onnxlrp.cli.inputs import packaged_pictures, read_samples, sort_paths
    from onnxlrp.cli.network import load_explainable
    from onnxlrp.errors import InputError
    from onnxlrp.evaluate import CurveRow, ScoreRow, evaluate
    from onnxlrp.evaluate.metrics import METRICS
    from onnxlrp.evaluate.ordering import ORDERS
    from onnxlrp.report.tables import write_table

    designs = judging.designs(arguments.composite or [judging.DEFAULT_COMPOSITE])
    how = judging.flipping(arguments, ORDERS)
    judging.check_folder(arguments.output, arguments.force)
    model_path, image_paths = sort_paths(arguments.paths)
    model = load_explainable(model_path, arguments)
    samples = read_samples(model, image_paths or packaged_pictures(model_path))
    with judging.PictureBar("flipping") as bar:
        found = evaluate(
            model,
            [(sample.name, sample.x) for sample in samples],
            designs,
            [name for name, metric in METRICS.items() if metric.orders],
            target=judging.target(arguments.target),
            flipping=how,
            seed=arguments.seed,
            device=arguments.device,
            progress=bar.step,
        )
    for failure in found.failures():
        raise InputError(f"{failure.image}: {failure.reason}")
    write_table(arguments.output / "scores.csv", ScoreRow, found.scores())
    write_table(arguments.output / "curves.csv", CurveRow, found.curves())
    question, running = Question(arguments.target, "logit", ()), Running(arguments.device, "single")
    explanations = explain_samples(model, samples, list(designs.values()), question, running)
    shown = gathered(explanations, list(designs))
    title = f"Pixel flipping of {model.name}"
    written = write_report(arguments.output, model, designs, found, title, pictures=shown)
    print(console_report(found) + "\n")
    print("\n".join(map(str, written)))
    return 0


COMMAND = Command(
    "flip", "follow the score as pixels are flipped", configure, run, _DESCRIPTION, _EXAMPLES
)
