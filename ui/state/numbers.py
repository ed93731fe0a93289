"""A rule as the ten numbers of the paper's four effects, and the edits of one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from onnxlrp.errors import RuleError
from onnxlrp.rules import Rule, Unified, ZBox

from .labels import named


@dataclass(frozen=True, slots=True)
class Number:
    """One of the ten numbers.

    Attributes
    ----------
    key : str
        The unified rule's field.
    symbol : str
        As the paper writes it, "γ1+".
    effect : str
        "contribution", "activation", "weight" or "suppression".
    low, high : float
        Ends of its slider; the field takes what the rule takes.
    least : float
        The slider is logarithmic from here up, 0 below; even if this is 0.
    meaning : str
        For people.
    """

    key: str
    symbol: str
    effect: str
    low: float
    high: float
    least: float
    meaning: str


NUMBERS: tuple[Number, ...] = (
    Number("alpha", "α", "contribution", 0, 4, 0, "weight of the positive contributions"),
    Number("beta", "β", "contribution", 0, 3, 0, "weight of the negative contributions, taken off"),
    Number("theta0", "θ0", "activation", 0, 1, 0, "weight of the input's root mean square"),
    Number("theta1", "θ1", "activation", 0, 1, 0, "weight of the input itself"),
    Number("gamma0", "γ0", "weight", 0, 1, 0, "weight of a constant: all connections alike"),
    Number("gamma1", "γ1", "weight", 0, 1, 0, "weight of w itself"),
    Number("gamma1_plus", "γ1+", "weight", 0, 10, 1e-3, "extra weight of what speaks for"),
    Number("gamma1_minus", "γ1-", "weight", 0, 10, 1e-3, "extra weight of what speaks against"),
    Number("gamma2", "γ2", "weight", 0, 1, 0, "weight of w squared"),
    Number("epsilon", "ε", "suppression", 0, 10, 1e-9, "absorbs weak and contradictory relevance"),
)
"""The ten numbers, in the order of the four effects."""

_BY_KEY = {number.key: number for number in NUMBERS}


def numbers_of(rule: Rule) -> dict[str, float]:
    """Key → value of the ten numbers; those of z⁺ with its bounds open for z^B, none for "pass".

    Examples
    --------
    >>> from onnxlrp.rules import Gamma
    >>> numbers_of(Gamma(0.3))["gamma1_plus"]
    0.3
    """
    point = _point(rule)
    return {} if point is None else {key: getattr(point, key) for key in _BY_KEY}


def _point(rule: Rule) -> Unified | None:
    if isinstance(rule, ZBox) and rule.low is None:  # what it is but for the bounds
        return Unified(gamma1=0.0, gamma1_plus=1.0, epsilon=rule.epsilon, relative=rule.relative)
    return rule.as_unified()


def with_number(rule: Rule, key: str, value: float, locked: bool = True) -> Rule:
    """Change one number, and give the rule the name that it then has.

    Parameters
    ----------
    rule : Rule
    key : str
        Of :data:`NUMBERS`.
    value : float
    locked : bool
        Keep α − β = 1: the other of the two follows.

    Raises
    ------
    RuleError
        The rule has no numbers, or does not take this value; or the lock does not.

    Examples
    --------
    >>> from onnxlrp.rules import AlphaBeta, Gamma
    >>> with_number(Gamma(0.3), "gamma1_plus", 0.5)
    Gamma(gamma=0.5, epsilon=1e-06, relative=False, bias='keep')
    >>> with_number(AlphaBeta(2, 1), "alpha", 1.5)
    AlphaBeta(alpha=1.5, beta=0.5, epsilon=1e-06, relative=False, bias='keep')
    """
    if key not in _BY_KEY:
        raise RuleError(f"there is no number {key!r}; there are {', '.join(_BY_KEY)}.")
    if isinstance(rule, ZBox) and rule.low is None:
        if key != "epsilon":
            raise RuleError(
                f"rule 'z_box': {_BY_KEY[key].symbol} can be changed once low and high are given; "
                "now they come from the model's preprocessing."
            )
        return replace(rule, epsilon=value)
    point = rule.as_unified()
    if point is None:
        raise RuleError(f"rule {rule.name!r} has no numbers. Choose another rule first.")
    changes = {key: value}
    if locked and key in ("alpha", "beta"):
        least = 1.0 if key == "alpha" else 0.0
        if value < least:
            raise RuleError(
                f"α − β = 1 is locked, so {_BY_KEY[key].symbol} is at least {least:g}, "
                f"got {value:g}."
            )
        changes = {"alpha": value - least + 1.0, "beta": value - least}
    rounded: dict[str, Any] = {name: round(number, 12) for name, number in changes.items()}
    if rounded.get("beta", point.beta):  # with β the signs are kept apart already
        return named(replace(point, **rounded, mirror=False))
    return named(replace(point, **rounded))


def conserves(rule: Rule) -> bool:
    """Whether α − β = 1, so that no layer makes relevance larger or smaller by itself."""
    point = _point(rule)
    return point is None or abs(point.alpha - point.beta - 1) <= 1e-9
