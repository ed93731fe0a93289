"""What a rule's parameters may be; every refusal names the rule, the parameter and its value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import RuleError, did_you_mean
from onnxlrp.rules.frame import Bound

if TYPE_CHECKING:
    from onnxlrp.rules.base import Rule

BIASES = ("keep", "drop", "spread")
_NUMBER = (int, float, np.integer, np.floating)
_LARGEST = float(np.finfo(np.float32).max)


def check_number(rule: Rule, field: str, low: float = -math.inf, high: float = math.inf) -> None:
    """Refuse a parameter that is no number within [low, high]; hold it as a Python float."""
    value = getattr(rule, field)
    is_number = isinstance(value, _NUMBER) and not isinstance(value, bool)
    if not is_number or not abs(value) <= _LARGEST:
        raise RuleError(f"rule {rule.name!r}: {field} must be a finite number, got {value!r}.")
    if not low <= value <= high:
        bounds = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
        raise RuleError(f"rule {rule.name!r}: {field} must be {bounds}, got {value}.")
    object.__setattr__(rule, field, float(value))


def check_flag(rule: Rule, field: str) -> None:
    """Refuse a switch that is neither true nor false."""
    value = getattr(rule, field)
    if not isinstance(value, bool):
        raise RuleError(f"rule {rule.name!r}: {field} must be true or false, got {value!r}.")


def check_stabiliser(rule: Rule) -> None:
    """Refuse a stabiliser or a bias policy that makes no sense."""
    check_number(rule, "epsilon", low=0.0)
    check_flag(rule, "relative")
    if rule.bias not in BIASES:
        raise RuleError(
            f"rule {rule.name!r}: bias is one of 'keep', 'drop', 'spread', got {rule.bias!r}."
            f"{did_you_mean(str(rule.bias), BIASES)}"
        )


def check_bounds(rule: Rule) -> None:
    """Refuse bounds that are no numbers, do not fit together, or cross; hold them as tuples.

    Both may be None: they are then still open. The bias cancels between the three terms of z^B, so
    a policy for it is refused.
    """
    if rule.bias != "drop":
        raise RuleError(
            f"rule {rule.name!r}: with low and high the bias cancels, so bias must be 'drop', "
            f"got {rule.bias!r}."
        )
    low, high = (getattr(rule, field) for field in ("low", "high"))
    if low is None and high is None:
        return
    if low is None or high is None:
        missing = "low" if low is None else "high"
        raise RuleError(f"rule {rule.name!r}: {missing} is missing; give low and high, or neither.")
    arrays = [_bound_array(rule, field) for field in ("low", "high")]
    try:
        crossed = bool(np.any(arrays[0] > arrays[1]))
    except ValueError as error:
        shapes = " and ".join(str(a.shape) for a in arrays)
        raise RuleError(
            f"rule {rule.name!r}: low and high do not broadcast, their shapes are {shapes}."
        ) from error
    if crossed:
        raise RuleError(f"rule {rule.name!r}: low must not be above high, got {low} and {high}.")
    for field, array in zip(("low", "high"), arrays, strict=True):
        object.__setattr__(rule, field, as_bound(array))


def _bound_array(rule: Rule, field: str) -> NDArray[Any]:
    """Read the bound as an array of finite numbers."""
    value = getattr(rule, field)
    try:
        array = np.asarray(value)
    except ValueError:  # rows of unequal length
        array = np.asarray(None)
    if array.dtype.kind not in "iuf" or array.size == 0 or not np.isfinite(array).all():
        raise RuleError(
            f"rule {rule.name!r}: {field} must be a finite number or an array of them, "
            f"got {value!r}."
        )
    return array


def as_bound(array: NDArray[Any]) -> Bound:
    """Turn an array into nested tuples of floats, so that a rule that holds it can be a key."""
    return tuple(map(as_bound, array)) if array.ndim else float(array)


def thaw(value: Any) -> Any:
    """Turn nested tuples into lists, as files hold them."""
    return [thaw(v) for v in value] if isinstance(value, tuple) else value
