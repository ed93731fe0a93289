"""Element-wise functions of one tensor, recognised by what they compute, however they are spelled.

x·Φ(x) may come as five nodes or as seven, with x halved first or last. What a chain of element-wise
nodes with constant numbers computes is therefore evaluated on a grid and compared with the
functions that have a name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.model import Node

Values = NDArray[np.float64]

GRID: Values = np.linspace(-9.0, 9.0, 73)
"""Where functions are compared: it holds 0, the knees of hard functions, and both tails."""

EXACT = 1e-6
"""Relative to the largest value on the grid: what the rounding of float32 constants does."""

HALF = 2e-3
"""The same for float16, still far less than functions differ; of two near ones the nearer is taken.
"""

STRAIGHT = 2e-3
"""How near to a line values are a line."""


@dataclass(frozen=True, slots=True)
class Function:
    """An operator of one input and its attributes."""

    op: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


def named(values: Values, tolerance: float = EXACT) -> tuple[Function, float] | None:
    """Name the function that takes these values on the grid, with its error; None without a name.

    The error, at most ``tolerance``, is the largest on the grid relative to the largest value.
    Gelu (both), Swish, HardSwish, Mish, Softplus, Softsign, Sigmoid, HardSigmoid, Tanh, LeakyRelu;
    the parameters of Swish, HardSigmoid and LeakyRelu are read off.
    """
    if not np.isfinite(values).all() or _is_line(values):
        return None
    scale = float(np.abs(values).max())
    near = [
        (float(np.abs(values - known(GRID)).max()), function)
        for function, known in _candidates(values)
    ]
    error, function = min(near, key=lambda pair: pair[0])
    return (function, error / scale) if error <= tolerance * scale else None


def _is_line(values: Values) -> bool:
    """Tell whether the values are a·x + b, which folds into linear layers."""
    line = values[0] + (values[-1] - values[0]) * (GRID - GRID[0]) / (GRID[-1] - GRID[0])
    return float(np.abs(values - line).max()) <= STRAIGHT * float(np.abs(values).max())


def _candidates(values: Values) -> list[tuple[Function, Callable[[Values], Values]]]:
    """List the named functions, with the parameters that fit these values."""
    at_zero, at_one, at_minus_one = (float(np.interp(x, GRID, values)) for x in (0, 1, -1))
    slope = float(np.interp(0.25, GRID, values) - np.interp(-0.25, GRID, values)) / 0.5
    found: list[tuple[Function, Callable[[Values], Values]]] = [
        (Function("Gelu"), lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2)))),
        (Function("Gelu", {"approximate": "tanh"}), _gelu_tanh),
        (Function("HardSwish"), lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
        (Function("Mish"), lambda x: x * np.tanh(np.logaddexp(0, x))),
        (Function("Softplus"), lambda x: np.logaddexp(0, x)),
        (Function("Softsign"), lambda x: x / (1 + np.abs(x))),
        (Function("Sigmoid"), _sigmoid),
        (Function("Tanh"), np.tanh),
    ]
    if 0 < at_one < 1:
        rate = math.log(at_one / (1 - at_one))
        found.append((Function("Swish", {"alpha": rate}), lambda x: x * _sigmoid(rate * x)))
    if slope > 0 and 0 < at_zero < 1:
        hard = Function("HardSigmoid", {"alpha": slope, "beta": at_zero})
        found.append((hard, lambda x: np.clip(slope * x + at_zero, 0, 1)))
    if 0 < -at_minus_one < 1:
        leaky = Function("LeakyRelu", {"alpha": -at_minus_one})
        found.append((leaky, lambda x: np.where(x < 0, -at_minus_one * x, x)))
    return found


def is_elementwise(node: Node) -> bool:
    """Tell whether :func:`applied` can evaluate the node."""
    return node.domain in ("", "ai.onnx") and node.op in ELEMENTWISE


def applied(node: Node, inputs: Sequence[Values | None]) -> Values:
    """Evaluate one element-wise node; None stands for an optional input that is absent."""
    with np.errstate(all="ignore"):
        return np.asarray(ELEMENTWISE[node.op](node.attributes, *inputs), np.float64)


def _erf(x: Values) -> Values:
    return np.array([math.erf(value) for value in np.atleast_1d(x)])


def _sigmoid(x: Values) -> Values:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _gelu_tanh(x: Values) -> Values:
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return np.asarray(0.5 * x * (1 + np.tanh(inner)))


def _clip(attributes: Mapping[str, Any], x: Values, low: Any = None, high: Any = None) -> Values:
    return np.asarray(np.clip(x, attributes.get("min", low), attributes.get("max", high)))


def _hard_sigmoid(attributes: Mapping[str, Any], x: Values) -> Values:
    line = attributes.get("alpha", 0.2) * x + attributes.get("beta", 0.5)
    return np.asarray(np.clip(line, 0, 1))


ELEMENTWISE: Mapping[str, Callable[..., Any]] = {
    "Abs": lambda _, x: np.abs(x),
    "Add": lambda _, x, y: x + y,
    "Clip": _clip,
    "Div": lambda _, x, y: x / y,
    "Erf": lambda _, x: _erf(x),
    "Exp": lambda _, x: np.exp(x),
    "HardSigmoid": _hard_sigmoid,
    "Log": lambda _, x: np.log(x),
    "Max": lambda _, *x: np.maximum.reduce(np.broadcast_arrays(*x)),
    "Min": lambda _, *x: np.minimum.reduce(np.broadcast_arrays(*x)),
    "Mul": lambda _, x, y: x * y,
    "Neg": lambda _, x: -x,
    "Pow": lambda _, x, y: x**y,
    "Reciprocal": lambda _, x: 1 / x,
    "Relu": lambda _, x: np.maximum(x, 0),
    "Sigmoid": lambda _, x: _sigmoid(x),
    "Softplus": lambda _, x: np.logaddexp(0, x),
    "Sub": lambda _, x, y: x - y,
    "Sum": lambda _, *x: sum(x),
    "Tanh": lambda _, x: np.tanh(x),
}
"""Operator → its function of attributes and inputs: what named functions are spelled with."""
