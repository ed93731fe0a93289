"""``onnxlrp evaluate``: designs judged on a data set, one picture after the other."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli import judging
from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

_DESCRIPTION = """\
Judge designs on a data set. DATA is a folder of pictures (the sub-folder is the
class label), a .csv file with the columns image and, if wanted, label, and mask
(a picture, white where the object is) or box (left top right bottom), or a .npz
file with the arrays x, labels and names. With '-t label' each picture is explained for
its own class.

Pictures are finished one by one: after an interruption --resume goes on where
the run was. One that cannot be read is named in failures.csv. Beside it are
written scores.csv, curves.csv, manifest.json, curves.png, curves.svg,
summary.json and report.html."""

_EXAMPLES = """\
  onnxlrp evaluate model.onnx pictures/ -c epsilon_plus -c gamma -o out
  onnxlrp evaluate model.onnx pictures.csv -t label -m aopc -m gini -o out
  onnxlrp evaluate model.onnx pictures/ -o out --dask local --resume"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="[MODEL] DATA; without MODEL (.onnx) the packaged network",
    )
    judging.add_design_options(parser)
    judging.add_cluster_options(parser)
    judging.add_flipping_options(parser)
    add_network_options(parser)
    judging.add_folder_options(parser)


def run(arguments: Namespace) -> int:
    """Judge, or go on judging; 1 if not one picture could be."""
    from onnxlrp.cli.evaluation import console_report, write_report
    from onnxlrp.cli.inputs import sort_paths
    from onnxlrp.cli.network import load_explainable
    from onnxlrp.errors import InputError
    from onnxlrp.evaluate import evaluate
    from onnxlrp.evaluate.metrics import DEFAULT

    designs = judging.designs(arguments.composite or [judging.DEFAULT_COMPOSITE])
    how = judging.flipping(arguments)
    model_path, data = sort_paths(arguments.paths)
    if len(data) != 1:
        raise InputError(f"{len(data)} data sets were given: name one folder, .csv or .npz file.")
    model = load_explainable(model_path, arguments)
    with judging.PictureBar("judging") as bar:
        found = evaluate(
            model,
            data[0],
            designs,
            arguments.metric or DEFAULT,
            target=judging.target(arguments.target),
            flipping=how,
            seed=arguments.seed,
            device=arguments.device,
            client=arguments.dask,
            out=arguments.output,
            zarr=arguments.zarr,
            existing=judging.existing(arguments),
            progress=bar.step,
        )
    written = write_report(arguments.output, model, designs, found, f"Designs on {data[0].name}")
    print(console_report(found) + "\n")
    print("\n".join(map(str, written)))
    return 1 if len(list(found.failures())) == found.images else 0


COMMAND = Command(
    "evaluate", "judge designs on a data set", configure, run, _DESCRIPTION, _EXAMPLES
)
