"""Float64 values as float32 ones that compare alike: who wins in float64 wins in float32, too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FARTHEST = 256
"""Units in the last place by which a value may be off for the sake of order: 2e-5 of itself."""


def rounded_in_order(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to float32 so that what differs in float64 still does, within every plane.

    yᵢ = min_{j ≤ i} (uⱼ + dⱼ) − dᵢ with a plane's values in falling order, u their float32 number
    counted in units in the last place and d how many different ones came before: each value moves
    down until it is below the larger ones. A plane in which one would move too far, for nearly all
    of it is one value, is rounded as usual.

    Parameters
    ----------
    values : (N, C, *S) float64
        Finite.

    Examples
    --------
    >>> x = np.array([[[1.0, 1.0 + 1e-12, 0.5, 1.0]]])
    >>> int(x.astype(np.float32).argmax()), int(rounded_in_order(x).argmax())
    (0, 1)
    """
    planes = values.reshape(values.shape[0] * values.shape[1], -1)
    order = np.argsort(-planes, axis=1, kind="stable")
    falling = np.take_along_axis(planes, order, axis=1)
    before = np.zeros(planes.shape, np.int64)
    np.cumsum(falling[:, 1:] != falling[:, :-1], axis=1, out=before[:, 1:])
    plain = _counted(falling.astype(np.float32))
    moved = np.minimum.accumulate(plain + before, axis=1) - before
    moved = np.where(plain >= 0, np.maximum(moved, 0), moved)
    far = (plain - moved).max(axis=1, keepdims=True, initial=0) > FARTHEST
    rounded = np.empty(planes.shape, np.float32)
    np.put_along_axis(rounded, order, _floats(np.where(far, plain, moved)), axis=1)
    return rounded.reshape(values.shape)


def _counted(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Number the floats: 0 is 0, the next larger one 1, the next smaller one −1."""
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(2**31) - bits, bits)


def _floats(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the floats of these numbers."""
    bits = np.where(numbers < 0, -(2**31) - numbers, numbers)
    return bits.astype(np.int32).view(np.float32)
