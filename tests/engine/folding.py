"""Batch normalisation folded into the convolutions before it, in float32, as converters do it."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper


def fold_batch_normalization(proto):
    """Replace w by w·s and b by B + (b − mean)·s with s = scale/√(var + ε), one s a channel."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    nodes = []
    for node in proto.graph.node:
        if node.op_type != "BatchNormalization":
            nodes.append(node)
            continue
        conv = next(earlier for earlier in nodes if node.input[0] in earlier.output)
        assert conv.op_type == "Conv"
        w, bias = (
            arrays[conv.input[1]],
            [arrays[name] for name in conv.input[2:]] or [np.float32(0)],
        )
        scale, shift, mean, var = (arrays[name] for name in node.input[1:])
        (epsilon,) = (np.float32(a.f) for a in node.attribute if a.name == "epsilon")
        s = scale / np.sqrt(var + epsilon)
        made = {
            f"{node.output[0]}_w": w * s.reshape(-1, *(1,) * (w.ndim - 1)),
            f"{node.output[0]}_b": shift + (bias[0] - mean) * s,
        }
        proto.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in made.items())
        conv.input[1:] = made
        conv.output[0] = node.output[0]
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del proto.graph.node[:]
    proto.graph.node.extend(kept)
    return proto
