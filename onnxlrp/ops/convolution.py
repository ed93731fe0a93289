"""Conv and ConvTranspose: the linear layers with shared weights, 1-D to 3-D."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.kernels import (
    ConvGeometry,
    ConvKernel,
    Epilogue,
    PoolGeometry,
    prepare_convolution,
    window_sum,
    window_sum_adjoint,
)
from onnxlrp.ops.base import Array, FusedMap, Linear, LinearMap, See, Shape, operation
from onnxlrp.ops.geometry import Window, as_ints


class ConvMap(FusedMap):
    """z = x ∗ W; the padding of ``auto_pad`` is settled when the input's shape is known."""

    def __init__(
        self, weight: Array, window: Window, groups: int, alike: tuple[int, int] = (1, 1)
    ) -> None:
        self._weight = weight
        self._window = window
        self._groups = groups
        self._alike = alike
        self._kernels: dict[tuple[Shape, Shape], ConvKernel] = {}
        self._of_size: dict[Shape, ConvKernel] = {}

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(kernel.nbytes for kernel in self._kernels.values()) or self._weight.nbytes

    def _kernel(self, spatial: Shape) -> ConvKernel:
        kernel = self._of_size.get(spatial)
        if kernel is None:
            kernel = self._of_size[spatial] = self._padded(self._window.pads(spatial))
        return kernel

    def _padded(self, pads: tuple[Shape, Shape]) -> ConvKernel:
        if pads not in self._kernels:
            window = self._window
            geometry = ConvGeometry(window.strides, *pads, window.dilations, self._groups)
            self._kernels[pads] = prepare_convolution(self._weight, geometry, self._alike)
        return self._kernels[pads]

    def forward(
        self, xs: tuple[Array, ...], out_shape: Shape, then: Epilogue | None = None
    ) -> Array:
        """The weighted sum, without bias."""
        return self._kernel(xs[0].shape[2:]).forward(xs[0], then=then)

    def adjoint(
        self,
        s: Array,
        in_shapes: tuple[Shape, ...],
        then: Epilogue | None = None,
        out: Array | None = None,
    ) -> tuple[Array, ...]:
        """Every input's share of s."""
        spatial = in_shapes[0][2:]
        return (self._kernel(spatial).adjoint(s, spatial, out, then),)


