"""onnx's reference evaluator in float64; our operators replace its slow and wrong ones.

Slow: convolutions and pools. Another operation: batch normalisation, LRN, softmax before opset 13,
resizing before opset 11, global max-pools that are not 2-D. Rounded to float32: erf. Failing: tiny
softmaxes under a logarithm, negative pads, fewer indices than data. Missing: the old Scatter.
"""

from __future__ import annotations

from typing import Any

import onnx
from onnx.reference import ReferenceEvaluator

from onnxlrp.runtime.reference.convolution import Conv, ConvTranspose
from onnxlrp.runtime.reference.elementwise import LRN, BatchNormalization, Erf, LogSoftmax, Softmax
from onnxlrp.runtime.reference.indexing import GatherElements, Scatter
from onnxlrp.runtime.reference.pooling import AveragePool, GlobalMaxPool, MaxPool
from onnxlrp.runtime.reference.rearrange import Pad, Resize, Upsample
from onnxlrp.runtime.reference.widen import widen, widened

__all__ = ["OPERATORS", "Evaluator", "missing", "widen"]

OPERATORS = (
    AveragePool, BatchNormalization, Conv, ConvTranspose, Erf, GatherElements, GlobalMaxPool, LRN,
    LogSoftmax, MaxPool, Pad, Resize, Scatter, Softmax, Upsample,
)  # fmt: skip
"""Our operators, by class name."""


class Evaluator(ReferenceEvaluator):
    """Evaluates graphs, their sub-graphs and the bodies of operators with our operators."""

    def __init__(self, proto: Any, **options: Any) -> None:
        if isinstance(proto, onnx.FunctionProto):
            proto = widened(proto)
        super().__init__(proto, **{"new_ops": list(OPERATORS), **options})


def missing(proto: onnx.ModelProto) -> list[str]:
    """Name the nodes that there is no operator for: "fold_1 (GridSample)"."""
    found = []
    for node in proto.graph.node:
        alone = onnx.ModelProto(ir_version=proto.ir_version, opset_import=proto.opset_import)
        alone.graph.input.extend(proto.graph.input)
        alone.graph.node.append(node)
        try:
            Evaluator(alone)
        except Exception:  # RuntimeError, NotImplementedError, TypeError: they say no more
            found.append(f"{node.name or node.output[0]} ({node.op_type})")
    return found
