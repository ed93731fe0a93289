"""Resize, Upsample and Pad in float64."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

from onnxlrp.interpolation import ROUNDINGS, TRANSFORMS, neighbours, positions

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Linear, or nearest where there is a rounding."""

    transform: str
    rounding: str | None

    def along(self, x: Array, axis: int, out: int, scale: np.float32) -> Array:
        """Resize one axis."""
        size = x.shape[axis]
        if out == size and scale == 1:
            return x
        if self.rounding is not None:
            return x.take(neighbours(self.transform, self.rounding, size, out, scale), axis)
        places = np.clip(positions(self.transform, size, out, scale), 0, size - 1)
        low = np.floor(places).astype(np.int64)
        share = (places - low).reshape((-1,) + (1,) * (x.ndim - 1 - axis))
        high = np.minimum(low + 1, size - 1)
        mean: Array = x.take(low, axis) * (1 - share) + x.take(high, axis) * share
        return mean


class Resize(OpRun):
    """Nearest or linear interpolation, axis by axis."""

    def _run(
        self,
        x: Array,
        roi: Any,
        scales: Array | None = None,
        sizes: NDArray[np.int64] | None = None,
        antialias: int = 0,
        axes: Sequence[int] | None = None,
        coordinate_transformation_mode: str = "half_pixel",
        keep_aspect_ratio_policy: str = "stretch",
        mode: str = "nearest",
        nearest_mode: str = "round_prefer_floor",
        **cubic: Any,
    ) -> tuple[Array]:
        if self.run_params["opsets"][""] < 11:  # the second input were the scales then
            return (_resized_as_of_old(x, roi, mode),)
        if antialias or keep_aspect_ratio_policy != "stretch":
            raise NotImplementedError("Resize with antialias or a policy for the aspect ratio")
        linear = _known(("linear", "nearest"), mode) == "linear"
        interpolation = Interpolation(
            _known(TRANSFORMS, coordinate_transformation_mode),
            None if linear else _known(ROUNDINGS, nearest_mode),
        )
        for axis, out, scale in _resized_axes(x.shape, axes, scales, sizes):
            x = interpolation.along(x, axis, out, scale)
        return (x,)


class Upsample(OpRun):
    """Resize as it was before opset 10; the scales were an attribute first."""

    def _run(self, x: Array, scales: Any = None, mode: str = "nearest") -> tuple[Array]:
        return (_resized_as_of_old(x, np.asarray(scales), mode),)


def _resized_as_of_old(x: Array, scales: Array, mode: str) -> Array:
    """Resize with position = x/scale; nearest looks down where it enlarges, else up."""
    linear = _known(("linear", "bilinear", "nearest"), mode) != "nearest"
    for axis, out, scale in _resized_axes(x.shape, None, scales, None):
        nearest = "ceil" if scale < 1 else "floor"
        interpolation = Interpolation("asymmetric", None if linear else nearest)
        x = interpolation.along(x, axis, out, scale)
    return x


def _resized_axes(
    shape: Sequence[int],
    axes: Sequence[int] | None,
    scales: Array | None,
    sizes: NDArray[np.int64] | None,
) -> Iterator[tuple[int, int, np.float32]]:
    """Yield each axis with its new size and its scale, in float32 as onnxruntime has it."""
    for k, axis in enumerate(range(len(shape)) if axes is None else axes):
        size = np.float32(shape[axis])
        if scales is not None and scales.size:
            scale = np.float32(scales[k])
            yield axis % len(shape), int(scale * size), scale
        elif sizes is not None:
            yield axis % len(shape), int(sizes[k]), np.float32(sizes[k]) / size


def _known(names: Iterable[str], name: str) -> str:
    """Check a mode's name."""
    if name not in names:
        raise NotImplementedError(f"interpolation {name!r}; there are {', '.join(names)}")
    return name


class Pad(OpRun):
    """Add at both ends of axes, or cut where a pad is negative."""

    def _run(
        self,
        x: NDArray[Any],
        pads: Sequence[int] | NDArray[np.int64],
        value: Any = None,
        axes: Sequence[int] | NDArray[np.int64] | None = None,
        mode: Any = "constant",
    ) -> tuple[NDArray[Any]]:
        around = [(0, 0)] * x.ndim
        half = len(pads) // 2
        ends = zip(pads[:half], pads[half:], strict=True)
        for axis, (begin, end) in zip(range(x.ndim) if axes is None else axes, ends, strict=True):
            around[axis] = (int(begin), int(end))
        sides = zip(x.shape, around, strict=True)
        kept = x[tuple(slice(max(-b, 0), n + min(e, 0)) for n, (b, e) in sides)]
        added = [(max(b, 0), max(e, 0)) for b, e in around]
        if mode != "constant":
            return (np.pad(kept, added, mode=mode),)
        fill = 0 if value is None else np.ravel(value)[0]
        return (np.pad(kept, added, constant_values=fill),)
