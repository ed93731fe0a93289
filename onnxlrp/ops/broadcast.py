"""NumPy broadcasting and its adjoint."""

from __future__ import annotations

import numpy as np

from onnxlrp.ops.base import Array, Shape


def sum_to_shape(s: Array, shape: Shape) -> Array:
    """Adjoint of broadcasting ``shape`` to ``s.shape``: sum over every axis that was repeated."""
    if s.shape == shape:
        return s
    lead = s.ndim - len(shape)
    repeated = tuple(range(lead)) + tuple(
        lead + axis for axis, size in enumerate(shape) if size == 1 and s.shape[lead + axis] != 1
    )
    return np.asarray(np.sum(s, axis=repeated, keepdims=True), np.float32).reshape(shape)
