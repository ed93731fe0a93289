"""Functions and normalisations as expressions, and how their spelling may be changed.

An expression is "h", a constant (number or array), or a tuple (operator, operand, …, attributes).
"""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st
from onnx import helper, numpy_helper

SIDES_MAY_CHANGE = {"Add", "Mul", "Max", "Min"}
AXES = {"ReduceMean", "ReduceMax", "ReduceSum"}
INVERSE = {"Div": ("Mul", lambda c: 1 / c), "Sub": ("Add", lambda c: -c)}
CHANGES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 5e-3, 0.05)
"""Relative, of a constant."""

LITTLE = (-5e-3, 1e-3, 1e-4, 0.1)
"""Constants that are easily overlooked."""


def sigmoid(x):
    """The logistic function, spelled out."""
    return ("Reciprocal", ("Add", ("Exp", ("Neg", x)), 1.0))


def tanh_gelu(x):
    """GELU by tanh."""
    inner = ("Mul", ("Add", x, ("Mul", ("Pow", x, 3.0), 0.044715)), math.sqrt(2 / math.pi))
    return ("Mul", ("Mul", x, 0.5), ("Add", ("Tanh", inner), 1.0))


def erf_gelu(x):
    """GELU by erf."""
    return ("Mul", ("Mul", x, ("Add", ("Erf", ("Div", x, math.sqrt(2))), 1.0)), 0.5)


def hard_sigmoid(x):
    """A clip of a line."""
    return ("Div", ("Clip", ("Add", x, 3.0), 0.0, 6.0), 6.0)


FUNCTIONS = (
    sigmoid,
    tanh_gelu,
    erf_gelu,
    hard_sigmoid,
    lambda x: ("Mul", x, hard_sigmoid(x)),
    lambda x: ("Mul", x, ("HardSigmoid", x, {"alpha": 1 / 6, "beta": 0.5})),
    lambda x: ("Mul", x, ("Sigmoid", x)),
    lambda x: ("Mul", x, ("Sigmoid", ("Mul", x, 1.702))),
    lambda x: ("Mul", x, sigmoid(x)),
    lambda x: ("Mul", x, ("Tanh", ("Softplus", x))),
    lambda x: ("Log", ("Add", ("Exp", x), 1.0)),
    lambda x: ("Div", x, ("Add", ("Abs", x), 1.0)),
    lambda x: ("Max", x, ("Mul", x, 0.1)),
    lambda x: ("Sub", ("Relu", x), ("Mul", ("Relu", ("Neg", x)), 0.1)),
)
"""Every function that has a name, in one of its spellings."""


def mean(x, axes):
    """The mean over axes."""
    return ("ReduceMean", x, {"axes": axes, "keepdims": 1})


def layer_norm(x, axes):
    """(x − mean)/√(variance + ε)."""
    deviation = ("Sub", x, mean(x, axes))
    variance = mean(("Pow", deviation, 2.0), axes)
    return ("Div", deviation, ("Sqrt", ("Add", variance, 1e-5)))


def short_norm(x, axes):
    """The same with the variance as a difference of means."""
    variance = ("Sub", mean(("Mul", x, x), axes), ("Mul", mean(x, axes), mean(x, axes)))
    root = ("Reciprocal", ("Sqrt", ("Add", variance, 1e-3)))
    return ("Mul", ("Sub", x, mean(x, axes)), root)


def tensorflow_norm(x, axes, gamma, beta):
    """x·k + (β − mean·k), k = γ/√(variance + ε)."""
    variance = mean(("Mul", ("Sub", x, mean(x, axes)), ("Sub", x, mean(x, axes))), axes)
    k = ("Mul", ("Reciprocal", ("Sqrt", ("Add", variance, 1e-3))), gamma)
    return ("Add", ("Mul", x, k), ("Sub", beta, ("Mul", mean(x, axes), k)))


def root_mean_square(x, axes):
    """x/√(mean x² + ε)."""
    return ("Div", x, ("Sqrt", ("Add", mean(("Mul", x, x), axes), 1e-5)))


