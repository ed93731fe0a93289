"""The numbers of an explanation, as its NPZ holds them."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp import __version__
from onnxlrp.cli.explaining import Explanation
from onnxlrp.graph.model import Model


def numbers(model: Model, explanation: Explanation) -> dict[str, NDArray[Any]]:
    """Gather what the NPZ holds: arrays by name, and the metadata as JSON text."""
    result = explanation.result
    recorded = {f"tensors/{name}": values for name, values in result.tensors.items()}
    metadata = json.dumps(_metadata(model, explanation), ensure_ascii=False, indent=1)
    return {
        "relevance": result.relevance,
        "x": explanation.sample.x,
        "target": result.target,
        "output": result.output,
        "metadata": np.array(metadata),
        **recorded,
    }


def _metadata(model: Model, explanation: Explanation) -> dict[str, Any]:
    """Say where the numbers come from, so that they can be made again."""
    result, preprocessing = explanation.result, model.preprocessing
    return {
        "input": explanation.sample.source,
        "model": {"name": model.name, "sha256": model.sha256, "explained": model.explained},
        "composite": result.composite.to_dict(),
        "target": {
            "index": explanation.target,
            "label": explanation.label(model),
            "score": explanation.score,
        },
        "relevance": {"at_output": explanation.started, "at_input": explanation.arrived},
        "layers": [
            {
                "layer": book.layer.name,
                "rule": book.rule,
                "arrived": float(book.arrived.sum()),
                "handed_on": float(book.handed.sum()),
                "absorbed_by_bias": float(book.bias.sum()),
                "absorbed_by_epsilon": float(book.epsilon.sum()),
            }
            for book in result.books
        ],
        "provider": result.provider,
        "preprocessing": None if preprocessing is None else preprocessing.to_dict(),
        "versions": {
            "onnxlrp": __version__,
            "onnxruntime": _onnxruntime_version(),
            "numpy": version("numpy"),
            "numba": version("numba"),
        },
    }


def _onnxruntime_version() -> str:
    """Ask the library itself: its distribution has several names."""
    import onnxruntime

    return str(onnxruntime.__version__)
