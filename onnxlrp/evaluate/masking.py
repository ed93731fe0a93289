"""The manual modes: mask what lies in a band of relevance, or anything, and predict again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from onnxlrp.errors import InputError
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.changes import ScoreChange
from onnxlrp.evaluate.checks import finite, seeds_of, whole_number
from onnxlrp.evaluate.fills import INPAINT, Fill, checked_fill, filling
from onnxlrp.evaluate.inpainting import impute
from onnxlrp.evaluate.predictions import score_changes
from onnxlrp.evaluate.predictor import Array, Predictor
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.feed import checked_input
from onnxlrp.target import as_scores
from onnxlrp.target.classes import flat

Floats = NDArray[np.float64]


def band_mask(
    relevance_map: ArrayLike, v1: float, v2: float, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Mask of the pixels whose relevance in some layer lies in a band.

    mask = clip(bicubic([v1 ≤ R ≤ v2]), 0, 1)

    Parameters
    ----------
    relevance_map : array of shape (h, w)
        Relevance of any layer, its channels summed, in units of the explained output.
    v1, v2 : float
        The band, both ends in it; ±inf leaves an end open.
    shape : (int, int)
        Height and width of the picture in pixels.

    Returns
    -------
    ndarray, float32, shape
        1 where the picture is to be masked, 0 where it stays, between these at seams.

    Raises
    ------
    InputError
        No map, an empty band, or a size of 0.
    NumericalError
        The map holds NaN or Inf.

    Notes
    -----
    The manual "relevance-based pixel flipping" of VisLRPDesigner. Bicubic as Pillow has it
    (a = −1/2).

    Examples
    --------
    >>> band_mask([[0.0, 3.0]], 1.0, np.inf, (1, 4)).round(2)
    array([[0.  , 0.21, 0.79, 1.  ]], dtype=float32)
    """
    values = finite("the relevance map", relevance_map)
    if values.ndim != 2 or not values.size:
        raise InputError(
            f"a relevance map of shape {values.shape} is no picture (h, w): sum over its channels."
        )
    if not v1 <= v2:
        raise InputError(f"the band from v1={v1} to v2={v2} is empty: v1 is the smaller one.")
    height, width = (whole_number("shape", size) for size in shape)
    inside = ((values >= v1) & (values <= v2)).astype(np.float32)
    image = Image.fromarray(inside).resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(image, np.float32), 0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class MaskedResult:
    """N pictures with something masked, and what the network makes of them.

    Attributes
    ----------
    model : Model
    picture : ndarray, shape of the model's input (N pictures)
        The masked pictures, as the network takes them.
    before, after : ndarray, float32, (N, classes), or (N, …) of maps
        Explained outputs of the pictures as they were, and masked.
    share : ndarray, float64, (N,)
        Share of the pixels that are masked: those with a mask of 1/2 or more.
    note : str
        In what units fills are.
    """

    model: Model
    picture: NDArray[Any]
    before: Array
    after: Array
    share: Floats
    note: str

    def top(self, picture: int = 0, count: int = 10) -> tuple[ScoreChange, ...]:
        """List the leading classes of one masked picture, beside what they were before.

        See :func:`~onnxlrp.evaluate.score_changes`.

        Raises
        ------
        InputError
            No such picture.
        TargetError
            The outputs are a map, not classes.
        """
        if not 0 <= picture < len(self.after):
            raise InputError(f"picture {picture}: there are pictures 0 to {len(self.after) - 1}.")
        before, after = flat(self.before)[picture], flat(self.after)[picture]
        return score_changes(self.model, before, after, count)


def masked(
    model: Model,
    x: Any,
    mask: ArrayLike,
    *,
    fill: Fill = "zero",
    seed: int | Sequence[int] = 0,
    device: Device = "auto",
    batch: int | None = None,
) -> MaskedResult:
    """Mask pictures and predict again.

    p′ = (1 − mask)·p + mask·fill   for every pixel value p

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape (N pictures)
    mask : array of bool or of numbers from 0 to 1, (H, W) or (N, H, W)
        1 is masked: from :func:`band_mask`, or painted by hand.
    fill : str or float
        As for :func:`flip_pixels`; "zero" fades to black, as VisLRPDesigner does.
    seed : int, or one a picture
        Of uniform noise; picture i of a batch takes seed + i.
    device : "auto", "cpu" or "cuda"
    batch : int, optional
        Pictures run at once.

    Returns
    -------
    MaskedResult

    Raises
    ------
    InputError
        The mask has another size than the pictures, or values outside 0 to 1.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.zeros((1, 3, 227, 227), np.float32)
    >>> masked(model, x, np.zeros((227, 227))).share.tolist()
    [0.0]
    """
    pictures = checked_input(model, x)
    canvas = Canvas.of(model, pictures)
    fill = checked_fill(fill, canvas)
    masks = _checked_mask(mask, canvas, len(pictures))
    seeds = seeds_of(seed, len(pictures))
    changed = np.stack(
        [_blend(canvas, *each, fill) for each in zip(pictures, masks, seeds, strict=True)]
    )
    outputs = as_scores(
        Predictor(model, device, batch).predict(np.concatenate([pictures, changed])),
        model,
        model.explained,
    )
    spatial = tuple(range(1, masks.ndim))
    return MaskedResult(
        model=model,
        picture=changed,
        before=outputs[: len(pictures)],
        after=outputs[len(pictures) :],
        share=(masks >= 0.5).mean(axis=spatial),
        note=canvas.note,
    )


def _blend(
    canvas: Canvas,
    picture: NDArray[Any],
    mask: Floats,
    seed: int,
    fill: Fill,
) -> NDArray[Any]:
    """One picture under its mask; what is not masked keeps its bits."""
    pixels = canvas.pixels(picture)
    limits = canvas.limits(pixels)
    if fill == INPAINT:
        filled = impute(pixels, mask > 0, limits)
    else:
        filled = filling(fill, pixels, limits, np.random.default_rng(seed))
    blended = canvas.sample((1.0 - mask) * pixels + mask * filled)
    covered = np.broadcast_to(mask.reshape(-1) > 0, canvas.planes(picture).shape)
    result = picture.copy()
    canvas.planes(result)[covered] = canvas.planes(blended)[covered]
    return result


def _checked_mask(mask: ArrayLike, canvas: Canvas, pictures: int) -> Floats:
    """Return the mask of every picture: (N, *spatial)."""
    given = np.asarray(mask)
    if given.dtype.kind not in "fiub" or given.shape not in (
        canvas.spatial,
        (pictures, *canvas.spatial),
    ):
        raise InputError(
            f"mask of shape {given.shape} and type {given.dtype}: for these pictures it has shape "
            f"{canvas.spatial}, or {(pictures, *canvas.spatial)} for one each."
        )
    values = given.astype(np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError("mask has values outside 0 to 1: 1 masks a pixel, 0 leaves it.")
    return np.broadcast_to(values, (pictures, *canvas.spatial))
