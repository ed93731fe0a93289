"""Convolution of any geometry, and its adjoint, as products of packed weights and shifted rows.

A block of rows is laid out once, padded and with its phases apart; each tap of the window is then
the same memory at another offset, and one product sums over channels and taps. A strided
convolution reads several phases and writes one result; its adjoint reads one and writes each phase
of the result from the taps that reach it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels.axes import Axis, Target
from onnxlrp.kernels.packing import Packed

Array = NDArray[np.float32]
Offsets = NDArray[np.int32]
TapNumbers = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Term:
    """One phase of the result: where it lies, and the packed weights that lead there, if any."""

    depth: Target
    rows: Target
    columns: Target
    packed: Packed | None


@dataclass(frozen=True, slots=True)
class Stencil:
    """A convolution in one direction: its geometry along three axes, and its packed weights."""

    depth: Axis
    rows: Axis
    columns: Axis
    groups: int
    results: int
    channels: int
    terms: tuple[Term, ...]

    @property
    def phases(self) -> int:
        """Phases of the source that the taps read, along rows and columns."""
        return len(self.rows.phases) * len(self.columns.phases)

    @property
    def pitch(self) -> int:
        """Numbers in one row that is laid out."""
        return self.columns.count + self.columns.reach

    def offsets(self, term: Term, plane: int) -> Offsets:
        """Offset of each (channel, tap) of a term where planes of this size are laid out."""
        depth, across = len(term.depth.taps), len(self.columns.phases)
        offsets = [
            ((c * depth + i) * self.phases + row.phase * across + column.phase) * plane
            + row.shift * self.pitch
            + column.shift
            for c, (i, _), row, column in itertools.product(
                range(self.channels), enumerate(term.depth.taps), term.rows.taps, term.columns.taps
            )
        ]
        return np.array(offsets, np.int32)


def prepare_stencil(
    axes: tuple[Axis, Axis, Axis],
    shape: tuple[int, int, int],
    packed: Callable[[TapNumbers], Packed],
) -> Stencil:
    """Describe a convolution in one direction, phase by phase.

    `shape` counts groups, results and channels of a group; `packed` packs the weights of some taps.
    """
    terms = []
    for targets in itertools.product(*(axis.targets for axis in axes)):
        depth, rows, columns = (tuple(tap.number for tap in target.taps) for target in targets)
        some = depth and rows and columns
        weights = packed((depth, rows, columns)) if some else None
        terms.append(Term(targets[0], targets[1], targets[2], weights))
    return Stencil(*axes, *shape, tuple(terms))
