"""Element-wise affine layers that could not be merged: BatchNormalization, ·c, /c."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import Array, Linear, LinearMap, Shape, operation
from onnxlrp.ops.broadcast import sum_to_shape


class ScaleMap:
    """z = x·w element by element, w broadcasting over x."""

    def __init__(self, weight: Array) -> None:
        self._weight = weight

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self._weight.nbytes)

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        return np.broadcast_to(xs[0] * self._weight, out_shape)

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        return (sum_to_shape(s * self._weight, in_shapes[0]),)


class ChannelScaleMap:
    """z = x·w with one weight a channel (axis 1)."""

    def __init__(self, weight: Array) -> None:
        self._weight = weight

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self._weight.nbytes)

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        return xs[0] * along_channels(self._weight, len(out_shape))

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        return (s * along_channels(self._weight, s.ndim),)


def along_channels(values: Array, rank: int) -> Array:
    """(C,) shaped to broadcast along axis 1 of a tensor of that rank."""
    return values.reshape((-1,) + (1,) * (rank - 2))


class Scaling(Linear):
    """z = a·w + b with one weight an element, a channel, or a tensor."""

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the output has no negative element."""
        return (
            inputs
            and bool((self.weight >= 0).all())
            and (self.bias is None or bool((self.bias >= 0).all()))
        )

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The scaling with weights ``see(w)``."""
        return ScaleMap(see(self.weight))


@operation("BatchNormalization")
class BatchNormalization(Scaling):
    """y = (x − mean)/√(var + ε)·scale + B on axis 1, in inference mode."""

    treatment: ClassVar[str] = (
        "merged into the linear layer before it; elsewhere affine, by rule (ε)"
    )

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        if self.node.attributes.get("training_mode", 0):
            raise self.unsupported("training mode; export the network in inference mode")
        if not self.node.attributes.get("spatial", 1):
            raise self.unsupported("statistics of each position (spatial = 0) have no rule here")
        if not all(self.is_constant(i) for i in range(1, 5)):
            raise self.unsupported("its statistics are computed by the network, not constant")
        scale, shift, mean, var = (np.asarray(self.constant(i), np.float64) for i in range(1, 5))
        w = scale / np.sqrt(var + float(self.node.attributes.get("epsilon", 1e-5)))
        self.weight = w.astype(np.float32)
        offset = (shift - mean * w).astype(np.float32)
        self.bias = offset if offset.any() else None

    def bias_at(self, rank: int) -> Array | None:
        """The bias (C,), shaped to broadcast along axis 1 of a tensor of that rank."""
        return None if self.bias is None else along_channels(self.bias, rank)

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The scaling of every channel with weights ``see(w)``."""
        return ChannelScaleMap(see(self.weight))


class ConstantFactor(Scaling):
    """x·c or x/c: a factor passes relevance, whatever its size."""

    treatment: ClassVar[str] = "merged into the linear layer before it; elsewhere passes relevance"
    default_rule: ClassVar[str] = "pass"

    def __init__(self, layer: Layer, model: Model, signal: int, factor: Array) -> None:
        super().__init__(layer, model)
        self.signals = (signal,)
        self.weight = factor
