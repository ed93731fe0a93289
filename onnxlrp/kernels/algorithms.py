"""Which algorithm computes a convolution, in which direction, and the weights it holds for that."""

from __future__ import annotations

import math
import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import _task as the
from onnxlrp.kernels.axes import Axis, adjoint_axis, forward_axis
from onnxlrp.kernels.blocks import Blocks, cut
from onnxlrp.kernels.crew import Numbers, Task
from onnxlrp.kernels.depthwise import prepare_depthwise
from onnxlrp.kernels.epilogues import Epilogue
from onnxlrp.kernels.geometry import ConvGeometry, Sizes
from onnxlrp.kernels.packing import Packed, pack
from onnxlrp.kernels.pointwise import LEAST_POSITIONS, Pointwise
from onnxlrp.kernels.scratch import address
from onnxlrp.kernels.stencil import TapNumbers, prepare_stencil
from onnxlrp.kernels.threads import get_num_threads
from onnxlrp.kernels.winograd import Winograd, prepare_winograd, tile_output

Array = NDArray[np.float32]

#: Multiplications, and numbers that pass through memory, that one thread manages in a second.
_SPEED, _TRAFFIC = 3e10, 2e9
#: Shapes whose plans are kept.
_PLANNED = 64
#: Winograd's convolution pays from so many channels on either side, and so many outputs.
_CHANNELS = 8
_OUTPUTS = 64


#: What an algorithm is prepared for: a stencil for sizes of the source and of out, a pointwise
#: product for all of them, Winograd's convolution for tiles of a size.
_Key = tuple[Sizes, Sizes] | type[Pointwise] | int


class Algorithm(Protocol):
    """What cuts a convolution into jobs."""

    def plan(self, source: Sizes, out: Sizes, numbers: Numbers) -> tuple[Numbers, int]:
        """Write into a task what its jobs do; return their table and the memory that one needs."""


