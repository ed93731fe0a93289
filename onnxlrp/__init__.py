"""onnxlrp: explain any convolutional network from its ONNX file by relevance propagation.

The names below load on first use, so that ``import onnxlrp`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxlrp import assets as assets
    from onnxlrp.composites import Composite as Composite
    from onnxlrp.errors import OnnxLrpError as OnnxLrpError
    from onnxlrp.explainer import Explainer as Explainer
    from onnxlrp.explainer import Result as Result
    from onnxlrp.explainer import explain as explain
    from onnxlrp.graph.load import load as load
    from onnxlrp.graph.model import Layer as Layer
    from onnxlrp.graph.model import Model as Model
    from onnxlrp.preprocess import Preprocessing as Preprocessing
    from onnxlrp.target import Target as Target

__version__ = "0.1.0"

_HOMES = {
    "Composite": "onnxlrp.composites",
    "Explainer": "onnxlrp.explainer",
    "Layer": "onnxlrp.graph.model",
    "Model": "onnxlrp.graph.model",
    "OnnxLrpError": "onnxlrp.errors",
    "Preprocessing": "onnxlrp.preprocess",
    "Result": "onnxlrp.explainer",
    "Target": "onnxlrp.target",
    "explain": "onnxlrp.explainer",
    "load": "onnxlrp.graph.load",
}
_ROOMS = ("assets", "evaluate", "report", "rules")

__all__ = [*sorted(_HOMES), *_ROOMS, "__version__"]  # strings, all of them


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'onnxlrp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
