"""Where results come from: the network, its input, and the versions of what computed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from onnxlrp import __version__
from onnxlrp.graph.model import Model
from onnxlrp.report.findings import Findings


def versions() -> dict[str, str]:
    """Versions of what computes results."""
    import onnxruntime  # its distribution has several names: ask the library itself

    return {
        "onnxlrp": __version__,
        "onnxruntime": str(onnxruntime.__version__),
        "numpy": version("numpy"),
        "numba": version("numba"),
    }


def about_model(model: Model) -> dict[str, Any]:
    """Describe a network as plain data."""
    preprocessing = model.preprocessing
    return {
        "name": model.name,
        "sha256": model.sha256,
        "explained": model.explained,
        "preprocessing": None if preprocessing is None else preprocessing.to_dict(),
    }


def settings_of(findings: Findings) -> dict[str, Any]:
    """Gather everything that results depend on, as plain data."""
    gathered: dict[str, Any] = {
        "model": about_model(findings.model),
        "designs": {name: design.to_dict() for name, design in findings.designs.items()},
    }
    if findings.pictures:
        gathered["pictures"] = {
            shown.name: {
                design: {"target": int(result.target[0]), "provider": result.provider}
                for design, result in shown.results.items()
            }
            for shown in findings.pictures
        }
    if findings.flipping is not None:
        flipped = findings.flipping
        gathered["flipping"] = {"score": flipped.score, **flipped.settings}
    if findings.ablations:
        gathered["ablations"] = [
            {key: getattr(each.found, key, None) for key in ("layers", "layer", "mode", "ranking")}
            for each in findings.ablations
        ]
    if findings.evaluation is not None:
        gathered["evaluation"] = asdict(findings.evaluation.settings)
    if findings.settings:
        gathered["settings"] = dict(findings.settings)
    return {**_plain(gathered), "versions": versions()}


def _plain(value: Any) -> Any:
    """Return what JSON can hold; an array is named by its shape, nothing is left out."""
    if isinstance(value, Mapping):
        kept = {key: each for key, each in value.items() if each is not None}
        return {str(key): _plain(each) for key, each in kept.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if isinstance(value, np.generic):
        return value.item()
    return value
