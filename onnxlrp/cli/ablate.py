"""``onnxlrp ablate``: what becomes of the scores when channels of a layer are silenced."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli import judging
from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

_DESCRIPTION = """\
Rank the channels of a layer, silence the first ones, and see what becomes of the
scores. Without --channels or --top the score is followed while more and more
channels are silenced; --top N and --channels silence these alone. Several
layers are silenced at once, the first N channels of each.

Writes neurons.csv (image, layer, channel, relevance, positive, negative,
absolute, activation), ablation.csv (image, layer, mode, n, label, before,
after), summary.json, report.html, and, for a curve, curves.png and curves.svg."""

_EXAMPLES = """\
  onnxlrp ablate --layer fire9_concat -o out
  onnxlrp ablate model.onnx cat.jpg --layer conv5 --top 10 -o out
  onnxlrp ablate model.onnx cat.jpg --layer conv4 --layer conv5 --top 10 -o out
  onnxlrp ablate model.onnx cat.jpg --layer conv5 --channels 3 17 42 --mode keep -o out"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="[MODEL] [IMAGE ...], as for explain"
    )
    judging.add_design_options(parser)
    add = parser.add_argument_group("the ablation").add_argument
    add(
        "--layer",
        required=True,
        action="append",
        metavar="LAYER",
        help="layer or tensor ('onnxlrp check' lists); repeat it to silence the --top channels of "
        "several at once",
    )
    add("--channels", type=int, nargs="+", metavar="N", help="silence these channels")
    add("--top", type=int, metavar="N", help="silence the first N channels of the ranking")
    add(
        "--by",
        default="positive",
        metavar="RANKING",
        help="positive, absolute, negative, relevance or activation (default: positive)",
    )
    add(
        "--mode",
        default="remove",
        metavar="MODE",
        help="remove: they become zero; keep: all others do; mean: they become their channel's "
        "mean (default: remove)",
    )
    add(
        "--reference",
        type=Path,
        metavar="DATA",
        help="for '--mode mean': average over this data set (as for evaluate), not the picture",
    )
    add("--counts", type=int, default=20, metavar="N", help="steps of the curve (default: 20)")
    add("--score", default="logit", metavar="SCORE", help="of the curve (default: logit)")
    add_network_options(parser)
    judging.add_folder_options(parser, resume=False)


def run(arguments: Namespace) -> int:
    """Read everything, ablate, and only then write."""
    from onnxlrp.cli.ablating import (
        Ablation,
        ablation_curves,
        ablation_once,
        line,
        reference,
        write,
    )
    from onnxlrp.cli.inputs import packaged_pictures, read_samples, sort_paths
    from onnxlrp.cli.network import load_explainable
    from onnxlrp.errors import InputError

    if arguments.channels is not None and arguments.top is not None:
        raise InputError("--channels and --top exclude each other: give one of them.")
    if len(arguments.layer) > 1 and arguments.top is None:
        raise InputError(
            f"{len(arguments.layer)} layers were given: say with --top N how many channels of each."
        )
    if arguments.reference is not None and arguments.mode != "mean":
        raise InputError("--reference is what '--mode mean' averages over: add that, or leave it.")
    designs = judging.designs(arguments.composite or [judging.DEFAULT_COMPOSITE])
    if len(designs) > 1:
        raise InputError(f"{len(designs)} designs were given: one ranks the channels.")
    judging.check_folder(arguments.output, arguments.force)
    model_path, image_paths = sort_paths(arguments.paths)
    model = load_explainable(model_path, arguments)
    samples = read_samples(model, image_paths or packaged_pictures(model_path))
    ablation = Ablation(
        model=model,
        composite=next(iter(designs.values())),
        layers=tuple(arguments.layer),
        by=arguments.by,
        mode=arguments.mode,
        target=judging.target(arguments.target),
        reference=None if arguments.reference is None else reference(model, arguments.reference),
        device=arguments.device,
    )
    if arguments.channels is None and arguments.top is None:
        curves = ablation_curves(
            ablation, samples, arguments.counts, arguments.score, arguments.seed
        )
        found = list(curves)
    else:
        found = list(ablation_once(ablation, samples, arguments.channels, arguments.top))
    written = write(arguments.output, ablation, found)
    print("\n".join([*map(line, found), "", *map(str, written)]))
    return 0


COMMAND = Command("ablate", "silence channels of a layer", configure, run, _DESCRIPTION, _EXAMPLES)