class UniformConvMap(FusedMap):
    """z = v·Σ over channels and window: a convolution whose weights are all the same number.

    All output channels of a group are alike, so a box filter over the channels' sum does for all.
    """

    def __init__(self, value: float, shape: Shape, window: Window, groups: int) -> None:
        self._outs = group_sums(groups, shape[0] // groups, len(shape) - 2)
        self._ins = group_sums(groups, shape[1], len(shape) - 2, value)
        self._window = window

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._outs.nbytes + self._ins.nbytes

    def forward(
        self, xs: tuple[Array, ...], out_shape: Shape, then: Epilogue | None = None
    ) -> Array:
        """The weighted sum, without bias."""
        (x,) = xs
        spatial = out_shape[2:]
        sums = window_sum(self._ins.forward(x), self._geometry(x.shape[2:]), spatial)
        return self._outs.adjoint(sums, spatial, then=then)

    def adjoint(
        self,
        s: Array,
        in_shapes: tuple[Shape, ...],
        then: Epilogue | None = None,
        out: Array | None = None,
    ) -> tuple[Array, ...]:
        """Every input's share of s."""
        spatial = in_shapes[0][2:]
        sums = window_sum_adjoint(self._outs.forward(s), self._geometry(spatial), spatial)
        return (self._ins.adjoint(sums, spatial, out, then),)

    def _geometry(self, spatial: Shape) -> PoolGeometry:
        window = self._window
        return PoolGeometry(window.kernel, window.strides, *window.pads(spatial), window.dilations)


def group_sums(groups: int, channels: int, rank: int, value: float = 1.0) -> ConvKernel:
    """Sums v·Σ over the channels of each group; the adjoint gives each channel v times its sum."""
    weight = np.full((groups, channels, *(1,) * rank), value, np.float32)
    one, none = (1,) * rank, (0,) * rank
    return prepare_convolution(weight, ConvGeometry(one, none, none, one, groups))


@operation("Conv")
class Conv(Linear):
    """Convolution (ONNX: a cross-correlation) with constant weights (K, C/groups, *kernel)."""

    interleaves: ClassVar[bool] = True

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.weight = required_weight(self)
        self.bias = channel_bias(self, 2, self.weight.shape[0])
        attributes = self.node.attributes
        self._groups = int(attributes.get("group", 1))
        self._window = Window.of(self, self.weight.shape[2:])

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The convolution with weights ``see(W)``."""
        w = see(self.weight)
        if w is not self.weight and w.size and w.min() == w.max():
            return UniformConvMap(float(w.flat[0]), w.shape, self._window, self._groups)
        return ConvMap(w, self._window, self._groups)

    @cached_property
    def merged(self) -> Linear | None:
        """The convolution with one output channel a group."""
        outs = len(self.weight) // self._groups
        if outs == 1:
            return None
        merged = copy(self)
        merged.weight, merged.bias = self.weight[::outs], None
        return merged

    @cached_property
    def _sums(self) -> ConvKernel:
        return group_sums(self._groups, len(self.weight) // self._groups, self.weight.ndim - 2)

    def merge(self, relevance: Array) -> Array:
        """Σ R over the output channels of each group."""
        return self._sums.forward(relevance)

    def prepare_interleaved(self, sees: Sequence[Sequence[See]]) -> FusedMap:
        """The convolution of channels side by side."""
        weight = interleaved(self.weight, sees, outputs=0, inputs=1)
        return ConvMap(weight, self._window, self._groups, (len(sees), len(sees[0])))


def interleaved(weight: Array, sees: Sequence[Sequence[See]], outputs: int, inputs: int) -> Array:
    """Weights as all of them see it, side by side along the axes of outputs and of inputs."""
    rows = [_in_turn([see(weight) for see in row], inputs) for row in sees]
    return _in_turn(rows, outputs)


def _in_turn(arrays: Sequence[Array], axis: int) -> Array:
    """Arrays of one shape as one, their elements along an axis in turn."""
    shape = arrays[0].shape
    return np.stack(arrays, axis=axis + 1).reshape(*shape[:axis], -1, *shape[axis + 1 :])


class ConvTransposeMap(FusedMap):
    """z = adjoint of the convolution that leads from the output back to the input."""

    def __init__(self, weight: Array, op: ConvTranspose, alike: tuple[int, int] = (1, 1)) -> None:
        self._weight = weight
        self._op = op
        self._alike = alike
        self._kernels: dict[tuple[Shape, Shape], ConvKernel] = {}

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(kernel.nbytes for kernel in self._kernels.values()) or self._weight.nbytes

    def _kernel(self, spatial: Shape, out_spatial: Shape) -> ConvKernel:
        window = self._op.window
        pads = self._op.pads(spatial, out_spatial)
        if pads not in self._kernels:
            geometry = ConvGeometry(window.strides, *pads, window.dilations, self._op.groups)
            self._kernels[pads] = prepare_convolution(self._weight, geometry, self._alike)
        return self._kernels[pads]

    def forward(
        self, xs: tuple[Array, ...], out_shape: Shape, then: Epilogue | None = None
    ) -> Array:
        """The weighted sum, without bias."""
        (x,) = xs
        spatial = out_shape[2:]
        return self._kernel(x.shape[2:], spatial).adjoint(x, spatial, then=then)

    def adjoint(
        self,
        s: Array,
        in_shapes: tuple[Shape, ...],
        then: Epilogue | None = None,
        out: Array | None = None,
    ) -> tuple[Array, ...]:
        """Every input's share of s."""
        return (self._kernel(in_shapes[0][2:], s.shape[2:]).forward(s, out, then),)


@operation("ConvTranspose")
class ConvTranspose(Linear):
    """Transposed convolution with constant weights (C, K/groups, *kernel)."""

    interleaves: ClassVar[bool] = True

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.weight = required_weight(self)
        self.groups = int(self.node.attributes.get("group", 1))
        self.bias = channel_bias(self, 2, self.weight.shape[1] * self.groups)
        self.window = Window.of(self, self.weight.shape[2:])

    def pads(self, spatial: Shape, out_spatial: Shape) -> tuple[Shape, Shape]:
        """Padding of the convolution from output to input, per axis at begin and end.

        Where ``output_shape`` or SAME asks for an output size, the padding follows from it:
        total = stride·(in − 1) + output_padding + extent − out, the odd one at the end for
        SAME_UPPER, else at the beginning (ONNX ConvTranspose).
        """
        attributes = self.node.attributes
        wanted = attributes.get("output_shape")
        automatic = self.window.auto_pad in ("SAME_UPPER", "SAME_LOWER")
        if wanted is None and not automatic:
            return self.window.explicit
        extra = as_ints(attributes.get("output_padding"), len(spatial), 0)
        begin, end = [], []
        for axis, (size, out) in enumerate(zip(spatial, out_spatial, strict=True)):
            reach = self.window.strides[axis] * (size - 1) + extra[axis]
            total = max(reach + self.window.extent[axis] - out, 0)
            small, large = total // 2, total - total // 2
            upper = self.window.auto_pad == "SAME_UPPER"
            begin.append(small if upper else large)
            end.append(large if upper else small)
        return tuple(begin), tuple(end)

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The transposed convolution with weights ``see(W)``."""
        return ConvTransposeMap(see(self.weight), self)

    def prepare_interleaved(self, sees: Sequence[Sequence[See]]) -> FusedMap:
        """The transposed convolution of channels side by side."""
        weight = interleaved(self.weight, sees, outputs=1, inputs=0)
        return ConvTransposeMap(weight, self, (len(sees[0]), len(sees)))


def required_weight(op: Linear) -> Array:
    """The constant weight at input 1, float32."""
    if not op.is_constant(1):
        raise op.unsupported("its weights are computed by the network, not constant")
    return np.asarray(op.constant(1), np.float32)


def channel_bias(op: Linear, position: int, channels: int) -> Array | None:
    """The bias at an input position, shaped (channels, 1, …) to broadcast over the output."""
    bias = op.constant(position)
    if bias is None or not np.any(bias):
        return None
    rank = op.weight.ndim - 2
    return np.asarray(bias, np.float32).reshape((channels,) + (1,) * rank)
