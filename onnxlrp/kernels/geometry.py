"""How windows lie on a grid: the geometry of a convolution and of a pooling."""

from __future__ import annotations

from dataclasses import dataclass

from onnxlrp.errors import InputError, ModelError

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConvGeometry:
    """Where the windows of a convolution lie, as ONNX's Conv means it; 1 to 3 spatial axes.

    Output p reads input p·stride − pad_begin + tap·dilation along each axis.

    Parameters
    ----------
    strides : tuple of int
        Steps between windows, one for each spatial axis, at least 1.
    pads_begin, pads_end : tuple of int
        Zeros around the input, one for each spatial axis, at least 0.
    dilations : tuple of int
        Steps between the taps of a window, one for each spatial axis, at least 1.
    groups : int
        Channels are cut into this many parts, each seen only by its part of the output channels.

    Raises
    ------
    ModelError
        If the tuples differ in length, or a number is out of range.

    Examples
    --------
    >>> ConvGeometry((2, 2), (1, 1), (1, 1), (1, 1), groups=1).output_size((7, 8), (3, 3))
    (4, 4)
    """

    strides: Sizes
    pads_begin: Sizes
    pads_end: Sizes
    dilations: Sizes
    groups: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no geometry."""
        _check_axes(self.strides, self.pads_begin, self.pads_end, self.dilations)
        if self.groups < 1:
            raise ModelError(f"groups must be at least 1, got {self.groups}")

    def output_size(self, size: Sizes, kernel: Sizes) -> Sizes:
        """Count the windows along each axis of an input of this spatial size."""
        reach = tuple(d * (k - 1) + 1 for d, k in zip(self.dilations, kernel, strict=True))
        padded = tuple(
            n + b + e for n, b, e in zip(size, self.pads_begin, self.pads_end, strict=True)
        )
        if any(p < r for p, r in zip(padded, reach, strict=True)):
            raise InputError(
                f"a window that spans {reach} does not fit into an input of {padded} with padding"
            )
        steps = zip(padded, reach, self.strides, strict=True)
        return tuple((p - r) // s + 1 for p, r, s in steps)


@dataclass(frozen=True, slots=True)
class PoolGeometry:
    """Where the windows of a pooling lie; 1 to 3 spatial axes.

    How many windows there are (ceil mode or not) is told by the output's shape.

    Parameters
    ----------
    kernel : tuple of int
        Taps of a window, one number for each spatial axis, at least 1.
    strides, pads_begin, pads_end, dilations : tuple of int
        As in `ConvGeometry`; taps in the padding do not exist.

    Raises
    ------
    ModelError
        If the tuples differ in length, or a number is out of range.
    """

    kernel: Sizes
    strides: Sizes
    pads_begin: Sizes
    pads_end: Sizes
    dilations: Sizes

    def __post_init__(self) -> None:
        """Refuse what is no geometry."""
        _check_axes(self.strides, self.pads_begin, self.pads_end, self.dilations)
        if len(self.kernel) != len(self.strides) or min(self.kernel) < 1:
            raise ModelError(
                f"kernel must be {len(self.strides)} numbers of at least 1, got {self.kernel}"
            )


def _check_axes(strides: Sizes, pads_begin: Sizes, pads_end: Sizes, dilations: Sizes) -> None:
    """One number for each of 1 to 3 axes, and none too small."""
    axes = len(strides)
    if not 1 <= axes <= 3:
        raise ModelError(f"there must be 1 to 3 spatial axes, but strides is {strides}")
    for name, values, least in (
        ("strides", strides, 1),
        ("pads_begin", pads_begin, 0),
        ("pads_end", pads_end, 0),
        ("dilations", dilations, 1),
    ):
        if len(values) != axes or min(values) < least:
            raise ModelError(f"{name} must be {axes} numbers of at least {least}, got {values}")
