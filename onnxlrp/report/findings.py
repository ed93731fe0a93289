"""What a report is made of: results, by picture and design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.errors import InputError
from onnxlrp.evaluate import (
    AblationCurve,
    AblationResult,
    Evaluation,
    FlippingResult,
    LayerStatistics,
    Neurons,
    Ranking,
)
from onnxlrp.explainer import Result
from onnxlrp.graph.model import Model
from onnxlrp.render.colormaps import DEFAULT_COLORMAP
from onnxlrp.render.heatmap import LimitMethod

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """One picture, explained under some designs.

    Parameters
    ----------
    name : str
    results : mapping of design's name to Result
        Of this picture alone: a batch of 1. With books, the report shows where relevance went.
    picture : ndarray, uint8, (H, W, 3), optional
        What the network sees, as a person would.
    x : ndarray, the model's input shape with a batch of 1, optional
        Goes into the archive.
    statistics : mapping of design's name to LayerStatistics, optional
        Layer by layer; tells more than books, and stands for them.

    Raises
    ------
    InputError
        A result of several pictures.
    """

    name: str
    results: Mapping[str, Result]
    picture: NDArray[np.uint8] | None = None
    x: NDArray[Any] | None = None
    statistics: Mapping[str, tuple[LayerStatistics, ...]] = field(default_factory=lambda: _NOTHING)

    def __post_init__(self) -> None:
        for design, result in self.results.items():
            if len(result.relevance) != 1:
                raise InputError(
                    f"{self.name}, {design}: a result of {len(result.relevance)} pictures; a "
                    "report takes them one by one."
                )


@dataclass(frozen=True, slots=True, eq=False)
class Ablated:
    """An ablation, and the ranking of neurons that it followed.

    Parameters
    ----------
    images : tuple of str
        Names of the pictures.
    found : AblationResult or AblationCurve
        Of as many pictures, or more: what fills up a fixed batch is left out.
    neurons : tuple of Neurons
        Of every layer that was ranked.
    """

    images: tuple[str, ...]
    found: AblationResult | AblationCurve
    neurons: tuple[Neurons, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """All that a report tells. Whatever is missing is left out of it.

    Parameters
    ----------
    model : Model
    designs : mapping of name to Composite
        Shown with their equations, and with the rule of every layer.
    title : str
    pictures : tuple of Explained
    flipping : FlippingResult, optional
    ablations : tuple of Ablated
    evaluation : Evaluation, optional
        Scores, curves and failures of a data set.
    ranking : Ranking, optional
    settings : mapping
        Plain data that belongs to the results: seeds, fills, targets.
    made : datetime, optional
        When; with none, the same findings make the same page.
    limit : {"max", "percentile", "cubic"} or float
        The relevance that gets the strongest colour, for every heatmap by itself; see
        :func:`onnxlrp.render.color_limit`.
    colormap : str
        One of :func:`onnxlrp.render.colormap_names`.

    Examples
    --------
    >>> import onnxlrp
    >>> from onnxlrp.composites import Composite
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> design = Composite.preset("epsilon_plus")
    >>> result = onnxlrp.explain(model, np.ones((1, 3, 227, 227), np.float32), design, books=True)
    >>> shown = Explained("white", {"epsilon_plus": result})
    >>> findings = Findings(model, {"epsilon_plus": design}, "White", (shown,))
    >>> onnxlrp.report.report_page(findings)[:15]
    '<!doctype html>'
    """

    model: Model
    designs: Mapping[str, Composite]
    title: str = "Explanations"
    pictures: tuple[Explained, ...] = ()
    flipping: FlippingResult | None = None
    ablations: tuple[Ablated, ...] = ()
    evaluation: Evaluation | None = None
    ranking: Ranking | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    made: datetime | None = None
    limit: LimitMethod | float = "percentile"
    colormap: str = DEFAULT_COLORMAP
