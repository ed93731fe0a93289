"""Pools: the maximum takes all, the average shares in proportion."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.kernels import (
    PoolGeometry,
    max_pool_winner,
    window_count,
    window_sum,
    window_sum_adjoint,
)
from onnxlrp.ops.base import Array, Linear, LinearMap, Operation, Shape, Tensors, operation
from onnxlrp.ops.geometry import Window


def pool_window(op: Operation) -> Window:
    """The window of a pool; refuses what runtimes do not agree on."""
    window = Window.of(op, op.node.attributes.get("kernel_shape", ()))
    gap = max(s - k for s, k in zip(window.strides, window.kernel, strict=True))
    if window.auto_pad.startswith("SAME") and gap > (0 if max(window.dilations) > 1 else 1):
        raise op.unsupported("auto_pad with strides beyond the window; export it with pads")
    return window


def pool_geometry(window: Window, spatial: Shape) -> PoolGeometry:
    """The window's geometry over an input of this spatial shape."""
    pads = window.pads(spatial, dilated=False)
    return PoolGeometry(window.kernel, window.strides, *pads, window.dilations)


def padded_count(window: Window, spatial: Shape, out_spatial: Shape) -> Array:
    """How many taps of each window lie on the input or its padding, not beyond."""
    begin, end = window.pads(spatial, dilated=False)
    padded = tuple(b + n + e for b, n, e in zip(begin, spatial, end, strict=True))
    none = (0,) * len(spatial)
    whole = PoolGeometry(window.kernel, window.strides, none, none, window.dilations)
    return window_count(whole, padded, out_spatial)


class AverageMap:
    """z = see(1/n)·Σ over the window, n the number of taps that count."""

    def __init__(self, op: AveragePool, see: Callable[[Array], Array]) -> None:
        self._op = op
        self._see = see

    nbytes = 0

    def _weight(self, spatial: Shape, out_spatial: Shape) -> Array:
        window = self._op.window
        if self._op.counts_padding:
            count = padded_count(window, spatial, out_spatial)
        else:
            count = window_count(pool_geometry(window, spatial), spatial, out_spatial)
        return self._see(np.float32(1) / np.asarray(count, np.float32))

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        (x,) = xs
        spatial, out_spatial = x.shape[2:], out_shape[2:]
        total = window_sum(x, pool_geometry(self._op.window, spatial), out_spatial)
        total *= self._weight(spatial, out_spatial)
        return total

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        spatial, out_spatial = in_shapes[0][2:], s.shape[2:]
        weighted = s * self._weight(spatial, out_spatial)
        return (window_sum_adjoint(weighted, pool_geometry(self._op.window, spatial), spatial),)


@operation("AveragePool")
class AveragePool(Linear):
    """Mean over a window; ``count_include_pad`` decides whether padding counts."""

    treatment: ClassVar[str] = "in proportion to the activations (z-rule)"

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        attributes = self.node.attributes
        self.window = pool_window(self)
        self.counts_padding = bool(attributes.get("count_include_pad", 0))
        self.weight = np.array([1.0 / np.prod(self.window.kernel)], np.float32)

    def nonnegative(self, inputs: bool) -> bool:
        """A mean of what is not negative is not negative."""
        return inputs

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The pool with weights ``see(1/n)``."""
        return AverageMap(self, see)


@operation("MaxPool")
class MaxPool(Operation):
    """Winner takes all: relevance goes to the maximum of each window, the first one on ties.

    With the option ``max_pool="average"`` of a composite it is shared like an average pool's.
    """

    treatment: ClassVar[str] = (
        "winner takes all, first maximum on ties; option: like an average pool"
    )
    passes_silence = True
    reads_in_tasks = True

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.window = pool_window(self)
        if self.node.attributes.get("storage_order", 0):
            raise self.unsupported("storage_order 1 (column-major indices)")

    def nonnegative(self, inputs: bool) -> bool:
        """A maximum of what is not negative is not negative."""
        return inputs

    def values(self) -> tuple[str, ...]:
        """The input decides who wins."""
        return (self.node.inputs[0],)

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R of each window → its winner."""
        x = tensors.value(self.node.inputs[0])
        return (max_pool_winner(relevance, x, pool_geometry(self.window, x.shape[2:])),)

    def as_average(self) -> AveragePool:
        """The average pool over the same windows: the paper's way to treat a max-pool."""
        return AveragePool(self.layer, self.model)
