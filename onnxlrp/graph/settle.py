"""Before a graph is walked: what fixed sizes and constants decide about it is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnxlrp.graph.control import unfold_control
from onnxlrp.graph.inference import Weights
from onnxlrp.graph.model import Change
from onnxlrp.graph.sequences import unpack_sequences
from onnxlrp.graph.sizes import fold_sizes

if TYPE_CHECKING:
    import onnx


def settle(proto: onnx.ModelProto, weights: Weights) -> tuple[onnx.ModelProto, tuple[Change, ...]]:
    """Fold sizes, control flow and lists of tensors, in turn, until none is left to fold.

    ``proto`` is changed: pass a copy. What it computes stays the same, bit for bit.
    """
    changes: list[Change] = []
    while True:
        proto, sizes = fold_sizes(proto)
        proto, control = unfold_control(proto, weights)
        proto, lists = unpack_sequences(proto, weights)
        changes += [*sizes, *control, *lists]
        if not control and not lists:
            return proto, tuple(changes)
