"""Norms and activations that the reference implementation computes wrongly or in float32."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

Array = NDArray[np.float64]


class BatchNormalization(OpRun):
    """y = (x − mean)/√(var + ε)·scale + B, also where a momentum is given.

    In training mode mean and var are those of x: PyTorch standardises constant weights so (NFNet).
    """

    def _run(
        self,
        x: Array,
        scale: Array,
        bias: Array,
        mean: Array,
        var: Array,
        epsilon: float = 1e-5,
        momentum: float = 0.9,
        training_mode: int = 0,
        spatial: int = 1,
    ) -> tuple[Array, ...]:
        if not spatial:
            raise NotImplementedError("BatchNormalization with spatial=0")
        running = mean, var
        if training_mode:
            axes, kept = (0, *range(2, x.ndim)), momentum
            mean, var = x.mean(axes), x.var(axes)
            running = (
                running[0] * kept + mean * (1 - kept),
                running[1] * kept + var * (1 - kept),
            )
        factor, shift, centre = (
            values.reshape((-1,) + (1,) * (x.ndim - 2))
            for values in (scale / np.sqrt(var + epsilon), bias, mean)
        )
        made = ((x - centre) * factor + shift, *running)
        return made[: len(self.onnx_node.output)]


class LRN(OpRun):
    """y = x / (bias + α/size·Σ x²)^β, the sum over ``size`` channels around each one."""

    def _run(self, x: Array, size: int, alpha: float, beta: float, bias: float) -> tuple[Array]:
        around = [(0, 0), ((size - 1) // 2, size // 2), *[(0, 0)] * (x.ndim - 2)]
        padded = np.pad(x * x, around)
        squares = sum(padded[:, shift : shift + x.shape[1]] for shift in range(size))
        return (x / (bias + alpha / size * squares) ** beta,)


class Softmax(OpRun):
    """yᵢ = exp xᵢ / Σ exp x along the axis; before opset 13 over all axes from it on."""

    def _run(self, x: Array, axis: int = -1) -> tuple[Array]:
        matrix, along = self._arranged(x, axis)
        powers = np.exp(matrix - matrix.max(axis=along, keepdims=True))
        return ((powers / powers.sum(axis=along, keepdims=True)).reshape(x.shape),)

    def _arranged(self, x: Array, axis: int) -> tuple[Array, int]:
        """Return x and the axis to normalise; old ones see x as a matrix."""
        if self.run_params["opsets"][""] >= 13:
            return x, axis
        given = any(attribute.name == "axis" for attribute in self.onnx_node.attribute)
        cut = axis % x.ndim if given else 1
        return x.reshape(math.prod(x.shape[:cut]), -1), 1


class LogSoftmax(Softmax):
    """yᵢ = xᵢ − log Σ exp x."""

    def _run(self, x: Array, axis: int = -1) -> tuple[Array]:
        matrix, along = self._arranged(x, axis)
        shifted = matrix - matrix.max(axis=along, keepdims=True)
        total = np.exp(shifted).sum(axis=along, keepdims=True)
        return ((shifted - np.log(total)).reshape(x.shape),)


class Erf(OpRun):
    """y = erf x."""

    def _run(self, x: Array) -> tuple[Array]:
        return (np.asarray(_erf(x), x.dtype),)


_erf = np.vectorize(math.erf, otypes=[np.float64])
