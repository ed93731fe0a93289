"""A convolution and its adjoint along one axis, as shifted sums over phases of the source.

Forward, output p reads input p·stride + tap·dilation − pad: phase (tap·dilation) mod stride of
the input, shifted by (tap·dilation) div stride. The adjoint writes one phase of the input after
another, each from the taps that reach it, and reads the outputs without steps.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap of the window: the phase of the source that it reads, and how far it is shifted."""

    number: int
    phase: int
    shift: int


@dataclass(frozen=True, slots=True)
class Target:
    """The places start, start + step, … (count of them) of the result, and the taps they sum."""

    start: int
    step: int
    count: int
    taps: tuple[Tap, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a convolution in one direction.

    Place l of phase a is the source's element l·step + phases[a] − origin, zero outside of it.
    """

    step: int
    origin: int
    phases: tuple[int, ...]
    targets: tuple[Target, ...]

    @property
    def count(self) -> int:
        """Places that the longest target has."""
        return max(target.count for target in self.targets)

    @property
    def reach(self) -> int:
        """How far the taps shift at most."""
        return max((tap.shift for target in self.targets for tap in target.taps), default=0)


def forward_axis(stride: int, pad: int, dilation: int, taps: int, windows: int) -> Axis:
    """Describe z_p = Σ_m w_m · x(p·stride + m·dilation − pad)."""
    phases = tuple(sorted({m * dilation % stride for m in range(taps)}))
    read = tuple(
        Tap(m, phases.index(m * dilation % stride), m * dilation // stride) for m in range(taps)
    )
    return Axis(stride, pad, phases, (Target(0, 1, windows, read),))


def adjoint_axis(stride: int, pad: int, dilation: int, taps: int, size: int) -> Axis:
    """Describe g_i = Σ_m w_m · s_p over the windows p with p·stride + m·dilation − pad = i."""
    firsts = [-((phase - pad) // stride) for phase in range(stride)]
    shifts = [m * dilation // stride for m in range(taps)]
    # Places are counted from the first window that any tap of any phase reads.
    origin = max(shifts[m] - firsts[m * dilation % stride] for m in range(taps))
    targets = []
    for phase, first in enumerate(firsts):
        start = first * stride + phase - pad
        count = max(0, -(-(size - start) // stride))
        reached = [m for m in range(taps) if m * dilation % stride == phase]
        read = tuple(Tap(m, 0, origin + first - shifts[m]) for m in reached)
        targets.append(Target(start, stride, count, read))
    return Axis(1, origin, (0,), tuple(target for target in targets if target.count))
