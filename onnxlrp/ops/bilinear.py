"""MatMul and Gemm: with constant weights a linear layer, of two activations a bilinear one."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Operation, Tensors, operation
from onnxlrp.ops.broadcast import sum_to_shape
from onnxlrp.ops.dense import Gemm, MatMul
from onnxlrp.ops.proportion import FixedMap, Proportional


@operation("MatMul")
def matrix_product(layer: Layer, model: Model) -> Operation:
    """By rule with constant weights; of two activations: half to each, in proportion (z-rule)."""
    return MatMul(layer, model) if len(layer.signals) == 1 else BilinearProduct(layer, model)


@operation("Gemm")
def general_product(layer: Layer, model: Model) -> Operation:
    """By rule with constant weights; of two activations: half to each, in proportion (z-rule)."""
    both = {0, 1}.issubset(layer.signals)
    return BilinearProduct(layer, model) if both else Gemm(layer, model)


class BilinearProduct(Proportional):
    """Y = α·A·B + β·C of two activations: R_A = A∘[(R/stab(2Y))·Bᵀ], R_B likewise (AttnLRP).

    Notes
    -----
    Achtibat et al. 2024, arXiv 2402.05602.
    """

    treatment: ClassVar[str] = "half to each factor, in proportion to its elements (z-rule)"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.signals = (0, 1)
        attributes = self.node.attributes
        self._transposed = bool(attributes.get("transA", 0)), bool(attributes.get("transB", 0))
        self._alpha = np.float32(attributes.get("alpha", 1.0))
        bias = self.constant(2)
        self._bias = None
        if bias is not None:
            self._bias = np.float32(attributes.get("beta", 1.0)) * np.asarray(bias, np.float32)

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """Each factor's map is the other factor."""
        a, b, z = (tensors.value(name) for name in self.values())
        if min(a.ndim, b.ndim) < 2:
            raise self.unsupported("a product of two activations of which one is a vector")
        flip_a, flip_b = self._transposed

        def adjoint(s: Array) -> tuple[Array, ...]:
            s = self._alpha * s
            to_a = np.matmul(s, b if flip_b else np.swapaxes(b, -1, -2))
            to_b = np.matmul(a if flip_a else np.swapaxes(a, -1, -2), s)
            return (
                sum_to_shape(np.swapaxes(to_a, -1, -2) if flip_a else to_a, a.shape),
                sum_to_shape(np.swapaxes(to_b, -1, -2) if flip_b else to_b, b.shape),
            )

        return FixedMap((a, b), z, adjoint, self._bias, times=2.0)
