"""Sliding windows as ONNX attributes describe them: kernel, strides, dilations, pads, auto_pad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onnxlrp.ops.base import Operation, Shape


def as_ints(value: Any, count: int, default: int) -> tuple[int, ...]:
    """An attribute as ``count`` ints, or that many defaults if it is absent or empty."""
    return tuple(int(v) for v in value) if value is not None and len(value) else (default,) * count


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides over 1 to 3 spatial axes."""

    kernel: Shape
    strides: Shape
    dilations: Shape
    explicit: tuple[Shape, Shape]
    auto_pad: str

    @classmethod
    def of(cls, op: Operation, kernel: Sequence[int]) -> Window:
        """Read a node's attributes; refuses ranks and pads that have no kernel."""
        attributes = op.node.attributes
        rank = len(kernel)
        if not 1 <= rank <= 3:
            raise op.unsupported(f"{rank} spatial axes; 1 to 3 are supported")
        pads = as_ints(attributes.get("pads"), 2 * rank, 0)
        if min(pads) < 0:
            raise op.unsupported(f"negative pads {pads}")
        auto_pad = str(attributes.get("auto_pad") or "NOTSET")
        if auto_pad not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
            raise op.unsupported(f"auto_pad {auto_pad!r} is unknown")
        explicit = (pads[:rank], pads[rank:]) if auto_pad == "NOTSET" else ((0,) * rank,) * 2
        return cls(
            kernel=tuple(int(k) for k in kernel),
            strides=as_ints(attributes.get("strides"), rank, 1),
            dilations=as_ints(attributes.get("dilations"), rank, 1),
            explicit=explicit,
            auto_pad=auto_pad,
        )

    @property
    def extent(self) -> Shape:
        """How far the window reaches: dilation·(kernel − 1) + 1."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    def pads(self, spatial: Shape, dilated: bool = True) -> tuple[Shape, Shape]:
        """Padding at begin and end of each axis for an input of this spatial shape.

        onnxruntime pads a convolution for the dilated kernel, a pool for the plain one.
        """
        if self.auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
            return self.explicit
        reach = self.extent if dilated else self.kernel
        begin, end = [], []
        for size, stride, extent in zip(spatial, self.strides, reach, strict=True):
            total = max((-(-size // stride) - 1) * stride + extent - size, 0)
            small, large = total // 2, total - total // 2
            begin.append(small if self.auto_pad == "SAME_UPPER" else large)
            end.append(large if self.auto_pad == "SAME_UPPER" else small)
        return tuple(begin), tuple(end)
