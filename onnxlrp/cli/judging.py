"""What the commands that judge designs share: their options, and how these become arguments."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Never, Self

from tqdm import tqdm

from onnxlrp.errors import InputError, OutputError

if TYPE_CHECKING:
    from onnxlrp.composites import Composite
    from onnxlrp.evaluate import Flipping
    from onnxlrp.evaluate.store import Existing

DEFAULT_COMPOSITE = "epsilon_plus"


def add_design_options(parser: ArgumentParser) -> None:
    """Add what is judged, and for which class."""
    add = parser.add_argument_group("the question").add_argument
    add(
        "-c",
        "--composite",
        action="append",
        metavar="COMPOSITE",
        help="design to judge: preset, YAML or JSON file, or a rule ('gamma:gamma=0.1'); repeat it "
        f"for several (default: {DEFAULT_COMPOSITE})",
    )
    add(
        "-t",
        "--target",
        default="top1",
        metavar="TARGET",
        help="class that is explained and scored: 'top1', a number, or a label (default: top1)",
    )
    add("--seed", type=int, default=0, metavar="N", help="of all random numbers (default: 0)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")


def add_flipping_options(parser: ArgumentParser) -> None:
    """Add how pictures are flipped."""
    add = parser.add_argument_group("pixel flipping").add_argument
    add(
        "--unit",
        default="8",
        metavar="PIXELS",
        help="side of the regions in pixels, or 'superpixel' (default: 8)",
    )
    add("--steps", type=int, default=20, metavar="N", help="steps of a curve (default: 20)")
    add(
        "--until",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="share of the regions that is flipped in the end, up to 1 (default: 1)",
    )
    add(
        "--growth",
        default="linear",
        metavar="GROWTH",
        help="linear: equally many regions a step; growing: 1, 3, 5, ... parts (default: linear)",
    )
    add(
        "--fill",
        default="mean",
        metavar="FILL",
        help="blur, inpaint, max, mean, min, uniform, zero, or a pixel value (default: mean)",
    )
    add(
        "--repeats",
        type=int,
        default=5,
        metavar="N",
        help="runs of what is random (default: 5)",
    )
    add(
        "--score",
        default="logit",
        metavar="SCORE",
        help="logit, probability, rank, top_logit or top_probability (default: logit)",
    )


def add_folder_options(parser: ArgumentParser, required: bool = True, resume: bool = True) -> None:
    """Add where results go."""
    add = parser.add_argument_group("the results").add_argument
    add(
        "-o",
        "--output",
        type=Path,
        required=required,
        metavar="DIR",
        help="folder for the results, made if missing",
    )
    add("--force", action="store_true", help="replace the results of an earlier run in the folder")
    if resume:
        add("--resume", action="store_true", help="go on with the run that was interrupted there")
        add(
            "--zarr",
            action="store_true",
            help="also write results.zarr: scores, curves and heatmaps as an xarray data set",
        )


def add_cluster_options(parser: ArgumentParser) -> None:
    """Add what is measured on a data set, and where."""
    add = parser.add_argument_group("the measurement").add_argument
    add(
        "-m",
        "--metric",
        action="append",
        metavar="METRIC",
        help="auc, aopc, abpc, auc_lerf, aopc_lerf, auc_random, aopc_random, entropy, gini, "
        "conservation, max_sensitivity; with masks or boxes pointing_game, relevance_mass, "
        "relevance_rank, inside_weighted; repeat it for several (default: aopc, abpc, entropy, "
        "conservation)",
    )
    add(
        "--dask",
        metavar="ADDRESS",
        help="run on a Dask cluster: its scheduler's address, or 'local' for one process a core",
    )


def designs(words: Sequence[str]) -> dict[str, Composite]:
    """Read composites by name.

    Raises
    ------
    InputError
        Two of them have one name.
    """
    from onnxlrp.cli.explaining import parse_composite

    found: dict[str, Composite] = {}
    for word in words:
        composite = parse_composite(word)
        if composite.name in found:
            raise InputError(
                f"{word}: another design is called {composite.name!r}; change the name in one file."
            )
        found[composite.name] = composite
    return found


def flipping(arguments: Namespace, orders: tuple[str, ...] = ()) -> Flipping:
    """Return how pictures are flipped."""
    from onnxlrp.evaluate import Flipping

    return Flipping(
        unit=int(arguments.unit) if arguments.unit.isdecimal() else _word(arguments.unit),
        steps=arguments.steps,
        until=arguments.until,
        growth=arguments.growth,
        fill=fill(arguments.fill),
        repeats=arguments.repeats,
        score=arguments.score,
        orders=orders,
    )


def target(text: str) -> int | str:
    """A class's number, or a word."""
    return int(text) if text.isdecimal() else text


def existing(arguments: Namespace) -> Existing:
    """What to do with a folder that is not empty."""
    if arguments.force and getattr(arguments, "resume", False):
        raise InputError("--force and --resume exclude each other: give one of them.")
    if arguments.force:
        return "replace"
    return "resume" if getattr(arguments, "resume", False) else "refuse"


def check_folder(folder: Path, replace: bool) -> None:
    """Refuse a folder that is not empty, before anything is computed.

    Raises
    ------
    OutputError
        It holds something, is a file, or may not be written to.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"-o {folder}: {there} is a file, not a folder; name a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"-o {folder}: {there} may not be written to; name another folder.")
    if there == folder and any(folder.iterdir()) and not replace:
        raise OutputError(
            f"-o {folder}: is not empty; replace earlier results with --force, or name another "
            "folder."
        )


def _word(unit: str) -> str:
    """Refuse a unit that is neither a number nor the one word."""
    if unit != "superpixel":
        raise InputError(f"--unit {unit}: give a side in pixels, such as 8, or 'superpixel'.")
    return unit


def fill(text: str) -> float | str:
    """Return a fill's pixel value, or its name."""
    try:
        return float(text)
    except ValueError:
        return text


class PictureBar:
    """A progress bar over pictures; shown only on a terminal."""

    def __init__(self, what: str) -> None:
        self._bar: tqdm[Never] = tqdm(desc=what, unit="picture", leave=False, disable=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def step(self, done: int, total: int | None, name: str) -> None:
        """Take the report: ``done`` of ``total`` pictures, ``name`` just now."""
        self._bar.total = total
        self._bar.set_postfix_str(name, refresh=False)
        self._bar.update(done - self._bar.n)
