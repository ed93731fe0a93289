"""The files of an explanation: figure and numbers, written all together or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from onnxlrp.cli.explaining import Explanation
from onnxlrp.cli.figures import Drawing, draw
from onnxlrp.cli.inputs import Sample
from onnxlrp.composites import Composite
from onnxlrp.errors import OutputError
from onnxlrp.files import whole_file
from onnxlrp.graph.model import Model
from onnxlrp.render.names import as_file_name, distinct
from onnxlrp.report.numbers import numbers


@dataclass(frozen=True, slots=True)
class Files:
    """Where one explanation goes."""

    figure: Path
    numbers: Path

    @property
    def both(self) -> tuple[Path, Path]:
        """Figure and numbers."""
        return self.figure, self.numbers


def planned_files(
    folder: Path, samples: Sequence[Sample], composites: Sequence[Composite], replace: bool
) -> list[Files]:
    """Name the files of every sample under every composite, before anything is computed.

    Raises
    ------
    OutputError
        The folder cannot be written to, or a file is there and ``replace`` is not wanted.
    """
    pairs = product(samples, composites)
    stems = distinct(as_file_name(f"{s.name}_{c.name}") for s, c in pairs)
    files = [Files(folder / f"{stem}.png", folder / f"{stem}.npz") for stem in stems]
    check_free(folder, [path for pair in files for path in pair.both], replace)
    return files


def check_free(folder: Path, paths: Sequence[Path], replace: bool) -> None:
    """Refuse a folder that cannot be written to, and files that are there already.

    Raises
    ------
    OutputError
        The folder cannot be written to, or a file is there and ``replace`` is not wanted.
    """
    _check_writable(folder)
    present = [path for path in paths if path.exists()]
    if present and not replace:
        more = f" (and {len(present) - 1} more)" if len(present) > 1 else ""
        raise OutputError(
            f"{present[0]}{more}: is there already; replace it with --force, or choose another "
            "folder with -o."
        )


def _check_writable(folder: Path) -> None:
    """Refuse a folder in which nothing could be written in the end."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise OutputError(f"-o {folder}: {existing} is a file, not a folder; name a folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(f"-o {folder}: {existing} may not be written to; name another folder.")


def write(
    files: Sequence[Files], model: Model, explanations: Sequence[Explanation], drawing: Drawing
) -> list[Path]:
    """Write all figures and numbers; if one of them fails, none appears.

    Returns
    -------
    list of Path
        In the order of the explanations, the figure before the numbers.

    Raises
    ------
    OutputError
        A place cannot be written to, or the disk is full.
    """
    with ExitStack() as unfinished:
        for pair, explanation in zip(files, explanations, strict=True):
            image = draw(model, explanation, drawing)
            image.save(unfinished.enter_context(whole_file(pair.figure)))
            sample = explanation.sample
            arrays: dict[str, Any] = numbers(model, explanation.result, sample.x, sample.source)
            np.savez(unfinished.enter_context(whole_file(pair.numbers)), **arrays)
    return [path for pair in files for path in pair.both]
