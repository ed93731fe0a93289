"""What flipped pixels become. All fills act on pixel values, before the preprocessing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from onnxlrp.errors import InputError, did_you_mean
from onnxlrp.evaluate.canvas import WHITE, Canvas, Pixels

Fill: TypeAlias = float | str
Draw: TypeAlias = Callable[[Pixels, tuple[float, float], np.random.Generator], Pixels]

INPAINT: Final = "inpaint"
UNIFORM: Final = "uniform"

_BLUR_SHARE: Final = 0.05  # deviation of the Gaussian, of the picture's longer side
_BLUR_REACH: Final = 3.0  # in deviations: 99.7 % of its mass


def _darkest(pixels: Pixels, limits: tuple[float, float], random: np.random.Generator) -> Pixels:
    """The least pixel value that this picture has, in any channel."""
    return np.full_like(pixels, pixels.min())


def _brightest(pixels: Pixels, limits: tuple[float, float], random: np.random.Generator) -> Pixels:
    """The greatest pixel value that this picture has, in any channel."""
    return np.full_like(pixels, pixels.max())


def _zero(pixels: Pixels, limits: tuple[float, float], random: np.random.Generator) -> Pixels:
    """Pixel value 0: black."""
    return np.zeros_like(pixels)


def channel_mean(
    pixels: Pixels, limits: tuple[float, float], random: np.random.Generator
) -> Pixels:
    """Each channel's mean over this picture."""
    spatial = tuple(range(1, pixels.ndim))
    return np.broadcast_to(pixels.mean(axis=spatial, keepdims=True), pixels.shape)


def _uniform(pixels: Pixels, limits: tuple[float, float], random: np.random.Generator) -> Pixels:
    """Each pixel and channel drawn from the uniform distribution over the limits."""
    return random.uniform(*limits, pixels.shape)


def _blurred(pixels: Pixels, limits: tuple[float, float], random: np.random.Generator) -> Pixels:
    """The picture under a Gaussian of 5 % of its longer side, mirrored at its border."""
    deviation = _BLUR_SHARE * max(pixels.shape[1:])
    reach = max(1, math.ceil(_BLUR_REACH * deviation))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights /= weights.sum()
    for axis in range(1, pixels.ndim):
        around = [(reach, reach) if a == axis else (0, 0) for a in range(pixels.ndim)]
        padded = np.pad(pixels, around, mode="symmetric")
        pixels = np.lib.stride_tricks.sliding_window_view(padded, len(weights), axis) @ weights
    return pixels


FILLS: Mapping[str, Draw] = {
    "blur": _blurred,
    "max": _brightest,
    "mean": channel_mean,
    "min": _darkest,
    "uniform": _uniform,
    "zero": _zero,
}
"""Fills that do not depend on which pixels are flipped, by name."""


def checked_fill(fill: Fill, canvas: Canvas) -> Fill:
    """Return the fill, a number as float.

    Raises
    ------
    InputError
        No such fill, or a number that no pixel can have.
    """
    if isinstance(fill, str):
        if fill in FILLS or (fill == INPAINT and len(canvas.spatial) == 2):
            return fill
        if fill == INPAINT:
            raise InputError(
                f"fill='inpaint' needs pictures (H, W), not an input of shape {canvas.shape}."
            )
        known = sorted([*FILLS, INPAINT])
        raise InputError(
            f"fill={fill!r}: choose {', '.join(known)}, or a pixel value."
            f"{did_you_mean(fill, known)}"
        )
    if isinstance(fill, bool) or not isinstance(fill, int | float | np.number):
        raise InputError(f"fill={fill!r}: a fill's name or a pixel value is expected.")
    value = float(fill)
    if not math.isfinite(value) or (canvas.preprocessing is not None and not 0 <= value <= WHITE):
        raise InputError(f"fill={value:g}: pixel values go from 0 to {WHITE:g}.")
    return value


def filling(
    fill: Fill, pixels: Pixels, limits: tuple[float, float], random: np.random.Generator
) -> Pixels:
    """Return the picture (C, *spatial) that flipped pixels are taken from.

    Parameters
    ----------
    fill : str or float
        One of ``FILLS``, or a pixel value.
    pixels : ndarray, float64, (C, *spatial)
        The picture as it was.
    limits : (float, float)
        Least and greatest pixel value there can be.
    random : numpy.random.Generator
        Of uniform noise.
    """
    if isinstance(fill, str):
        return FILLS[fill](pixels, limits, random)
    return np.full_like(pixels, fill)
