"""Masking pictures for the command line, and the files that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onnxlrp.cli.console import table
from onnxlrp.cli.inputs import Sample
from onnxlrp.composites import Composite
from onnxlrp.errors import InputError
from onnxlrp.evaluate import MaskedResult, band_mask, masked
from onnxlrp.evaluate.fills import Fill
from onnxlrp.evaluate.objects import picture_size, read_mask, seen_mask
from onnxlrp.evaluate.places import channel_axis, locate
from onnxlrp.explainer import explain
from onnxlrp.graph.model import Model
from onnxlrp.render import save_image
from onnxlrp.render.names import as_file_name, distinct
from onnxlrp.render.text import number, percent
from onnxlrp.report.tables import write_table
from onnxlrp.runtime.device import Device


@dataclass(frozen=True, slots=True)
class MaskedRow:
    """A line of masked.csv; the fields are its columns."""

    image: str
    share: float
    label: str
    before: float
    after: float
    rank_before: int
    rank_after: int


@dataclass(frozen=True, slots=True)
class Band:
    """Relevance from one value to another, of the input or of a layer.

    Attributes
    ----------
    low, high : float
        In units of the score; or percentiles from 0 to 100.
    percentiles : bool
    composite : Composite
    layer : str or None
        None: the input.
    """

    low: float
    high: float
    percentiles: bool
    composite: Composite
    layer: str | None

    @classmethod
    def parse(cls, low: str, high: str, composite: Composite, layer: str | None) -> Band:
        """Read both ends as they are written on the command line.

        Raises
        ------
        InputError
            No numbers, or one in per cent and the other not.
        """
        words = f"--band {low} {high}"
        marks = [end.endswith("%") for end in (low, high)]
        try:
            first, second = (float(end.removesuffix("%")) for end in (low, high))
        except ValueError as error:
            raise InputError(
                f"{words}: give two numbers, such as 0.01 inf, or 95% 100%."
            ) from error
        if any(marks) and not all(marks):
            raise InputError(f"{words}: give both ends in per cent, or none.")
        if any(marks) and not 0 <= first <= second <= 100:
            raise InputError(f"{words}: percentiles go from 0% to 100%, the lower one first.")
        return cls(first, second, any(marks), composite, layer)

    def mask(
        self, model: Model, sample: Sample, target: int | str, device: Device
    ) -> NDArray[np.float32]:
        """Mask what lies in the band, enlarged to the picture's size."""
        x = np.repeat(sample.x, model.fixed_batch or 1, axis=0)
        record = [] if self.layer is None else [self.layer]
        result = explain(model, x, self.composite, target, record=record, device=device)
        relevance = result.relevance if self.layer is None else result.tensors[self.layer]
        if relevance.ndim != 4:
            what = self.layer or "the input"
            raise InputError(
                f"--layer: the relevance of {what} has shape {relevance.shape}, no rows and "
                "columns; choose a layer that has."
            )
        place = locate(model, self.layer or model.input.name)
        axis = channel_axis(model, place, relevance.shape)
        values = relevance[0].sum(axis=axis - 1, dtype=np.float64)
        low, high = self.low, self.high
        if self.percentiles:
            low, high = map(float, np.percentile(values, (low, high)))
        return band_mask(values, low, high, _size(model, sample))


def mask_samples(
    model: Model,
    samples: Sequence[Sample],
    by: Band | Path,
    *,
    fill: Fill,
    target: int | str,
    seed: int,
    device: Device,
) -> list[MaskedResult]:
    """Mask every sample by its own band, or all of them by one picture."""
    found = []
    for sample in samples:
        mask: NDArray[Any]
        if isinstance(by, Band):
            mask = by.mask(model, sample, target, device)
        else:
            mask = _painted(by, model, sample)
        x = np.repeat(sample.x, model.fixed_batch or 1, axis=0)
        found.append(masked(model, x, mask, fill=fill, seed=seed, device=device))
    return found


def write(
    folder: Path, model: Model, samples: Sequence[Sample], found: Sequence[MaskedResult]
) -> list[Path]:
    """Write the masked pictures and the table."""
    paths = [folder / "masked.csv"]
    rows = [row for each in zip(samples, found, strict=True) for row in _rows(*each)]
    write_table(paths[0], MaskedRow, rows)
    assert model.preprocessing is not None
    stems = distinct(as_file_name(f"{sample.name}_masked") for sample in samples)
    for stem, result in zip(stems, found, strict=True):
        picture = model.preprocessing.to_picture(result.picture[:1])[0]
        paths.append(save_image(Image.fromarray(picture), folder / f"{stem}.png"))
    return paths


def shown(sample: Sample, result: MaskedResult) -> str:
    """Say what a mask did to one picture, for a terminal."""
    rows: list[tuple[str, ...]] = [("label", "before", "after", "rank", "rank after")]
    for row in _rows(sample, result):
        scores = (number(row.before), number(row.after))
        rows.append((row.label, *scores, str(row.rank_before), str(row.rank_after)))
    share = percent(float(result.share[0]))
    return f"{sample.name}: {share} masked\n" + table(rows, right=range(1, 5), indent="  ")


def _rows(sample: Sample, result: MaskedResult) -> Iterator[MaskedRow]:
    """Yield the leading classes of one picture."""
    for c in result.top():
        yield MaskedRow(
            image=sample.name,
            share=float(result.share[0]),
            label=c.label,
            before=c.before,
            after=c.after,
            rank_before=c.rank_before,
            rank_after=c.rank_after,
        )


def _size(model: Model, sample: Sample) -> tuple[int, int]:
    """Height and width of what the network sees.

    Raises
    ------
    InputError
        It sees no pictures.
    """
    if sample.picture is None:
        raise InputError(
            f"{sample.source}: {model.name} does not see it as a picture; pass --preprocessing."
        )
    height, width, _ = sample.picture.shape
    return height, width


def _painted(path: Path, model: Model, sample: Sample) -> NDArray[np.float64]:
    """Read a mask of what the network sees, or of the original picture, cut as that was.

    Raises
    ------
    InputError
        It is no picture, or has another size.
    """
    try:
        return seen_mask(model, read_mask(path), picture_size(sample.source), _size(model, sample))
    except InputError as error:
        raise InputError(f"--mask {path}: {error}") from error
