"""Which region is flipped when: the order of regions, and how many a step takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.checks import choice, positive_number, whole_number
from onnxlrp.evaluate.regions import Labels

MORF: Final = "morf"
LERF: Final = "lerf"
RANDOM: Final = "random"

ORDERS: Final = (MORF, LERF, RANDOM)
"""Most relevant first, least relevant first, random."""

GROWTHS: Final = {"linear": 1, "growing": 2}
"""Regions flipped after step k of L grow as (k/L) to this power."""


def checked_orders(order: str | Sequence[str]) -> tuple[str, ...]:
    """Return the orders as a tuple without repetition.

    Raises
    ------
    InputError
        None was given, or one that does not exist.
    """
    orders = (order,) if isinstance(order, str) else tuple(dict.fromkeys(order))
    if not orders:
        raise InputError(f"order is empty: choose of {', '.join(ORDERS)}.")
    for name in orders:
        choice("order", name, ORDERS)
    return orders


def sequence(
    order: str, labels: Labels, relevance: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.int64]:
    """Regions in the order in which they are flipped: (regions,).

    Regions are ranked by the mean relevance of their pixels, so that large ones do not come first
    for their size. Regions of equal relevance keep the order of their numbers, most and least
    relevant first alike: a map that says nothing gives the same curve twice.

    Parameters
    ----------
    order : "morf", "lerf" or "random"
    labels : ndarray, int64, (pixels,)
        Region of every pixel.
    relevance : ndarray, float64, (pixels,)
    random : numpy.random.Generator
        Of the random order.

    Examples
    --------
    >>> labels, relevance = np.array([0, 0, 1, 2]), np.array([0.0, 1.0, 0.5, 2.0])
    >>> sequence("morf", labels, relevance, np.random.default_rng(0)).tolist()
    [2, 0, 1]
    """
    sizes = np.bincount(labels)
    if order == RANDOM:
        return random.permutation(len(sizes))
    mean = np.bincount(labels, relevance) / sizes
    return np.argsort(-mean if order == MORF else mean, kind="stable")


def flipped_counts(regions: int, steps: int | None, until: float, growth: str) -> NDArray[np.int64]:
    """How many regions are flipped after each step: (L + 1,) from 0 on, strictly growing.

    m_k = m_L·(k/L) linear, m_L·(k/L)² growing (1, 3, 5, … more each step), m_L = until·regions

    Parameters
    ----------
    regions : int
    steps : int or None
        L; None, or more than there are regions to flip: one region a step.
    until : float
        Share of the regions that are flipped in the end.
    growth : "linear" or "growing"

    Raises
    ------
    InputError
        A parameter out of range.

    Examples
    --------
    >>> flipped_counts(16, 4, 1.0, "linear").tolist()
    [0, 4, 8, 12, 16]
    >>> flipped_counts(16, 4, 1.0, "growing").tolist()
    [0, 1, 4, 9, 16]
    """
    power = GROWTHS[choice("growth", growth, GROWTHS)]
    if steps is not None:
        whole_number("steps", steps)
    positive_number("until", until, 1.0)
    last = max(1, round(until * regions))
    count = last if steps is None else min(steps, last)
    step = np.arange(count + 1)
    # Each step takes one region at least: no picture is run twice.
    counts = np.maximum(step, np.rint(last * (step / count) ** power))
    return counts.astype(np.int64)
