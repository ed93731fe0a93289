"""``onnxlrp mask``: pictures with a band of relevance, or anything, masked, and predicted again."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from onnxlrp.cli import judging
from onnxlrp.cli.command import Command
from onnxlrp.cli.options import add_network_options

_DESCRIPTION = """\
Mask part of a picture by hand and predict again: what lies in a band of
relevance (--band), in the map of the input or of any layer, enlarged to the
picture; or what is white in a picture of your own (--mask).

Prints the leading classes beside what they were before. Writes the masked
pictures (PNG) and masked.csv (image, share, label, before, after, rank_before,
rank_after)."""

_EXAMPLES = """\
  onnxlrp mask --band 95% 100% -o out
  onnxlrp mask cat.jpg --band 0.01 inf --layer fire9_concat -c epsilon_plus -o out
  onnxlrp mask cat.jpg --mask painted.png --fill blur -o out"""


def configure(parser: ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="[MODEL] [IMAGE ...], as for explain"
    )
    judging.add_design_options(parser)
    add = parser.add_argument_group("the mask").add_argument
    add(
        "--band",
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="relevance from LOW to HIGH, in units of the score ('-inf', 'inf'), or as "
        "percentiles of the map ('95%%')",
    )
    add("--layer", metavar="LAYER", help="whose relevance; default: that of the input")
    add("--mask", type=Path, metavar="FILE", help="picture whose white parts are masked")
    add(
        "--fill",
        default="zero",
        metavar="FILL",
        help="blur, inpaint, max, mean, min, uniform, zero, or a pixel value (default: zero)",
    )
    add_network_options(parser)
    judging.add_folder_options(parser, resume=False)


def run(arguments: Namespace) -> int:
    """Read everything, mask, and only then write."""
    from onnxlrp.cli.inputs import packaged_pictures, read_samples, sort_paths
    from onnxlrp.cli.masking import Band, mask_samples, shown, write
    from onnxlrp.cli.network import load_explainable
    from onnxlrp.errors import InputError

    if (arguments.band is None) == (arguments.mask is None):
        raise InputError("give either --band LOW HIGH or --mask FILE.")
    if arguments.mask is not None and (arguments.layer or arguments.composite):
        raise InputError("--layer and -c choose a band's relevance: leave them out with --mask.")
    designs = judging.designs(arguments.composite or [judging.DEFAULT_COMPOSITE])
    if len(designs) > 1:
        raise InputError(f"{len(designs)} designs were given: the band is that of one.")
    judging.check_folder(arguments.output, arguments.force)
    model_path, image_paths = sort_paths(arguments.paths)
    model = load_explainable(model_path, arguments)
    samples = read_samples(model, image_paths or packaged_pictures(model_path))
    by: Band | Path = arguments.mask
    if arguments.band is not None:
        low, high = arguments.band
        by = Band.parse(low, high, next(iter(designs.values())), arguments.layer)
    found = mask_samples(
        model,
        samples,
        by,
        fill=judging.fill(arguments.fill),
        target=judging.target(arguments.target),
        seed=arguments.seed,
        device=arguments.device,
    )
    written = write(arguments.output, model, samples, found)
    print("\n\n".join(map(shown, samples, found)) + "\n")
    print("\n".join(map(str, written)))
    return 0


COMMAND = Command(
    "mask", "mask a band of relevance, and predict again", configure, run, _DESCRIPTION, _EXAMPLES
)
