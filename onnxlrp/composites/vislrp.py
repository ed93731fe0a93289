"""Reads what VisLRPDesigner saved: segments of VGG-16's layers, ten parameters each.

The files are JSON: ``{"name", "date", "time", "configuration": [segment, …]}``, each segment
``{"method", "x0", "x1", "theta0", …, "eps", "alpha", "beta"}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import Any

from onnxlrp.composites.assignment import Entry, located
from onnxlrp.composites.composite import Composite
from onnxlrp.errors import CompositeError, RuleError
from onnxlrp.graph.select import Selector
from onnxlrp.rules import Gamma, Rule, Unified, ZBox, Zero

WEIGHTED = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 34, 37)
"""Where VGG-16's 13 convolutions and 3 dense layers stand among the 38 modules of torchvision's
``features`` and ``classifier``: the positions that the program computes with."""

POSITIONS = 39
"""Segments lie within 1 to 39, positions counted from 1 on the program's ruler."""

_WORDS = {
    "theta0": "theta0",
    "theta1": "theta1",
    "gamma0": "gamma0",
    "gamma1": "gamma1",
    "gamma1p": "gamma1_plus",
    "gamma1n": "gamma1_minus",
    "gamma2": "gamma2",
    "alpha": "alpha",
    "beta": "beta",
    "eps": "epsilon",
}
"""The file's name of each parameter → the unified rule's."""

_TINY = 1e-9
"""What the program adds to every denominator."""


def is_vislrp(data: Any) -> bool:
    """Whether data read from a file is a design that VisLRPDesigner saved."""
    return isinstance(data, Mapping) and "configuration" in data and "schema" not in data


def read_vislrp(data: Mapping[str, Any]) -> Composite:
    """Make a composite from a design that VisLRPDesigner saved.

    It asks for a network of 16 weighted layers, as VGG-16 has. Each segment becomes a rule for its
    weighted layers; where segments overlap the later one wins. ε is relative to the RMS of the
    denominator, max pools share relevance as average pools do, and the first layer takes z^B,
    whatever its segment says: all as the program of Huang et al. 2021 (doi 10.1111/cgf.14302)
    computes it. Numbers that are a named rule become that rule.

    Parameters
    ----------
    data : mapping
        What the JSON file holds.

    Raises
    ------
    CompositeError
        Malformed; a weighted layer that is in no segment; a segment that lets nothing pass. Names
        the segment.

    Notes
    -----
    Two things differ. Pools hand relevance down in proportion to their inputs; the program applies
    the segment's θ, α, β and ε to them, too. LRP-γ is the form for neurons of either sign, which
    gives the program's values wherever a ReLU follows.

    Examples
    --------
    >>> numbers = dict(theta0=0, theta1=1, gamma0=0, gamma1=1, gamma1p=0.3, gamma1n=0, gamma2=0)
    >>> segment = dict(x0=1, x1=39, **numbers, eps=0, alpha=1, beta=0)
    >>> print(read_vislrp({"name": "all γ", "configuration": [segment]}).entries[0])
    depth 0 to 1 → gamma:gamma=0.3,epsilon=1e-09
    """
    segments = data.get("configuration")
    if not isinstance(segments, list) or not all(isinstance(s, Mapping) for s in segments):
        raise CompositeError("configuration must be a list of segments.")
    owners = _owners([_located(_span, number, s) for number, s in enumerate(segments, 1)])
    entries = []
    # The first layer is left out here: it always takes z^B, so its segment may say anything.
    runs = groupby(range(len(WEIGHTED)), key=lambda k: owners[k])
    for segment, layers in ((segment, list(layers)) for segment, layers in runs):
        if layers != [0]:
            rule = _located(_rule, segment + 1, segments[segment])
            entries.append(Entry(Selector(depth=_depth(layers[0], layers[-1])), rule))
    entries.append(Entry(Selector(first=True), ZBox()))
    return Composite(
        name=str(data.get("name") or "VisLRPDesigner"),
        entries=tuple(entries),
        max_pool="average",
        description=_description(data),
        weighted_layers=len(WEIGHTED),
    )


def _located(read: Any, number: int, segment: Mapping[str, Any]) -> Any:
    """Read part of a segment; an error names it, counted from 1."""
    try:
        return read(segment)
    except (CompositeError, RuleError) as error:
        raise located(error, f"segment {number}") from error


def _span(segment: Mapping[str, Any]) -> range:
    """Return the modules, counted from 0, that a segment means: x0 − 1 to x1 − 1."""
    x0, x1 = (_number(segment, key) for key in ("x0", "x1"))
    if not (x0.is_integer() and x1.is_integer() and 1 <= x0 <= x1 <= POSITIONS):
        raise CompositeError(
            f"x0 and x1 must be positions, 1 ≤ x0 ≤ x1 ≤ {POSITIONS}, got {x0:g} and {x1:g}."
        )
    return range(int(x0) - 1, int(x1))


def _owners(spans: Sequence[range]) -> list[int]:
    """Return the segment, counted from 0, of each weighted layer: the last one that covers it."""
    owners = []
    for place in WEIGHTED:
        covering = [segment for segment, span in enumerate(spans) if place in span]
        if not covering:
            raise CompositeError(
                f"VGG-16's layer {place} (counted from 0) is in no segment; "
                f"let x0 to x1 of the segments cover 1 to {POSITIONS}."
            )
        owners.append(covering[-1])
    return owners


def _rule(segment: Mapping[str, Any]) -> Rule:
    """Return the rule of a segment, by its name if it has one."""
    numbers: dict[str, Any] = {word: _number(segment, key) for key, word in _WORDS.items()}
    if not any(value for word, value in numbers.items() if word.startswith("gamma")):
        raise CompositeError("all weight parameters (gamma…) are 0, so that nothing would pass.")
    epsilon = numbers.pop("epsilon")
    if epsilon:
        rule = Unified(**numbers, epsilon=epsilon, relative=True)
        return _as_gamma(rule) or rule.named() or rule
    plain = Unified(**numbers, epsilon=0.0).named()
    if isinstance(plain, Zero):
        return plain
    rule = Unified(**numbers, epsilon=_TINY)
    return _as_gamma(rule) or rule.named() or rule


def _as_gamma(rule: Unified) -> Rule | None:
    """Return LRP-γ where the numbers are its: the program knows no neurons below zero."""
    if rule.gamma1_plus <= 0 or rule.beta:
        return None
    gamma = Gamma(rule.gamma1_plus, rule.epsilon, rule.relative)
    return gamma if gamma.as_unified() == replace(rule, mirror=True) else None


def _number(segment: Mapping[str, Any], key: str) -> float:
    """Read a number; the program takes texts of numbers, too."""
    value = segment.get(key)
    number = math.nan
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):  # no number: told below
            number = float(value)
    if not math.isfinite(number):
        raise CompositeError(f"{key} must be a number, got {value!r}.")
    return number


def _depth(first: int, last: int) -> tuple[float, float]:
    """Return the depths that hold the first to the last of these weighted layers and no other."""
    steps = len(WEIGHTED) - 1
    low = 0.0 if first == 0 else round((first - 0.5) / steps, 2)
    high = 1.0 if last == steps else round((last + 0.5) / steps, 2)
    return low, high


def _description(data: Mapping[str, Any]) -> str:
    """Say where the design is from."""
    saved = " ".join(str(data[key]) for key in ("date", "time") if key in data)
    return f"Saved by VisLRPDesigner{f', {saved}' if saved else ''}."
