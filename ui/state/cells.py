"""One cell of the comparison: what it asks, what is found, and what a map is measured by."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.evaluate import flip_pixels, pearson, spearman, ssim, top_overlap

from .designs import Design
from .explained import Explained, Map
from .jobs import Progress
from .networks import Network, Picture
from .scores import Question
from .segments import rules_of

Scale = Literal["map", "row", "all"]
"""Which maps share a colour scale."""

TOP_SHARE = 0.05
"""Share of the pixels that the top overlap looks at."""

FLIPPING: dict[str, Any] = {"order": "morf", "unit": 8, "steps": 50, "fill": "mean"}
"""How AUC and AOPC are measured: blocks of 8 × 8 pixels, the most relevant first, by their mean."""

SIMILARITIES: dict[str, Callable[[Map, Map], float]] = {
    "Pearson": pearson,
    "Spearman": spearman,
    "SSIM": ssim,
    "top 5 %": lambda a, b: top_overlap(a, b, max(1, round(TOP_SHARE * a.size))),
}
"""How like the reference column's map another one is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison.

    Attributes
    ----------
    picture : str
        SHA-256 of the picture's file.
    target : str
        As on the command line.
    """

    picture: str
    target: str = "top1"


@dataclass(frozen=True, slots=True)
class Areas:
    """What pixel flipping says of a map: see :data:`FLIPPING`."""

    auc: float
    aopc: float


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """What stands in one cell.

    Attributes
    ----------
    explained : Explained or None
    areas : Areas or None
    failed : str
        Why there is no map, in one line; "" otherwise.
    """

    explained: Explained | None = None
    areas: Areas | None = None
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a cell wants to know; two that would find the same are equal."""

    network: Network = field(compare=False)
    picture: Picture = field(compare=False)
    question: Question
    composite: Composite = field(compare=False)
    key: Hashable

    @classmethod
    def of(cls, network: Network, picture: Picture, question: Question, design: Design) -> Asked:
        """Ask for a design as it is now.

        Raises
        ------
        CompositeError
            It does not suit the network.
        """
        rules = tuple(rules_of(design.composite, network.model).items())
        options = tuple(design.composite.options.values())
        # The model's id stands for its preprocessing and labels, too; the network holds it.
        key = (id(network.model), picture.key, rules, options)
        return cls(network, picture, question, design.composite, key)


def measure(
    asked: Asked, full: NDArray[np.float32], progress: Progress, number: int, count: int
) -> Areas:
    """AUC and AOPC of one map, the one of that number among so many."""
    flipped = flip_pixels(
        asked.network.model,
        asked.picture.x,
        full,
        target=asked.question.target,
        progress=lambda done, total, _: progress(number * total + done, count * total, "flipping"),
        **FLIPPING,
    )
    return Areas(float(flipped.auc[0, 0, 0]), float(flipped.aopc[0, 0, 0]))