def softmax(x, axes):
    """exp(x − max)/Σ exp(x − max)."""
    power = ("Exp", ("Sub", x, ("ReduceMax", x, {"axes": axes, "keepdims": 1})))
    return ("Div", power, ("ReduceSum", power, {"axes": axes, "keepdims": 1}))


def batch_norm(z, shape):
    """γ·(z − μ)/√(σ² + ε) + β with constants of a shape, behind whatever makes z."""
    mu, sigma, gamma, beta = (
        np.random.default_rng(i).uniform(0.5, 1.5, shape).astype(np.float32) for i in range(4)
    )
    return ("Add", ("Mul", ("Div", ("Sub", z, mu), sigma), gamma), beta)


@st.composite
def respelled(draw, expression, axes=()):
    """The expression, operands of sums and products on either side, changed in two places at most.

    A place is an operand (a little is added to it), a constant (its value, or how it is laid out),
    a reduction (its axes), or another operator (its sides, or its inverse with 1/c, −c).
    """
    places = draw(st.sets(st.integers(0, size(expression) - 1), max_size=2))
    return _respelled(draw, expression, axes, places, [0])


def size(expression):
    """How many operators and operands an expression has."""
    parts = expression[1:] if isinstance(expression, tuple) else ()
    return 1 + sum(size(part) for part in parts if not isinstance(part, dict))


def _respelled(draw, expression, axes, places, passed):
    change = passed[0] in places
    passed[0] += 1
    if not isinstance(expression, tuple):
        return draw(_instead(expression)) if change else expression
    op, *parts = expression
    attributes = dict(parts.pop()) if isinstance(parts[-1], dict) else {}
    parts = [_respelled(draw, part, axes, places, passed) for part in parts]
    if change and op in AXES:
        attributes["axes"] = draw(st.sampled_from(axes))
    elif change and op in INVERSE and isinstance(parts[1], float) and draw(st.booleans()):
        op, inverse = INVERSE[op]
        parts[1] = inverse(parts[1])
    elif change or (op in SIDES_MAY_CHANGE and draw(st.booleans())):
        parts = parts[::-1] if len(parts) == 2 else parts
    return (op, *parts, attributes)


def _instead(operand):
    """Draw what may stand in an operand's place."""
    if isinstance(operand, str):
        return st.sampled_from(LITTLE).map(lambda c: ("Add", operand, c))
    if isinstance(operand, float):
        return st.sampled_from(CHANGES).map(lambda change: operand * (1 + change))
    layouts = ((-1,), (-1, 1), (1, -1), (-1, 1, 1), (1, -1, 1), (1, -1, 1, 1), (1, 1, -1, 1))
    return st.sampled_from(layouts).map(operand.reshape)


def written(expression, shape, front=()):
    """The network z = Tanh(expression of h), h = LeakyRelu(x) or whatever ``front`` makes of x."""
    nodes = list(front) or [helper.make_node("LeakyRelu", ["x"], ["h"], name="front")]
    constants = {}
    made = _write(expression, nodes, constants, {})
    nodes.append(helper.make_node("Tanh", [made], ["z"], name="back"))
    graph = helper.make_graph(
        nodes,
        "respelled",
        [helper.make_tensor_value_info("x", 1, ["N", *shape[1:]])],
        [helper.make_tensor_value_info("z", 1, None)],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _write(expression, nodes, constants, known):
    """Append an expression's nodes, each once however often it occurs; return its name."""
    if isinstance(expression, str):
        return expression
    key = repr(expression)
    if key in known:
        return known[key]
    if isinstance(expression, tuple):
        op, *parts = expression
        attributes = dict(parts.pop()) if isinstance(parts[-1], dict) else {}
        inputs = [_write(part, nodes, constants, known) for part in parts]
        name = f"t{len(nodes)}"
        if op == "ReduceSum":  # its axes are an input from opset 13 on
            constants[f"{name}_axes"] = np.array(attributes.pop("axes"), np.int64)
            inputs.append(f"{name}_axes")
        nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
    else:
        name = f"c{len(constants)}"
        constants[name] = np.asarray(expression, np.float32)
    known[key] = name
    return name
