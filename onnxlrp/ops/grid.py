"""Where the outputs of a resized axis look in the input, and with which weights (ONNX Resize)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from onnxlrp.interpolation import ROUNDINGS, TRANSFORMS, neighbours, positions
from onnxlrp.ops.base import Array, Operation, Shape


class Grid:
    """A node's way from output positions to input elements."""

    def __init__(self, op: Operation) -> None:
        attributes = op.node.attributes
        self._old = op.node.op == "Upsample" or op.model.opset < 11
        kinds = {"bilinear": "linear", "trilinear": "linear"}
        mode = str(attributes.get("mode", "nearest"))
        self.mode = kinds.get(mode, mode)
        default = "asymmetric" if self._old else "half_pixel"
        self._transform = str(attributes.get("coordinate_transformation_mode", default))
        rounding = "floor" if self._old else "round_prefer_floor"
        self._rounding = str(attributes.get("nearest_mode", rounding))
        self._cubic = float(attributes.get("cubic_coeff_a", -0.75))
        self._inside = bool(attributes.get("exclude_outside", 0))
        self._antialias = bool(attributes.get("antialias", 0))
        self._axes = attributes.get("axes")
        self._policy = str(attributes.get("keep_aspect_ratio_policy", "stretch"))
        if self.mode not in ("nearest", "linear", "cubic"):
            raise op.unsupported(f"mode {mode!r} is unknown; nearest, linear and cubic are treated")
        if self._transform not in TRANSFORMS:
            raise op.unsupported(f"coordinate transformation {self._transform!r} has no rule here")
        if self._transform == "tf_half_pixel_for_nn" and self.mode != "nearest":
            raise op.unsupported(f"{self._transform!r} is for nearest neighbours only")
        if self._rounding not in ROUNDINGS:
            raise op.unsupported(f"nearest_mode {self._rounding!r} is unknown")
        if self._policy != "stretch":
            self._sizes = np.asarray(op.constant(3))
            if self._axes is not None and min(self._axes) < 0:
                raise op.unsupported(
                    f"{self._policy} with negative axes; write them from the front"
                )

    def steps(
        self, in_shape: Shape, out_shape: Shape, scales: NDArray[np.float32] | None
    ) -> list[tuple[int, np.float32]]:
        """The axes that change, each with its scale; None: what the shapes say."""
        rank = len(in_shape)
        if in_shape == out_shape:
            return []  # onnxruntime copies then, whatever the scales: 7·1.1 is 7, too
        axes = range(rank) if self._axes is None else [int(a) % rank for a in self._axes]
        found = {axis: np.float32(out_shape[axis]) / np.float32(in_shape[axis]) for axis in axes}
        if scales is not None and scales.size:
            found = dict(zip(axes, scales.astype(np.float32), strict=True))
        elif self._policy != "stretch":
            best = min if self._policy == "not_larger" else max
            sizes = np.array([in_shape[axis] for axis in axes], np.float32)
            found = dict.fromkeys(axes, best(self._sizes.astype(np.float32) / sizes))
        return [
            (axis, scale)
            for axis, scale in found.items()
            if in_shape[axis] != out_shape[axis] or (scale != 1 and not self._antialias)
        ]

    def sources(self, size: int, out: int, scale: np.float32) -> NDArray[np.int64]:
        """The input element that every output position copies (nearest)."""
        rounding = "ceil" if self._old and scale < 1 else self._rounding
        return neighbours(self._transform, rounding, size, out, scale)

    def matrix(self, size: int, out: int, scale: np.float32) -> Array:
        """(out, size) weights of the input elements in every output."""
        x = positions(self._transform, size, out, scale)
        if self.mode == "linear" and not self._antialias:
            x = np.clip(x, 0, size - 1)
        widening = max(1.0, 1.0 / float(scale)) if self._antialias else 1.0
        radius = (1 if self.mode == "linear" else 2) * widening
        reach = math.ceil(radius)
        taps = np.floor(x)[:, None] + np.arange(-reach, reach + 2)
        weights = self._filter((taps - x[:, None]) / widening)
        if self._inside:
            weights = np.where((taps >= 0) & (taps < size), weights, 0.0)
        if self._inside or self._antialias:
            weights /= weights.sum(axis=1, keepdims=True)
        matrix = np.zeros((out, size))
        columns = np.clip(taps, 0, size - 1).astype(np.int64)
        np.add.at(matrix, (np.arange(out)[:, None], columns), weights)
        return matrix.astype(np.float32)

    def _filter(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight at a distance: a triangle, or Keys' cubic with its coefficient a."""
        d, a = np.abs(distance), self._cubic
        if self.mode == "linear":
            return np.maximum(1.0 - d, 0.0)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((d - 5) * d + 8) * d * a - 4 * a
        return np.where(d <= 1, near, np.where(d < 2, far, 0.0))
