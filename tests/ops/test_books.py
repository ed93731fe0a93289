"""No operation gives a silent wrong answer: random networks of all of them, checked by their books.

    R arrived = R handed to the inputs + absorbed by constants + absorbed by the stabiliser

and, where a network is piecewise linear without bias, LRP-0 is gradient times input.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import onnxlrp
from onnxlrp.composites import Composite, Entry
from onnxlrp.graph.select import Selector
from onnxlrp.ops import OPERATIONS, bind
from onnxlrp.plan import nonnegative_tensors
from onnxlrp.rules import Epsilon, Zero
from onnxlrp.runtime.activations import Activations
from onnxlrp.runtime.reference import Evaluator, widen
from onnxlrp.runtime.session import Sessions
from tests.naive import relative_error
from tests.ops.recipes import PIECEWISE_LINEAR, RECIPES
from tests.ops.sketch import Misfit, Sketch

ELSEWHERE = {
    "Swish": "opset 24: tests/ops/test_elementwise.py",
    "GlobalLpPool": "onnxruntime has it until opset 21: tests/ops/test_windows.py",
    "Upsample": "until opset 9: tests/ops/test_resize.py",
    "Scatter": "until opset 10: tests/ops/test_moves.py",
}
"""Operators that the fuzz does not draw, and where they are tested."""

SHAPES = ((4, 6, 4), (3, 5, 5), (4, 7), (2, 3, 4, 4), (6,))
ZERO = Composite("zero", (Entry(Selector(op="*"), Zero(), optional=True),))

COMPOSITES = {
    "epsilon": "epsilon",
    "epsilon_plus_flat": "epsilon_plus_flat",
    "gamma": "gamma",
    "alpha2_beta1": "epsilon_alpha2_beta1",
    "z_plus": "excitation_backprop",
    "spread": Composite("spread", (Entry(Selector(), Epsilon(bias="spread"), optional=True),)),
}


def sketch(names, shape, seed):
    """A network of these operators, as far as each fits what stands before it."""
    s = Sketch(shape, seed)
    for name in names:
        try:
            RECIPES[name](s, name)
        except Misfit:
            continue
    return finished(s)


def finished(s):
    """The same, laid out as (N, outputs); the factor keeps a last sigmoid from being cut off."""
    s.add("Flatten")
    s.add("Mul", s.name, s.constant(1.5))
    return s


def chains(names, shapes=SHAPES):
    """(operators, input shape, seed) of small networks."""
    return st.tuples(
        st.lists(st.sampled_from(sorted(names)), min_size=1, max_size=5),
        st.sampled_from(shapes),
        st.integers(0, 2**31),
    )


def unbalanced(result, plan, values):
    """The layers whose books leave a rest, with it; γ and spread drop R where z = 0."""
    found = []
    for step, books in zip(plan.steps, result.books, strict=True):
        node = step.layer.node
        names = {*node.inputs, *node.outputs}
        scale = sum(np.abs(r).sum() for n, r in result.tensors.items() if n in names) + 1e-3
        rest = books.other
        if step.rule is not None and (step.rule.name == "gamma" or step.rule.bias == "spread"):
            dropped = np.where(values.value(node.output) == 0, result.tensors[node.output], 0)
            rest = rest - dropped.reshape(len(rest), -1).sum(axis=1)
        if np.abs(rest).max() > 1e-4 * scale:
            found.append((str(step.layer), str(step.rule), rest, scale))
    return found


def check_books(s, name):
    """Explain random weights over the outputs and balance every layer's books."""
    model = onnxlrp.load(s.model())
    explainer = onnxlrp.Explainer(model, s.x)
    plan = explainer.plan(COMPOSITES[name])
    weights = s.random.standard_normal(s.value.shape).astype(np.float32)
    result = explainer.explain(COMPOSITES[name], weights, "one", plan.tensors, books=True)
    values = Activations(Sessions(model), s.x)
    assert np.isfinite(result.relevance).all()
    assert unbalanced(result, plan, values) == []
    signs = nonnegative_tensors(model, bind(model))
    values.fetch(signs)
    assert [name for name, never in signs.items() if never and values.value(name).min() < 0] == []


@pytest.mark.parametrize("op", sorted(RECIPES))
def test_every_operator_keeps_its_books(op):
    fitted = 0
    for seed, shape in enumerate(2 * SHAPES):
        s = Sketch(shape, [seed, *op.encode()])
        try:
            s.add("Mul", s.name, s.constant(1.5))
            RECIPES[op](s, op)
        except Misfit:
            continue
        fitted += 1
        check_books(finished(s), ("epsilon", "gamma")[seed % 2])
    assert fitted


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(chains(RECIPES), st.sampled_from(sorted(COMPOSITES)))
def test_random_networks_keep_their_books(chain, name):
    s = sketch(*chain)
    assume(np.isfinite(s.value).all() and np.abs(s.value).max() < 1e4)
    check_books(s, name)


def gradient(s, weights, step=1e-6):
    """Derivatives of Σ weights·output by x in float64; central differences are exact off kinks."""
    proto = s.model()
    widen(proto)
    network = Evaluator(proto)
    x = s.x.astype(np.float64)
    found = np.zeros_like(x)
    for index in np.ndindex(*x.shape[1:]):
        ends = []
        for side in (-step, step):
            moved = x.copy()
            moved[:, *index] += side
            ends.append((network.run(None, {"x": moved})[0] * weights).sum(axis=1))
        found[:, *index] = (ends[1] - ends[0]) / (2 * step)
    return found


@settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much])
@given(chains(PIECEWISE_LINEAR, ((2, 4, 2), (2, 3, 3), (3, 4), (5,))))
def test_lrp_0_is_gradient_times_input_on_piecewise_linear_networks(chain):
    s = sketch(*chain)
    assume(s.value.size and s.value.any())
    weights = s.random.standard_normal(s.value.shape[1]).astype(np.float32)
    result = onnxlrp.explain(onnxlrp.load(s.model()), s.x, ZERO, weights)
    truth = s.x * gradient(s, weights)
    assert relative_error(result.relevance, truth) <= 1e-3


def test_every_operation_is_drawn_or_tested_elsewhere():
    assert set(RECIPES) | set(ELSEWHERE) == set(OPERATIONS)
    assert not set(RECIPES) & set(ELSEWHERE)
