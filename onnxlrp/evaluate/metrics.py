"""The numbers that judge an explanation, by name, and which way each is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.checks import choice
from onnxlrp.evaluate.complexity import entropy, gini
from onnxlrp.evaluate.localisation import (
    inside_total_ratio,
    pointing_game,
    relevance_mass,
    relevance_rank,
)
from onnxlrp.evaluate.ordering import LERF, MORF, ORDERS, RANDOM
from onnxlrp.evaluate.robustness import max_sensitivity
from onnxlrp.evaluate.scoring import RANK
from onnxlrp.explainer import Result
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device

Better: TypeAlias = Literal["higher", "lower", "neither"]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One picture under one design, as the metrics see it.

    Attributes
    ----------
    model : Model
    x : ndarray, the model's input shape
    result : Result
    pixels : ndarray, float64, (pixels,)
        Relevance summed over the channels.
    region : ndarray, bool, (pixels,), or None
        Where the object is, if a metric asks for it.
    score : float
        Σ R at the output: the target's logit.
    seed : int
    device : str
    """

    model: Model
    x: NDArray[Any]
    result: Result
    pixels: NDArray[np.float64]
    region: NDArray[np.bool_] | None
    score: float
    seed: int
    device: Device


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that judges.

    Attributes
    ----------
    better : "higher", "lower" or "neither"
    orders : tuple of str
        The flipping curves it is read from; empty if ``measure`` gives it.
    measure : callable(Subject) or None
    located : bool
        Whether it needs to know where the object is.
    """

    better: Better
    orders: tuple[str, ...] = ()
    measure: Callable[[Subject], float] | None = None
    located: bool = False


def _located(measure: Callable[[ArrayLike, ArrayLike], float]) -> Metric:
    """Make a metric of a function of a map and a mask."""

    def measured(subject: Subject) -> float:
        assert subject.region is not None
        return measure(subject.pixels[None], subject.region[None])

    return Metric("higher", measure=measured, located=True)


def conservation_error(subject: Subject) -> float:
    """|Σ R at the input − Σ R at the output| / |Σ R at the output|; NaN where the latter is 0."""
    arrived = float(subject.pixels.sum())
    return abs(arrived - subject.score) / abs(subject.score) if subject.score else math.nan


def _sensitivity(subject: Subject) -> float:
    """Greatest relative change under noise; see :func:`onnxlrp.evaluate.max_sensitivity`."""
    found = max_sensitivity(
        subject.model,
        subject.x,
        subject.result.composite,
        target=subject.result.target,
        seed=[subject.seed] * len(subject.x),
        device=subject.device,
    )
    return float(found[0])


METRICS: Mapping[str, Metric] = {
    **{f"auc_{MORF}": Metric("lower", (MORF,)), f"auc_{LERF}": Metric("higher", (LERF,))},
    **{f"aopc_{MORF}": Metric("higher", (MORF,)), f"aopc_{LERF}": Metric("lower", (LERF,))},
    **{f"{area}_{RANDOM}": Metric("neither", (RANDOM,)) for area in ("auc", "aopc")},
    "abpc": Metric("higher", (MORF, LERF)),
    "entropy": Metric("lower", measure=lambda subject: entropy(subject.pixels)),
    "gini": Metric("higher", measure=lambda subject: gini(subject.pixels)),
    "conservation": Metric("lower", measure=conservation_error),
    "max_sensitivity": Metric("lower", measure=_sensitivity),
    "pointing_game": _located(pointing_game),
    "relevance_mass": _located(relevance_mass),
    "relevance_rank": _located(relevance_rank),
    "inside_weighted": _located(partial(inside_total_ratio, weighted=True)),
}
"""By name. Areas: see :mod:`onnxlrp.evaluate.curves`; conservation: :func:`conservation_error`.

The last four need to know where the object is: see :mod:`onnxlrp.evaluate.localisation`;
relevance_mass is μ of Kohlbrenner et al. 2020, inside_weighted their μ_w.
"""

SHORT: Mapping[str, str] = {"auc": f"auc_{MORF}", "aopc": f"aopc_{MORF}"}
"""Short names."""

DEFAULT = ("aopc_morf", "abpc", "entropy", "conservation")


def checked_metrics(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return the full names of metrics, each once.

    Raises
    ------
    InputError
        None was given, or one that does not exist.
    """
    given = [names] if isinstance(names, str) else list(names)
    if not given:
        raise InputError(f"metrics is empty: choose of {', '.join(METRICS)}.")
    full = [SHORT.get(name, name) for name in given]
    return tuple(dict.fromkeys(choice("metric", name, METRICS) for name in full))


def orders_of(metrics: Iterable[str], more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the flipping orders that metrics need, and more, in the usual sequence."""
    wanted = {order for name in metrics for order in METRICS[name].orders} | set(more)
    return tuple(order for order in ORDERS if order in wanted)


def better(metric: str, score: str) -> Better:
    """Which way a metric is better; a rank, unlike the other scores, rises as evidence is lost."""
    found = METRICS[metric].better
    if score == RANK and METRICS[metric].orders and found != "neither":
        return "lower" if found == "higher" else "higher"
    return found
