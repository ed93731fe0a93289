"""Convolution as a matrix product over unfolded windows: any stride, dilation and group."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _unfold as loops
from onnxlrp.kernels.geometry import ConvGeometry
from onnxlrp.kernels.threads import Job

Array = NDArray[np.float32]

#: Unfolded numbers of one block (512 KiB): they stay in a core's second-level cache.
_BLOCK = 131072

_scratch = threading.local()


def scratch(size: int) -> Array:
    """Memory of the calling thread for `size` float32 numbers, used again by the next block."""
    held: Array | None = getattr(_scratch, "memory", None)
    if held is None or held.size < size:
        held = _scratch.memory = np.empty(size, np.float32)
    return held[:size]


@dataclass(frozen=True, slots=True)
class Unfolded:
    """Convolution by unfolding blocks of windows and multiplying them with the weight matrix."""

    weight: Array
    geometry: ConvGeometry

    def forward(self, x: Array, out: Array) -> list[Job]:
        """Jobs, one for each image, group and block of output rows."""
        groups = self.geometry.groups
        kernels = len(self.weight) // groups
        windows = _three(out.shape[2:], 1)
        rows, length = windows[0] * windows[1], windows[2]
        sources = x.reshape(len(x), groups, -1, *_three(x.shape[2:], 1))
        targets = out.reshape(len(out), groups, kernels, rows * length)
        matrices = self.weight.reshape(groups, kernels, -1)
        step = max(1, _BLOCK // max(1, matrices.shape[2] * length))

        def block(n: int, group: int, first: int) -> None:
            last = min(first + step, rows)
            columns = scratch(matrices.shape[2] * (last - first) * length)
            loops.unfold(sources[n, group], *self._numbers(windows), first, last, columns)
            target = targets[n, group, :, first * length : last * length]
            np.matmul(matrices[group], columns.reshape(matrices.shape[2], -1), out=target)

        return [
            partial(block, n, group, first)
            for n in range(len(x))
            for group in range(groups)
            for first in range(0, rows, step)
        ]

    def adjoint(self, s: Array, out: Array) -> list[Job]:
        """Jobs, one for each image, group and range of input channels: no two share an element."""
        groups = self.geometry.groups
        kernels, channels = self.weight.shape[0] // groups, self.weight.shape[1]
        windows = _three(s.shape[2:], 1)
        rows, length = windows[0] * windows[1], windows[2]
        sources = s.reshape(len(s), groups, kernels, rows * length)
        targets = out.reshape(len(out), groups, channels, *_three(out.shape[2:], 1))
        matrices = self.weight.reshape(groups, kernels, channels, -1)
        taps = matrices.shape[3]
        share = max(1, min(-(-channels // 4), _BLOCK // (taps * length) or 1))
        step = max(1, _BLOCK // max(1, share * taps * length))

        def part(n: int, group: int, low: int) -> None:
            matrix = matrices[group, :, low : low + share].reshape(kernels, -1)
            target = targets[n, group, low : low + share]
            target[...] = 0.0
            for first in range(0, rows, step):
                last = min(first + step, rows)
                columns = scratch(matrix.shape[1] * (last - first) * length)
                source = sources[n, group, :, first * length : last * length]
                np.matmul(matrix.T, source, out=columns.reshape(matrix.shape[1], -1))
                loops.fold(columns, *self._numbers(windows), first, last, target)

        return [
            partial(part, n, group, low)
            for n in range(len(s))
            for group in range(groups)
            for low in range(0, channels, share)
        ]

    def _numbers(self, windows: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """Taps, strides, pads, dilations and windows along three axes."""
        geometry = self.geometry
        return (
            _three(self.weight.shape[2:], 1),
            _three(geometry.strides, 1),
            _three(geometry.pads_begin, 0),
            _three(geometry.dilations, 1),
            windows,
        )


def _three(values: tuple[int, ...], missing: int) -> tuple[int, ...]:
    """Give the values three axes, the missing ones in front."""
    return (missing,) * (3 - len(values)) + tuple(values)
