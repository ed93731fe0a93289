"""Tensors that do not depend on the picture: which they are, and their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelError
from onnxlrp.graph.inference import Weights, open_session, reason
from onnxlrp.graph.proto import extracted, reads

if TYPE_CHECKING:
    import onnx

_RANDOM = frozenset(
    {
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)


def constant_names(proto: onnx.ModelProto) -> frozenset[str]:
    """Name the initializers and everything computed from them alone."""
    known = {tensor.name for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type not in _RANDOM and known.issuperset(reads(node)):
            known.update(name for name in node.output if name)
    return frozenset(known)


def constant_values(
    proto: onnx.ModelProto, weights: Weights, names: Iterable[str]
) -> Mapping[str, NDArray[Any]]:
    """Return the values of constant tensors; what is computed is computed once, by onnxruntime.

    Floating-point values come as float32 in C order, others as they are; lists are left out.
    """
    from onnx import numpy_helper

    small = {t.name: t for t in proto.graph.initializer if t.name not in weights}
    wanted = list(dict.fromkeys(names))
    found: dict[str, Any] = {name: weights[name] for name in wanted if name in weights}
    found |= {name: numpy_helper.to_array(small[name]) for name in wanted if name in small}
    found |= _computed(proto, weights, [name for name in wanted if name not in found])
    arrays = {name: values for name, values in found.items() if isinstance(values, np.ndarray)}
    return {name: _single(values) for name, values in arrays.items()}


def _computed(
    proto: onnx.ModelProto, weights: Weights, names: list[str]
) -> Mapping[str, NDArray[Any]]:
    """Run the constant part of the graph."""
    if not names:
        return {}
    session = open_session(extracted(proto, names), weights)
    try:
        return dict(zip(names, session.run(names, {}), strict=True))
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise ModelError(
            f"onnxruntime cannot compute the constants {', '.join(names[:3])}: {reason(error)}"
        ) from error


def _single(values: NDArray[Any]) -> NDArray[Any]:
    """Return floating-point values as float32; read-only, C order."""
    if values.dtype.kind in "fV":  # V: bfloat16 and its kin
        values = values.astype(np.float32, copy=False)
    values = np.ascontiguousarray(values).reshape(values.shape)
    values.flags.writeable = False
    return values
