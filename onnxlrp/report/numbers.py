"""The numbers of an explanation, as its NPZ holds them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.explainer import Result
from onnxlrp.graph.model import Model
from onnxlrp.report.provenance import about_model, versions


def numbers(
    model: Model, result: Result, x: NDArray[Any] | None, source: str
) -> dict[str, NDArray[Any]]:
    """Gather what the NPZ holds: arrays by name, and the metadata as JSON text.

    Parameters
    ----------
    model : Model
    result : Result
        Of one picture.
    x : ndarray, the model's input shape with a batch of 1, or None
        Left out if None.
    source : str
        Where the picture came from.
    """
    recorded = {f"tensors/{name}": values for name, values in result.tensors.items()}
    metadata = json.dumps(_metadata(model, result, source), ensure_ascii=False, indent=1)
    return {
        "relevance": result.relevance,
        **({} if x is None else {"x": x}),
        "target": result.target,
        "output": result.output,
        "metadata": np.array(metadata),
        **recorded,
    }


def target_label(model: Model, result: Result) -> str:
    """What is explained: a class's name, or the target as it was asked for."""
    return result.aim or model.label(int(result.target[0]))


def sums(result: Result) -> tuple[float, float]:
    """Σ R of one picture at the explained output, and at the input."""
    arrived = float(result.relevance.sum(dtype=np.float64))
    return (float(result.books[0].arrived.sum()) if result.books else arrived), arrived


def _metadata(model: Model, result: Result, source: str) -> dict[str, Any]:
    """Say where the numbers come from, so that they can be made again."""
    started, arrived = sums(result)
    about = about_model(model)
    preprocessing = about.pop("preprocessing")
    return {
        "input": source,
        "model": about,
        "composite": result.composite.to_dict(),
        "target": {
            "index": int(result.target[0]),
            "label": target_label(model, result),
            "score": float(result.score[0]),
        },
        "relevance": {"at_output": started, "at_input": arrived},
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
        "preprocessing": preprocessing,
        "versions": versions(),
    }
