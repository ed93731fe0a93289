"""Random geometries and arrays for property tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from onnxlrp.kernels import ConvGeometry, PoolGeometry


@dataclass(frozen=True)
class ConvCase:
    """A convolution with an input and a ratio of fitting shape."""

    geometry: ConvGeometry
    weight: NDArray[np.float32]
    x: NDArray[np.float32]
    s: NDArray[np.float32]


def _axes(draw: st.DrawFn, axes: int, low: int, high: int) -> tuple[int, ...]:
    return tuple(draw(st.integers(low, high)) for _ in range(axes))


def normal(seed: int, *shape: int) -> NDArray[np.float32]:
    """Draw standard normal numbers, float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@st.composite
def conv_cases(draw: st.DrawFn, depthwise: bool = False) -> ConvCase:
    """Any stride, padding, dilation, group, batch and number of axes."""
    axes = draw(st.integers(1, 3))
    strides, dilations = _axes(draw, axes, 1, 3), _axes(draw, axes, 1, 2)
    begin, end = _axes(draw, axes, 0, 3), _axes(draw, axes, 0, 3)
    kernel, groups = _axes(draw, axes, 1, 4), draw(st.integers(1, 3))
    channels = 1 if depthwise else draw(st.integers(1, 5))
    kernels = groups * draw(st.integers(1, 5))
    geometry = ConvGeometry(strides, begin, end, dilations, groups)
    spatial = tuple(
        draw(st.integers(max(1, d * (k - 1) + 1 - b - e), 12))
        for d, k, b, e in zip(dilations, kernel, begin, end, strict=True)
    )
    return conv_case(geometry, (kernels, channels, *kernel), draw(st.integers(1, 2)), spatial)


@st.composite
def depthwise_cases(draw: st.DrawFn) -> ConvCase:
    """Many small groups on rows of any length, padded in any way; some windows see no input."""
    strides, dilations = _axes(draw, 2, 1, 3), _axes(draw, 2, 1, 2)
    begin, end = _axes(draw, 2, 0, 3), _axes(draw, 2, 0, 3)
    kernel, groups = (
        draw(st.sampled_from([(3, 3), (5, 5), (2, 3), (1, 4)])),
        draw(st.integers(2, 9)),
    )
    geometry = ConvGeometry(strides, begin, end, dilations, groups)
    spatial = tuple(
        draw(st.integers(max(1, d * (k - 1) + 1 - b - e), most))
        for d, k, b, e, most in zip(dilations, kernel, begin, end, (11, 40), strict=True)
    )
    weight = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2)), *kernel
    return conv_case(geometry, weight, draw(st.integers(1, 2)), spatial)


@st.composite
def winograd_cases(draw: st.DrawFn) -> ConvCase:
    """Any 3×3 convolution without steps, with many channels; some windows see padding alone."""
    begin, end = _axes(draw, 2, 0, 4), _axes(draw, 2, 0, 4)
    geometry = ConvGeometry((1, 1), begin, end, (1, 1), 1)
    kernels, channels = draw(st.integers(8, 13)), draw(st.integers(8, 13))
    spatial = draw(st.integers(3, 22)), draw(st.integers(3, 70))
    return conv_case(geometry, (kernels, channels, 3, 3), draw(st.integers(1, 2)), spatial)


def conv_case(
    geometry: ConvGeometry, weight: tuple[int, ...], samples: int, spatial: tuple[int, ...]
) -> ConvCase:
    """Make a case of these shapes."""
    windows = geometry.output_size(spatial, weight[2:])
    return ConvCase(
        geometry,
        normal(0, *weight),
        normal(1, samples, weight[1] * geometry.groups, *spatial),
        normal(2, samples, weight[0], *windows),
    )


@st.composite
def pool_cases(
    draw: st.DrawFn,
) -> tuple[PoolGeometry, tuple[int, ...], tuple[int, ...]]:
    """Draw a pooling, the spatial size of its input and of its output (ceil mode included)."""
    axes = draw(st.integers(1, 3))
    kernel, strides = _axes(draw, axes, 1, 4), _axes(draw, axes, 1, 3)
    begin, end = _axes(draw, axes, 0, 2), _axes(draw, axes, 0, 2)
    geometry = PoolGeometry(kernel, strides, begin, end, _axes(draw, axes, 1, 2))
    return geometry, _axes(draw, axes, 1, 9), _axes(draw, axes, 1, 6)