class Direction:
    """One direction of a convolution: from its input to its output, or the adjoint.

    The weights of each algorithm are made on first use; several threads may ask at once.
    """

    def __init__(
        self, weight: Array, geometry: ConvGeometry, adjoint: bool, alike: tuple[int, int]
    ):
        self._geometry = geometry
        self._adjoint = adjoint
        # (group, result, channel, taps): the adjoint swaps what is a result and what a channel.
        by_group = weight.reshape(geometry.groups, -1, *weight.shape[1:])
        self._weight = by_group.swapaxes(1, 2) if adjoint else by_group
        self._taps = weight.shape[2:]
        self._is_pointwise = _reads_one_position(geometry, self._taps)
        self._is_winograd = self._taps == (3, 3) and _has_no_steps(geometry)
        pairs = zip(weight.shape, alike, strict=False)
        self._is_winograd &= min(channels // copies for channels, copies in pairs) >= _CHANNELS
        self._packed: dict[TapNumbers, Packed] = {}
        self._prepared: dict[_Key, Algorithm] = {}
        self._planned: dict[tuple[Sizes, Sizes, int], Task] = {}
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of the weights that the algorithms hold."""
        held = list(self._packed.values())
        held += [a.packed for a in self._prepared.values() if isinstance(a, Winograd)]
        return sum(packed.weights.nbytes for packed in held)

    def task(self, source: Array, out: Array, then: Epilogue | None = None) -> Task:
        """Computing `out` from `source`, both in C order, and doing to it what comes then."""
        key = (source.shape, out.shape, get_num_threads())
        planned = self._planned.get(key) or self._plan(*key)
        numbers, arrays = planned.numbers.copy(), {the.SOURCE: source, the.OUT: out}
        if then is not None:
            arrays |= then.write(numbers)
        _, memory, seconds, _, alive, places = planned
        return Task.on(numbers, memory, seconds, arrays, alive, places)

    def _plan(self, source: Sizes, out: Sizes, threads: int) -> Task:
        """Cut the work between arrays of these shapes, all but their addresses; kept."""
        numbers = np.zeros(the.SIZE, np.int64)
        numbers[the.OUT_NUMBERS : the.PLACES + 1] = math.prod(out), out[1], math.prod(out[2:])
        if 0 in source or 0 in out:
            algorithm: Algorithm = Zeros()
        else:
            algorithm = self._algorithm(source[2:], out[2:])
        shapes = source, out
        if isinstance(algorithm, Blocks):
            shapes = _three_axes(source), _three_axes(out)
        table, memory = algorithm.plan(*shapes, numbers)
        numbers[the.COUNT], numbers[the.JOBS] = len(table), address(table)
        places = algorithm.places(table) if isinstance(algorithm, Pointwise) else None
        seconds, alive = self._seconds(source, out), (table, algorithm)
        planned = Task(numbers, memory, seconds, {}, alive, places)
        if len(self._planned) >= _PLANNED:
            self._planned.clear()
        self._planned[source, out, threads] = planned
        return planned

    def _seconds(self, source: Sizes, out: Sizes) -> float:
        """What one thread takes, about: it multiplies, and reads and writes memory."""
        windows = math.prod(source if self._adjoint else out)
        inputs = self._weight.shape[1 if self._adjoint else 2]
        multiplications = windows * inputs * math.prod(self._taps)
        seconds = multiplications / _SPEED + (math.prod(source) + math.prod(out)) / _TRAFFIC
        return float(seconds)

    def _algorithm(self, source: Sizes, out: Sizes) -> Algorithm:
        """Choose by the geometry and the size of one sample alone; prepare it once."""
        if self._is_pointwise and math.prod(out) >= LEAST_POSITIONS:
            key: _Key = Pointwise
        elif self._is_winograd and math.prod(out) >= _OUTPUTS:
            key = tile_output(*out)
        else:
            key = (source, out)
        with self._lock:
            if key not in self._prepared:
                self._prepared[key] = self._prepare(key)
            return self._prepared[key]

    def _prepare(self, key: _Key) -> Algorithm:
        """Make the weights and the plan of an algorithm."""
        if isinstance(key, tuple):
            source, out = key
            windows, size = (source, out) if self._adjoint else (out, source)
            groups, results, channels = self._weight.shape[:3]
            shape = (groups, results, channels)
            stencil = prepare_stencil(self._axes(windows, size), shape, self._pack)
            direct = prepare_depthwise(stencil) if len(size) == 2 else None
            return direct or cut(stencil)
        if not isinstance(key, int):
            return Pointwise(self._pack(((0,), (0,), (0,))))
        weight, origin = self._weight[0], self._geometry.pads_begin
        if self._adjoint:
            weight, origin = weight[..., ::-1, ::-1], tuple(2 - pad for pad in origin)
        return prepare_winograd(weight, (origin[0], origin[1]), key)

    def _axes(self, windows: Sizes, size: Sizes) -> tuple[Axis, Axis, Axis]:
        """Describe this direction along three axes, for an input of this size."""
        geometry = self._geometry
        numbers = (geometry.strides, geometry.pads_begin, geometry.dilations, self._taps)
        if self._adjoint:
            axes = [adjoint_axis(*of) for of in zip(*numbers, size, strict=True)]
        else:
            axes = [forward_axis(*of) for of in zip(*numbers, windows, strict=True)]
        plain = forward_axis(1, 0, 1, 1, 1)
        if len(axes) == 1:
            return plain, axes[0], plain
        depth, rows, columns = axes if len(axes) == 3 else (plain, *axes)
        return depth, rows, columns

    def _pack(self, taps: TapNumbers) -> Packed:
        """Pack the weights of some taps; kept, since sizes of the input share them."""
        if taps not in self._packed:
            weight = self._weight.reshape(_three_axes(self._weight.shape, first=3))
            depth, rows, columns = np.ix_(*taps)
            part = weight[:, :, :, depth, rows, columns]
            matrices = part.reshape(*weight.shape[:2], -1)
            self._packed[taps] = pack(matrices, spill=not self._is_pointwise)
        return self._packed[taps]


class Zeros:
    """A result without anything to sum."""

    def plan(self, source: Sizes, out: Sizes, numbers: Numbers) -> tuple[Numbers, int]:
        """Write into a task that its jobs, one a sample, sum nothing."""
        numbers[the.KIND] = the.ZEROS
        jobs = 0 if 0 in out else out[0]
        return np.zeros((jobs, 1), np.int64), 2 * math.prod(out[1:])


def _has_no_steps(geometry: ConvGeometry) -> bool:
    """Whether windows and taps are neighbours, of all channels."""
    return max(geometry.strides + geometry.dilations) == 1 and geometry.groups == 1


def _reads_one_position(geometry: ConvGeometry, taps: Sizes) -> bool:
    """Whether each window reads just its own position."""
    pads = geometry.pads_begin + geometry.pads_end
    return max(taps + geometry.strides) == 1 and max(pads) == 0 and geometry.groups == 1


def _three_axes(shape: Sizes, first: int = 2) -> Sizes:
    """Look at the spatial axes as depth, rows and columns; a single one lies along the rows."""
    size = shape[first:]
    three = (1, *size, 1) if len(size) == 1 else (1,) * (3 - len(size)) + size
    return (*shape[:first], *three)
