"""``onnxlrp compare``: which design is best on these pictures, and how sure that is."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from pathlib import Path

from onnxlrp.cli import judging
from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

_DESCRIPTION = """\
Rank two designs or more on a data set, under each metric and over all. Designs
are compared on the same pictures: "worse" means that the paired bootstrap
interval of the difference to the first design does not reach 0.

DESIGNs are presets, YAML or JSON files, or rules; DATA as for 'evaluate'. With
-o also writes ranking.csv and everything that 'evaluate' does."""

_EXAMPLES = """\
  onnxlrp compare epsilon_plus gamma --data pictures/
  onnxlrp compare model.onnx a.yaml b.yaml c.yaml --data pictures/ -o out"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="[MODEL] DESIGN ...; MODEL ends in .onnx"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DATA", help="the pictures")
    parser.add_argument(
        "--level",
        type=float,
        default=0.95,
        metavar="SHARE",
        help="confidence of the intervals (default: 0.95)",
    )
    judging.add_design_options(parser)
    judging.add_cluster_options(parser)
    judging.add_flipping_options(parser)
    add_network_options(parser)
    judging.add_folder_options(parser, required=False)


def run(arguments: Namespace) -> int:
    """Judge all designs, then rank them."""
    from onnxlrp.cli.console import table
    from onnxlrp.cli.evaluation import write_report
    from onnxlrp.cli.network import load_explainable
    from onnxlrp.errors import InputError
    from onnxlrp.evaluate import RankRow, evaluate, rank_designs
    from onnxlrp.evaluate.metrics import DEFAULT
    from onnxlrp.report.measures import ranking_rows
    from onnxlrp.report.tables import write_table

    networks = [word for word in arguments.words if word.lower().endswith(".onnx")]
    words = [word for word in arguments.words if word not in networks]
    designs = judging.designs([*words, *(arguments.composite or ())])
    if len(networks) > 1 or len(designs) < 2:
        raise InputError(
            f"{len(networks)} networks and {len(designs)} designs were given: compare two designs "
            "or more of one network."
        )
    if not 0 < arguments.level < 1:
        raise InputError(f"--level {arguments.level:g}: give a share between 0 and 1, 0.95.")
    if arguments.zarr and arguments.output is None:
        raise InputError("--zarr: heatmaps are kept in a folder; name one with -o.")
    how = judging.flipping(arguments)
    model = load_explainable(Path(networks[0]) if networks else None, arguments)
    with ExitStack() as running:
        bar = running.enter_context(judging.PictureBar("judging"))
        kept = arguments.output
        folder = kept or Path(running.enter_context(tempfile.TemporaryDirectory()))
        found = evaluate(
            model,
            arguments.data,
            designs,
            arguments.metric or DEFAULT,
            target=judging.target(arguments.target),
            flipping=how,
            seed=arguments.seed,
            device=arguments.device,
            client=arguments.dask,
            out=folder,
            zarr=arguments.zarr,
            existing=judging.existing(arguments),
            progress=bar.step,
        )
        ranking = rank_designs(
            found.scores(), score=how.score, level=arguments.level, seed=arguments.seed
        )
        for metric in ranking.metrics:
            rows = ranking_rows(ranking, metric)
            print(f"{metric}\n{table(rows, right={0, 2, 4}, indent='  ')}\n")
        print(ranking.statement())
        if kept is not None:
            write_table(kept / "ranking.csv", RankRow, ranking.rows)
            written = write_report(kept, model, designs, found, f"Designs of {model.name}", ranking)
            print("\n" + "\n".join(map(str, [kept / "ranking.csv", *written])))
    return 0


COMMAND = Command("compare", "rank designs on a data set", configure, run, _DESCRIPTION, _EXAMPLES)
