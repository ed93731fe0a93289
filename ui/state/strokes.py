"""What a brush painted, as a mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def stroke_mask(strokes: Iterable[Mapping[str, Any]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask of the pixels that strokes cover: those whose middle is within the radius of a line.

    Parameters
    ----------
    strokes : iterable of {"radius": number, "points": [[x, y], …]}
        x to the right, y down, from the picture's corner on, in pixels.
    shape : (int, int)
        Height and width of the picture.

    Examples
    --------
    >>> stroke_mask([{"radius": 1, "points": [[1.5, 0.5], [3.5, 0.5]]}], (2, 5)).astype(int)
    array([[1, 1, 1, 1, 1],
           [0, 1, 1, 1, 0]])
    """
    mask = np.zeros(shape, np.bool_)
    for stroke in strokes:
        points = np.asarray(stroke["points"], np.float64).reshape(-1, 2)
        ends = points[1:] if len(points) > 1 else points
        for start, end in zip(points, ends, strict=False):
            _cover(mask, start, end, float(stroke["radius"]))
    return mask


def _cover(
    mask: NDArray[np.bool_],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: float,
) -> None:
    """Mark the pixels near one straight line."""
    low = np.floor(np.minimum(start, end) - radius).astype(int).clip(0)
    high = np.ceil(np.maximum(start, end) + radius).astype(int).clip(0) + 1
    part = mask[low[1] : high[1], low[0] : high[0]]
    y, x = np.mgrid[: part.shape[0], : part.shape[1]]
    middles = np.stack([x + low[0], y + low[1]], axis=-1) + 0.5 - start
    along = end - start
    length = float(along @ along)
    share = (middles @ along / length).clip(0, 1) if length else np.zeros(part.shape)
    off = middles - share[..., None] * along
    part |= np.hypot(off[..., 0], off[..., 1]) <= radius
