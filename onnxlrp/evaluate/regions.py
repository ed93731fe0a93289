"""What is flipped at once: a pixel, a block of pixels, or a superpixel."""

from __future__ import annotations

import importlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError, RuntimeSetupError, did_you_mean
from onnxlrp.evaluate.canvas import Canvas, Pixels

Unit: TypeAlias = int | str | NDArray[Any]
Labels: TypeAlias = NDArray[np.int64]
"""Region of every pixel, in reading order: (pixels,) numbers from 0 on, each in use."""

SUPERPIXEL = "superpixel"
SUPERPIXELS = 200
"""How many superpixels a picture is cut into, about."""


def blocks(spatial: tuple[int, ...], side: int) -> Labels:
    """Cut pixels into blocks of ``side`` along every axis; the last ones may be smaller.

    Parameters
    ----------
    spatial : tuple of int
        Sizes of the axes of pixels, (H, W).
    side : int
        Pixels; 1 makes every pixel a region.

    Returns
    -------
    ndarray, int64, (pixels,)
        Blocks are numbered in reading order.

    Raises
    ------
    InputError
        The side is less than 1, or larger than the picture.

    Examples
    --------
    >>> blocks((2, 3), 2).reshape(2, 3)
    array([[0, 0, 1],
           [0, 0, 1]])
    """
    if not 1 <= side <= max(spatial):
        raise InputError(
            f"unit={side}: a region of pixels {_drawn(spatial)} has a side of 1 to {max(spatial)}."
        )
    labels = np.zeros(spatial, np.int64)
    for axis, size in enumerate(spatial):
        count = -(-size // side)
        position = (np.arange(size) // side).reshape(
            [-1 if a == axis else 1 for a in range(labels.ndim)]
        )
        labels = labels * count + position
    return labels.reshape(-1)


def superpixels(picture: NDArray[Any], count: int = SUPERPIXELS) -> Labels:
    """Cut a picture into regions of like colour by SLIC (Achanta et al. 2012), with scikit-image.

    Parameters
    ----------
    picture : ndarray, (H, W, 3) or (H, W)
        Brightness 0 to 1, or uint8.
    count : int
        How many regions, about.

    Returns
    -------
    ndarray, int64, (H, W)
        Region of every pixel.

    Raises
    ------
    RuntimeSetupError
        scikit-image is not installed.
    """
    try:
        segmentation = importlib.import_module("skimage.segmentation")
    except ImportError as error:
        raise RuntimeSetupError(
            "unit='superpixel' needs scikit-image, which is not installed: "
            "pip install 'onnxlrp[superpixels]', or use square regions, unit=8."
        ) from error
    channel_axis = -1 if picture.ndim == 3 else None
    labels = segmentation.slic(picture, n_segments=count, start_label=0, channel_axis=channel_axis)
    return np.asarray(labels, np.int64)


def regions(unit: Unit, canvas: Canvas, pixels: Pixels, image: int) -> Labels:
    """Region of every pixel of one picture: (pixels,).

    Raises
    ------
    InputError
        No such unit, or labels of another shape than the pictures'.
    """
    if isinstance(unit, str):
        if unit != SUPERPIXEL:
            hint = did_you_mean(unit, [SUPERPIXEL])
            raise InputError(f"unit={unit!r}: a number of pixels, 'superpixel', or labels.{hint}")
        return _numbered(superpixels(_as_picture(canvas, pixels)))
    if isinstance(unit, np.ndarray) and unit.ndim > 0:
        return _numbered(_labels_of(unit, canvas, image))
    if isinstance(unit, bool) or not isinstance(unit, int | np.integer):
        raise InputError(f"unit={unit!r}: a whole number of pixels, 'superpixel', or labels.")
    return blocks(canvas.spatial, int(unit))


def _labels_of(unit: NDArray[Any], canvas: Canvas, image: int) -> NDArray[Any]:
    """Labels that the caller made: one array for all pictures, or one a picture."""
    if unit.dtype.kind not in "iu" or unit.shape[-len(canvas.spatial) :] != canvas.spatial:
        raise InputError(
            f"unit of shape {unit.shape} and type {unit.dtype}: labels of regions are whole "
            f"numbers of shape {_drawn(canvas.spatial)}, one array for all pictures or one each."
        )
    if unit.ndim == len(canvas.spatial):
        return unit
    if unit.ndim > len(canvas.spatial) + 1 or image >= len(unit):
        raise InputError(f"unit of shape {unit.shape}: labels for every picture are needed.")
    labels: NDArray[Any] = unit[image]
    return labels


def _numbered(labels: NDArray[Any]) -> Labels:
    """Number regions from 0 on without gaps, in the order of their labels."""
    return np.unique(labels.reshape(-1), return_inverse=True)[1].astype(np.int64)


def _as_picture(canvas: Canvas, pixels: Pixels) -> NDArray[np.float64]:
    """Turn pixel values (C, H, W) into brightness 0 to 1 as SLIC takes it."""
    if len(canvas.spatial) != 2 or len(pixels) not in (1, 3):
        raise InputError(
            f"unit='superpixel' needs pictures of 1 or 3 channels, not an input of shape "
            f"{canvas.shape}: use blocks, unit=8, or labels of your own."
        )
    low, high = canvas.limits(pixels)
    scaled = np.clip((pixels - low) / ((high - low) or 1.0), 0.0, 1.0)
    if canvas.preprocessing is not None and canvas.preprocessing.channels == "BGR":
        scaled = scaled[::-1]
    return scaled[0] if len(scaled) == 1 else np.moveaxis(scaled, 0, -1)


def _drawn(spatial: tuple[int, ...]) -> str:
    """Draw sizes for people: 227×227."""
    return "×".join(map(str, spatial))
