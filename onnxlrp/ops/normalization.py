"""Normalisations by the picture's own statistics: the deviation is held fixed, the mean is not."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Pass, Shape, Tensors, operation
from onnxlrp.ops.proportion import FixedMap, Proportional
from onnxlrp.ops.scaling import along_channels


class Normalization(Proportional):
    """z = (x − mean)·w/σ + b, mean and σ over a part of each picture; σ is held fixed."""

    treatment: ClassVar[str] = (
        "in proportion (z-rule), its deviation held fixed; the bias absorbs its share"
    )

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self._epsilon = float(self.node.attributes.get("epsilon", 1e-5))

    def parts(self, shape: Shape) -> tuple[Shape, tuple[int, ...]]:
        """The input's shape with its groups split off, and the axes of one group there."""
        raise NotImplementedError

    def affine(self, shape: Shape) -> tuple[Array, Array | None]:
        """Scale w and bias b, broadcasting to an input of this shape."""
        raise NotImplementedError

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """A = w/σ·(1 − mean over the group)."""
        x, z = (tensors.value(name) for name in self.values())
        split, axes = self.parts(x.shape)
        variance = x.reshape(split).var(axis=axes, keepdims=True, dtype=np.float64)
        inverse = (1.0 / np.sqrt(variance + self._epsilon)).astype(np.float32)
        scale, bias = self.affine(x.shape)

        def adjoint(s: Array) -> tuple[Array, ...]:
            g = (s * scale).reshape(split) * inverse
            g -= g.mean(axis=axes, keepdims=True, dtype=np.float32)
            return (g.reshape(x.shape),)

        return FixedMap((x,), z, adjoint, bias)

    def _channels(self, shape: Shape) -> tuple[Array, Array]:
        """Constant scale and bias (C,) at inputs 1 and 2, along axis 1."""
        scale, bias = (np.asarray(self.constant(i), np.float32) for i in (1, 2))
        if scale.size != shape[1]:  # GroupNormalization before opset 21: one number a group
            scale, bias = (np.repeat(v, shape[1] // v.size) for v in (scale, bias))
        return along_channels(scale, len(shape)), along_channels(bias, len(shape))


@operation("LayerNormalization")
class LayerNormalization(Normalization):
    """Over all axes from ``axis`` on."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self._scale = np.asarray(self.constant(1), np.float32)
        bias = self.constant(2)
        self._bias = None if bias is None else np.asarray(bias, np.float32)
        self._axis = int(self.node.attributes.get("axis", -1))
        if self._axis == 0:
            raise self.unsupported("it normalises over the batch axis and so mixes pictures")

    def parts(self, shape: Shape) -> tuple[Shape, tuple[int, ...]]:
        """The input as it is."""
        return shape, tuple(range(self._axis % len(shape), len(shape)))

    def affine(self, shape: Shape) -> tuple[Array, Array | None]:
        """Scale and bias over the last axes."""
        return self._scale, self._bias


@operation("InstanceNormalization")
class InstanceNormalization(Normalization):
    """Over the spatial axes of each channel."""

    def parts(self, shape: Shape) -> tuple[Shape, tuple[int, ...]]:
        """The input as it is."""
        return shape, tuple(range(2, len(shape)))

    def affine(self, shape: Shape) -> tuple[Array, Array | None]:
        """Scale and bias of each channel."""
        return self._channels(shape)


@operation("GroupNormalization")
class GroupNormalization(Normalization):
    """Over the spatial axes of ``num_groups`` groups of channels."""

    def parts(self, shape: Shape) -> tuple[Shape, tuple[int, ...]]:
        """(N, groups, elements of a group)."""
        groups = int(self.node.attributes["num_groups"])
        return (shape[0], groups, math.prod(shape[1:]) // groups), (2,)

    def affine(self, shape: Shape) -> tuple[Array, Array | None]:
        """Scale and bias of each channel (of each group, before opset 21)."""
        return self._channels(shape)


@operation("MeanVarianceNormalization")
class MeanVarianceNormalization(Normalization):
    """Over given axes, without scale and bias."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self._epsilon = 0.0 if self.model.opset < 9 else 1e-18  # ONNX adds 1e-9 to the deviation
        self._axes = tuple(int(a) for a in self.node.attributes.get("axes", (0, 2, 3)))
        if 0 in self._axes:
            raise self.unsupported(
                "it normalises over the batch axis and so mixes pictures; "
                "export it with axes that leave axis 0 out"
            )

    def parts(self, shape: Shape) -> tuple[Shape, tuple[int, ...]]:
        """The input as it is."""
        return shape, tuple(axis % len(shape) for axis in self._axes)

    def affine(self, shape: Shape) -> tuple[Array, Array | None]:
        """Nothing is scaled, nothing added."""
        return np.ones(1, np.float32), None


@operation("LpNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
class NormQuotient(Pass):
    """x·w/‖x‖: with the norm held fixed a factor, which passes relevance."""

    treatment: ClassVar[str] = "passes relevance, its norm held fixed"
