"""Gemm and MatMul with constant weights: fully connected layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.kernels import matmul
from onnxlrp.ops.base import Array, Linear, LinearMap, Shape
from onnxlrp.ops.broadcast import sum_to_shape


class DenseMap:
    """z = x·W over the last axis; W is (in, out), or a stack of matrices for batched products."""

    def __init__(self, weight: Array, from_left: bool = False) -> None:
        self._weight = weight
        self._from_left = from_left

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self._weight.nbytes)

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        (x,) = xs
        if self._from_left:
            return np.asarray(np.matmul(self._weight, x)).reshape(out_shape)
        if self._weight.ndim > 2:
            return np.asarray(np.matmul(x, self._weight)).reshape(out_shape)
        return matmul(_with_rows(x), self._weight).reshape(out_shape)

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        transposed = np.swapaxes(self._weight, -1, -2)
        if self._from_left:
            return (sum_to_shape(np.matmul(transposed, s), in_shapes[0]),)
        if self._weight.ndim > 2:
            return (sum_to_shape(np.matmul(s, transposed), in_shapes[0]),)
        rows = s.reshape(*in_shapes[0][:-1], self._weight.shape[1])
        return (matmul(_with_rows(rows), transposed).reshape(in_shapes[0]),)


def _with_rows(x: Array) -> Array:
    """(N, C), or (N, rows, C) with all axes between merged."""
    x = np.ascontiguousarray(x)
    return x.reshape(-1, x.shape[-1]) if x.ndim <= 2 else x.reshape(len(x), -1, x.shape[-1])


class Gemm(Linear):
    """Y = alpha·A·B + beta·C with constant B and C; A may not be transposed."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        attributes = self.node.attributes
        if attributes.get("transA", 0):
            raise self.unsupported("transA = 1 mixes the pictures of a batch")
        weight = np.asarray(self.constant(1), np.float32)
        weight = weight.T if attributes.get("transB", 0) else weight
        alpha = float(attributes.get("alpha", 1.0))
        self.weight = weight if alpha == 1.0 else np.float32(alpha) * weight
        self.bias = self._read_bias(float(attributes.get("beta", 1.0)))

    def _read_bias(self, beta: float) -> Array | None:
        bias = self.constant(2)
        if bias is None or beta == 0 or not np.any(bias):
            return None
        row = np.asarray(bias, np.float32)
        if row.ndim > 1 and row.shape[0] != 1:
            raise self.unsupported(f"bias of shape {row.shape} differs from picture to picture")
        return np.broadcast_to(np.float32(beta) * row.reshape(-1), (self.weight.shape[1],))

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The product with weights ``see(B)``."""
        return DenseMap(see(self.weight))


class MatMul(Linear):
    """Product with a constant matrix, from the right or the left; may carry a bias as input 2."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self._from_left = self.is_constant(0)
        position = 0 if self._from_left else 1
        self.signals = (1 - position,)
        self.weight = np.asarray(self.constant(position), np.float32)
        if self.weight.ndim == 1 and not self._from_left:
            self.weight = self.weight[:, np.newaxis]
        if self.weight.ndim < 2:
            raise self.unsupported(
                "a product of a constant vector and an activation, in this order"
            )
        bias = self.constant(2)
        self.bias = None if bias is None or not np.any(bias) else np.asarray(bias, np.float32)

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The product with weights ``see(W)``."""
        return DenseMap(see(self.weight), self._from_left)
