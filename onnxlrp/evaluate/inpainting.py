"""Noisy linear imputation: flipped pixels are guessed from the others.

A pixel becomes the weighted mean of its eight neighbours, flipped ones included: one sparse linear
system for all flipped pixels, solved by conjugate gradients.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import NumericalError
from onnxlrp.evaluate.canvas import Pixels
from onnxlrp.kernels._jit import EXACT, Kernel, b1, device, f8, i8, read, write

NOISE: Final = 0.01
"""Deviation of the noise on imputed pixels, of the range of pixel values (Rong et al. 2022)."""

_TOLERANCE: Final = 4e-5  # of the range: 0.01 of 255; what is left then is below one grey level
_DIRECT, _DIAGONAL = 2.0, 1.0  # weights of neighbours, in twelfths: 1/6 and 1/12


@device()
def _neighbours(values: Any, j: int, row: int) -> Any:
    """Σ over the eight neighbours of pixel j of their weight, in twelfths, times their value."""
    direct = values[j - 1] + values[j + 1] + values[j - row] + values[j + row]
    diagonal = values[j - row - 1] + values[j - row + 1]
    diagonal += values[j + row - 1] + values[j + row + 1]
    return _DIRECT * direct + _DIAGONAL * diagonal


def _relax(
    values: Any, unknown: Any, weight: Any, row: int, work: Any, tolerance: float, limit: int
) -> bool:
    """Solve weight·u = Σ w·u for the unknown pixels; tell whether the tolerance was reached."""
    residual, direction, image = work[0], work[1], work[2]
    energy, largest = 0.0, 0.0
    for j in unknown:
        residual[j] = _neighbours(values, j, row) - weight[j] * values[j]
        direction[j] = residual[j] / weight[j]
        energy += residual[j] * direction[j]
        largest = max(largest, abs(direction[j]))
    for _ in range(limit):
        if largest <= tolerance:
            return True
        curvature = 0.0
        for j in unknown:
            image[j] = weight[j] * direction[j] - _neighbours(direction, j, row)
            curvature += direction[j] * image[j]
        length, left, largest = energy / curvature, 0.0, 0.0
        for j in unknown:
            values[j] += length * direction[j]
            residual[j] -= length * image[j]
            left += residual[j] * residual[j] / weight[j]
            largest = max(largest, abs(residual[j] / weight[j]))
        for j in unknown:
            direction[j] = residual[j] / weight[j] + left / energy * direction[j]
        energy = left
    return largest <= tolerance


# Not among the sweep's kernels, which are all compiled at once: this one is when first needed.
_solve: Final = Kernel(
    _relax,
    b1(write(1, f8), read(1, i8), read(1, f8), i8, write(2, f8), f8, i8),
    EXACT,
)


def impute(pixels: Pixels, flipped: NDArray[np.bool_], limits: tuple[float, float]) -> Pixels:
    """Replace flipped pixels by the mean of their neighbours, all at once.

    u_p = Σ_q w_pq·u_q / Σ_q w_pq   with w = 1/6 for direct and 1/12 for diagonal neighbours q

    Parameters
    ----------
    pixels : ndarray, float64, (C, H, W)
        The values of flipped pixels are where the search begins; the result hardly depends on them.
    flipped : ndarray, bool, (H, W)
        Where all are, there is nothing to guess from: they become each channel's mean.
    limits : (float, float)
        Least and greatest pixel value there can be; gives the unit of the tolerance.

    Returns
    -------
    ndarray, float64, (C, H, W)

    Raises
    ------
    NumericalError
        The system could not be solved.

    Notes
    -----
    Rong et al. 2022, arXiv:2202.00449 (ROAD), without its noise.

    Examples
    --------
    >>> row = np.array([[[0.0, 9.0, 2.0]]])
    >>> impute(row, np.array([[False, True, False]]), (0, 2)).round(6).tolist()
    [[[0.0, 1.0, 2.0]]]
    """
    if flipped.all():
        return np.broadcast_to(pixels.mean(axis=(1, 2), keepdims=True), pixels.shape).copy()
    channels, height, width = pixels.shape
    framed = np.zeros((channels, height + 2, width + 2))  # a frame, so that all have 8 neighbours
    framed[:, 1:-1, 1:-1] = pixels
    inside = np.zeros(framed.shape[1:])
    inside[1:-1, 1:-1] = 1.0
    unknown = np.flatnonzero(np.pad(flipped, 1))
    weight = _neighbour_sum(inside).reshape(-1)
    work = np.zeros((3, framed[0].size))
    tolerance = _TOLERANCE * ((limits[1] - limits[0]) or 1.0)
    # In exact arithmetic conjugate gradients take no more steps than there are unknowns.
    limit = 100 + 2 * unknown.size
    for plane in framed.reshape(channels, -1):
        work[1] = 0.0
        if not _solve(plane, unknown, weight, width + 2, work, tolerance, limit):
            raise NumericalError(
                "fill='inpaint': the imputation did not converge; use another fill, 'blur'."
            )
    return np.ascontiguousarray(framed[:, 1:-1, 1:-1])


def _neighbour_sum(values: Pixels) -> Pixels:
    """Σ over the eight neighbours of their weight times their value; the frame stays 0."""
    total = np.zeros_like(values)
    direct = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:]
    corners = values[:-2, :-2] + values[:-2, 2:] + values[2:, :-2] + values[2:, 2:]
    total[1:-1, 1:-1] = _DIRECT * direct + _DIAGONAL * corners
    return total
