"""The z-rule where the linear map depends on the picture: it is held fixed, R is shared through it.

    z = Σ x·A + b        R_in = x·Aᵀ(R / stab(z))        b and ε keep their share

So normalisations, matrix products of two activations and norms hand relevance down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onnxlrp.kernels import ratio
from onnxlrp.ops.base import Array, Operation, Tensors

EPSILON = 1e-6
"""The stabiliser, as that of the rules by default."""


@dataclass(frozen=True, slots=True)
class FixedMap:
    """A linear map as it is for given pictures.

    Attributes
    ----------
    xs : tuple of ndarray, float32
        What the map is applied to, one for each signal input.
    z : ndarray, float32
        Its output, bias included.
    adjoint : callable
        s, shaped like z → s·Aᵀ for every x.
    bias : ndarray, float32, broadcasting to z, or None
    times : float
        How often the inputs together count z: 2 where a product is linear in either factor.
    """

    xs: tuple[Array, ...]
    z: Array
    adjoint: Callable[[Array], tuple[Array, ...]]
    bias: Array | None = None
    times: float = 1.0

    def ratio(self, relevance: Array) -> Array:
        """R / stab(times·z)."""
        z = np.ascontiguousarray(np.float32(self.times) * self.z)
        s = np.empty(z.shape, np.float32)
        epsilon = np.full(len(z), EPSILON, np.float32)
        ratio(z, np.ascontiguousarray(relevance), 1.0, epsilon, s)
        return s


class Proportional(Operation):
    """An operation that shares relevance by the z-rule through a map of its pictures' own."""

    def values(self) -> tuple[str, ...]:
        """Its signals and its output."""
        return (*self.signal_names, self.node.output)

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """The map with whatever depends on the pictures held fixed."""
        raise NotImplementedError

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R_in = x·Aᵀ(R / stab(z))."""
        fixed = self.fixed_map(tensors)
        shares = fixed.adjoint(fixed.ratio(relevance))
        return tuple(
            np.multiply(x, share, dtype=np.float32)
            for x, share in zip(fixed.xs, shares, strict=True)
        )

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """times·s·b and ±s·ε."""
        fixed = self.fixed_map(tensors)
        s = fixed.ratio(relevance)
        bias = None if fixed.bias is None else np.float32(fixed.times) * s * fixed.bias
        return bias, np.where(fixed.z >= 0, s, -s) * np.float32(EPSILON)
