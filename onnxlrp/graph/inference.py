"""Opening an onnxruntime session on a ModelProto and the weights that are held beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from onnxlrp.errors import ModelError

if TYPE_CHECKING:
    import onnx
    import onnxruntime

Weights = Mapping[str, NDArray[Any]]
"""Initializer name → its values; the ModelProto beside it holds only their type and shape."""

CPU = "CPUExecutionProvider"


def open_session(
    proto: onnx.ModelProto,
    weights: Weights,
    options: onnxruntime.SessionOptions | None = None,
    providers: Sequence[tuple[str, Mapping[str, str]]] = ((CPU, {}),),
) -> onnxruntime.InferenceSession:
    """Make a session; onnxruntime reads the weights where they are instead of parsing a copy.

    Raises
    ------
    ModelError
        onnxruntime cannot run the model; says why.
    """
    import onnxruntime

    options = options or onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong arrives as an exception
    names = [tensor.name for tensor in proto.graph.initializer if tensor.name in weights]
    if names:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(weights[name]) for name in names]
        options.add_external_initializers(names, values)
    try:
        return onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=list(providers)
        )
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise ModelError(f"onnxruntime cannot run this model: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Return onnxruntime's message in one line, without codes and positions in its source."""
    text = " ".join(str(error).split()) or repr(error)
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    return re.sub(r"/\S+:\d+ .*?\)(?: const)? ", "", text)
