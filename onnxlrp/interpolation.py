"""Where the outputs of a resized axis look in the input (ONNX Resize), for whoever resizes.

onnxruntime finds positions in float32. Nearest neighbours need the same roundings, for they decide
ties; weights of an interpolation do not, so that they are found in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Double = NDArray[np.float64]
Transform = Callable[[NDArray[Any], int, int, np.floating[Any]], NDArray[Any]]
"""(output positions, size, output size, scale) → input coordinates, in the type of both."""


def _symmetric(x: NDArray[Any], size: int, out: int, scale: np.floating[Any]) -> Double:
    """Half-pixel, around the middle; onnxruntime adds up in float64."""
    kind = x.dtype.type
    offset = kind(size) / 2 * (1 - kind(out) / (scale * kind(size)))
    places: Double = np.float64(offset) + (x + np.float64(0.5)) / np.float64(scale) - 0.5
    return places


TRANSFORMS: Mapping[str, Transform] = {
    "half_pixel": lambda x, size, out, scale: (x + 0.5) / scale - 0.5,
    "pytorch_half_pixel": lambda x, size, out, scale: (x + 0.5) / scale - 0.5 if out > 1 else 0 * x,
    "half_pixel_symmetric": _symmetric,
    "asymmetric": lambda x, size, out, scale: x / scale,
    "tf_half_pixel_for_nn": lambda x, size, out, scale: (x + 0.5) / scale,
    "align_corners": lambda x, size, out, scale: x * (size - 1) / (out - 1) if out > 1 else 0 * x,
}

# Half an element counts as such within 1e-6, as in onnxruntime.
ROUNDINGS: Mapping[str, Callable[[Double], Double]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5 - 1e-6),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5 + 1e-6),
    "floor": np.floor,
    "ceil": np.ceil,
}


def positions(transform: str, size: int, out: int, scale: np.float32) -> Double:
    """Return the input coordinate of every output position, in float64.

    Examples
    --------
    >>> positions("half_pixel", 2, 4, np.float32(2)).tolist()
    [-0.25, 0.25, 0.75, 1.25]
    """
    places: Double = TRANSFORMS[transform](np.arange(out, dtype=float), size, out, np.double(scale))
    return places


def neighbours(
    transform: str, rounding: str, size: int, out: int, scale: np.float32
) -> NDArray[np.int64]:
    """Return the input element that every output position copies.

    Examples
    --------
    >>> neighbours("half_pixel", "round_prefer_floor", 2, 4, np.float32(2)).tolist()
    [0, 0, 1, 1]
    """
    places = TRANSFORMS[transform](np.arange(out, dtype=np.float32), size, out, scale)
    x = ROUNDINGS[rounding](places.astype(np.float32).astype(np.float64))
    return np.clip(x, 0, size - 1).astype(np.int64)
