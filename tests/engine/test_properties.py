"""What must hold of every rule, whatever the numbers (hypothesis)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from onnxlrp.rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, ZBox, ZPlus
from tests.engine.carry import carry
from tests.naive import relative_error
from tests.ops.single import SingleNode

halves = st.integers(-8, 8).map(lambda n: n / 4)
nonzero = halves.map(lambda v: v if abs(v) >= 0.25 else 0.75)


def matrix(rows, columns, elements=nonzero):
    return arrays(np.float32, (rows, columns), elements=elements)


@st.composite
def layers(draw, bias=True, sign=None):
    """A dense layer (5 → 4) with two pictures and a relevance for each."""
    w = draw(matrix(4, 5))
    x = draw(matrix(2, 5))
    x = np.abs(x) if sign == "nonnegative" else x
    b = draw(arrays(np.float32, 4, elements=nonzero)) if bias else np.zeros(4, np.float32)
    return SingleNode("Gemm", [x], {1: w, 2: b}, transB=1), draw(matrix(2, 4))


def total(parts):
    return np.sum(parts[0], axis=1, dtype=np.float64)


def away_from_zero(single, floor=0.2):
    return bool((np.abs(single.run()[0]) > floor).all())


def both_signs(single):
    """Whether every neuron has a positive and a negative contribution."""
    (x,), w = single.inputs.values(), single.constants["i1"]
    c = x[:, None, :] * w[None]
    return bool(((c > 0).any(axis=2) & (c < 0).any(axis=2)).all())


@given(layers(bias=False))
def test_epsilon_conserves_without_bias(layer):
    single, relevance = layer
    if away_from_zero(single):
        parts = carry(single, Epsilon(1e-9), relevance)
        np.testing.assert_allclose(total(parts), relevance.sum(axis=1), rtol=1e-4, atol=1e-4)


@given(layers(bias=False), st.sampled_from([Gamma(0.3, epsilon=1e-9), WSquare(), Flat()]))
def test_gamma_w_square_and_flat_conserve_without_bias(layer, rule):
    single, relevance = layer
    if away_from_zero(single):
        parts = carry(single, rule, relevance)
        np.testing.assert_allclose(total(parts), relevance.sum(axis=1), rtol=1e-4, atol=1e-4)


SPREADING = (Epsilon(), Epsilon(0.5), Epsilon(0.2, relative=True), Gamma(0.3))


@given(layers(), st.sampled_from(SPREADING))
def test_spread_conserves_wherever_z_is_not_zero(layer, rule):
    single, relevance = layer
    if away_from_zero(single):
        parts = carry(single, dataclasses.replace(rule, bias="spread"), relevance)
        np.testing.assert_allclose(total(parts), relevance.sum(axis=1), rtol=1e-4, atol=1e-4)


@given(layers())
def test_spread_conserves_for_alpha_beta_wherever_both_signs_occur(layer):
    single, relevance = layer
    if both_signs(single):
        parts = carry(single, AlphaBeta(2, 1, bias="spread"), relevance)
        np.testing.assert_allclose(total(parts), relevance.sum(axis=1), rtol=1e-4, atol=1e-4)


RULES = (
    Epsilon(),
    Epsilon(0.25, relative=True),
    Epsilon(bias="spread"),
    Gamma(0.25),
    Gamma(bias="drop"),
    ZPlus(),
    AlphaBeta(2, 1),
    WSquare(),
    Flat(),
)


@given(layers(), matrix(2, 4), halves, st.sampled_from(RULES))
def test_linear_in_relevance(layer, other, factor, rule):
    single, relevance = layer
    (a,), (b,) = carry(single, rule, relevance), carry(single, rule, other)
    (both,) = carry(single, rule, relevance + np.float32(factor) * other)
    scale = np.abs(a).max() + abs(factor) * np.abs(b).max() + 1e-6
    np.testing.assert_allclose(both, a + np.float32(factor) * b, atol=1e-4 * scale)


@given(layers(), st.sampled_from(RULES))
def test_books_balance(layer, rule):
    single, relevance = layer
    parts, books = carry(single, rule, relevance, keep_books=True)
    if away_from_zero(single) and both_signs(single):
        out = total(parts) + books.bias + books.epsilon
        scale = np.abs(parts[0]).sum(axis=1) + np.abs(relevance).sum(axis=1)
        assert (np.abs(out - relevance.sum(axis=1)) <= 1e-4 * scale).all()


@given(layers())
def test_alpha1_beta0_is_z_plus(layer):
    single, relevance = layer
    (one,), (other,) = (carry(single, rule, relevance) for rule in (AlphaBeta(1, 0), ZPlus()))
    np.testing.assert_array_equal(one, other)


@given(layers(bias=False, sign="nonnegative"))
def test_large_gamma_tends_to_z_plus_where_z_is_positive(layer):
    single, relevance = layer
    relevance = np.where(single.run()[0] > 0.2, relevance, np.float32(0))
    (gamma,), (plus,) = carry(single, Gamma(1e5), relevance), carry(single, ZPlus(), relevance)
    np.testing.assert_allclose(gamma, plus, atol=1e-3 * (1 + np.abs(plus).max()))


@given(layers())
def test_z_box_around_zero_is_epsilon_without_bias(layer):
    single, relevance = layer
    w, (x,) = single.constants["i1"], single.inputs.values()
    if (np.abs(x @ w.T) > 0.2).all():
        zero = (np.zeros((1, 5), np.float32),)
        (box,) = carry(single, ZBox(0.0, 0.0), relevance, bounds=(zero, zero))
        (eps,) = carry(single, Epsilon(bias="drop"), relevance)
        np.testing.assert_allclose(box, eps, rtol=1e-4, atol=1e-4)


@given(layers(), st.sampled_from(RULES))
def test_batch_equals_single_runs(layer, rule):
    single, relevance = layer
    (both,) = carry(single, rule, relevance)
    (x,) = single.inputs.values()
    for n in range(2):
        constants = {k: single.constants.get(f"i{k}") for k in (1, 2)}
        one = SingleNode("Gemm", [x[n : n + 1]], constants, transB=1)
        (alone,) = carry(one, rule, relevance[n : n + 1])
        np.testing.assert_allclose(alone[0], both[n], rtol=1e-5, atol=1e-5)


NAMED = (
    Epsilon(0.1),
    Epsilon(0.25, relative=True),
    Gamma(0.3),
    ZPlus(),
    AlphaBeta(3, 2),
    WSquare(),
    Flat(),
    ZBox(-3.0, 3.0),
)


@settings(max_examples=30)
@given(layers(), st.sampled_from(NAMED))
def test_every_named_rule_is_a_point_of_the_unified_rule(layer, rule):
    single, relevance = layer
    ends = tuple((np.full((1, 5), v, np.float32),) for v in (-3, 3))
    bounds = ends if rule.input.is_box else None
    point = rule.as_unified()
    assert point.named() == rule
    if not away_from_zero(single) or not both_signs(single):
        return
    (named,) = carry(single, rule, relevance, bounds)
    if rule.input.is_plain or rule.input.is_box:
        (same,) = carry(single, point, relevance, bounds)
    else:
        (same,) = carry(single, dataclasses.replace(point, epsilon=1e-9), relevance)
    assert relative_error(same, named) <= 1e-4


@pytest.mark.parametrize("rule", RULES)
def test_no_relevance_in_none_out(rule):
    w = np.ones((4, 5), np.float32)
    single = SingleNode("Gemm", [np.ones((1, 5), np.float32)], {1: w}, transB=1)
    (got,) = carry(single, rule, np.zeros((1, 4), np.float32))
    assert not got.any()
