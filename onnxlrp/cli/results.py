"""The files of an explanation: figure and numbers, written all together or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onnxlrp import __version__
from onnxlrp.cli.explaining import Explanation
from onnxlrp.cli.inputs import Sample
from onnxlrp.cli.naming import as_file_name, distinct
from onnxlrp.composites import Composite
from onnxlrp.errors import OutputError
from onnxlrp.graph.model import Model
from onnxlrp.render import channel_sum, colormap, figure, whole_file
from onnxlrp.render.heatmap import LimitMethod

OVERLAY_STRENGTH = 0.9

_BAND_WIDTH = 448
"""Pixels; what has no rows and columns is drawn as a band of at most this length."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How heatmaps are drawn.

    Raises
    ------
    InputError
        There is no such colour map.
    """

    normalize: LimitMethod
    colormap: str
    overlay: bool

    def __post_init__(self) -> None:
        colormap(self.colormap)


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
    _check_writable(folder)
    pairs = product(samples, composites)
    stems = distinct(as_file_name(f"{s.name}_{c.name}") for s, c in pairs)
    files = [Files(folder / f"{stem}.png", folder / f"{stem}.npz") for stem in stems]
    present = [path for pair in files for path in pair.both if path.exists()]
    if present and not replace:
        more = f" (and {len(present) - 1} more)" if len(present) > 1 else ""
        raise OutputError(
            f"{present[0]}{more}: is there already; replace it with --force, or choose another "
            "folder with -o."
        )
    return files


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
            arrays: dict[str, Any] = numbers(model, explanation)
            np.savez(unfinished.enter_context(whole_file(pair.numbers)), **arrays)
    return [path for pair in files for path in pair.both]


# ------------------------------------------------------------------------------------- the figure
def draw(model: Model, explanation: Explanation, drawing: Drawing) -> Image.Image:
    """Draw the heatmap, beside the picture if there is one."""
    sample = explanation.sample
    label = model.label(explanation.target)
    title = f"{sample.name}: {label} ({explanation.score:.2f}), {explanation.composite.name}"
    return figure(
        relevance_map(model, explanation.result.relevance),
        picture=sample.picture,
        overlay_strength=OVERLAY_STRENGTH if drawing.overlay else None,
        title=title,
        limit=drawing.normalize,
        colormap_name=drawing.colormap,
    )


def relevance_map(model: Model, relevance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring the relevance of one input of any rank to rows and columns.

    Channels are summed, and so is every further axis of a volume; a signal becomes a band.

    Parameters
    ----------
    model : Model
    relevance : ndarray, float32, the model's input shape with a batch of 1

    Returns
    -------
    ndarray of shape (H, W), float32
    """
    (values,) = relevance
    if values.ndim >= 3:
        layout = _layout(model, values.shape)
        while values.ndim > 3:  # (C, D, H, W) or (D, H, W, C)
            values = values.sum(axis=1 if layout == "NCHW" else 0)
        return channel_sum(values, layout)
    return _band(np.atleast_2d(values))


def _band(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Draw a signal (C, L) as a band of C stripes; a long one is summed up piece by piece."""
    length = signal.shape[1]
    width = min(length, _BAND_WIDTH)
    starts = np.arange(width) * length // width
    stripes = np.add.reduceat(signal, starts, axis=1)
    return np.repeat(stripes, max(1, width // (3 * len(stripes))), axis=0)


def _layout(model: Model, shape: tuple[int, ...]) -> str:
    """Where the channels are: as the preprocessing says, else where an axis has so few."""
    if model.preprocessing is not None:
        return model.preprocessing.layout
    return "NHWC" if shape[-1] <= 4 < shape[0] else "NCHW"


# ------------------------------------------------------------------------------------ the numbers
def numbers(model: Model, explanation: Explanation) -> dict[str, NDArray[Any]]:
    """Gather what the NPZ holds: arrays by name, and the metadata as JSON text."""
    result = explanation.result
    recorded = {f"tensors/{name}": values for name, values in result.tensors.items()}
    metadata = json.dumps(_metadata(model, explanation), ensure_ascii=False, indent=1)
    return {
        "relevance": result.relevance,
        "x": explanation.sample.x,
        "target": result.target,
        "output": result.output,
        "metadata": np.array(metadata),
        **recorded,
    }


def _metadata(model: Model, explanation: Explanation) -> dict[str, Any]:
    """Say where the numbers come from, so that they can be made again."""
    result, preprocessing = explanation.result, model.preprocessing
    return {
        "input": explanation.sample.source,
        "model": {"name": model.name, "sha256": model.sha256, "explained": model.explained},
        "composite": result.composite.to_dict(),
        "target": {
            "index": explanation.target,
            "label": model.label(explanation.target),
            "score": explanation.score,
        },
        "relevance": {"at_output": explanation.started, "at_input": explanation.arrived},
        "layers": [
            {
                "layer": book.layer.name,
                "rule": book.rule,
                "arrived": float(book.arrived.sum()),
                "handed_on": float(book.handed.sum()),
                "absorbed_by_bias": float(book.bias.sum()),
                "absorbed_by_epsilon": float(book.epsilon.sum()),
            }
            for book in result.books
        ],
        "provider": result.provider,
        "preprocessing": None if preprocessing is None else preprocessing.to_dict(),
        "versions": {
            "onnxlrp": __version__,
            "onnxruntime": _onnxruntime_version(),
            "numpy": version("numpy"),
            "numba": version("numba"),
        },
    }


def _onnxruntime_version() -> str:
    """Ask the library itself: its distribution has several names."""
    import onnxruntime

    return str(onnxruntime.__version__)
