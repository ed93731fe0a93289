"""Recorded values of other implementations on one dense layer.

zennit 1.0.0 in float64 (with and without bias), and the unified rule as VisLRPDesigner's own code
computes it, whose ε counts in units of RMS(z).
"""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    Rule,
    Unified,
    WSquare,
    ZBox,
    ZPlus,
)
from tests.rules.dense import dense_relevance

WEIGHT = [[1, -2, 0.5], [-1, 1, 2]]
BIAS = [0.5, -1]
RELEVANCE = [1, 2]
POSITIVE = (1, 2, 3)
MIXED = (1, -2, 3)

ZENNIT = [
    (Epsilon(), POSITIVE, (-1.333332, 4.666663, 0.500001)),
    (Epsilon(0.25), POSITIVE, (-1.12, 3.84, 0.72)),
    (Epsilon(bias="drop"), POSITIVE, (-0.95238, 3.238093, 0.714286)),
    (Gamma(), POSITIVE, (-0.75, 3.124999, 1.125)),
    (Gamma(bias="drop"), POSITIVE, (-0.622222, 2.555555, 1.066667)),
    (ZPlus(), POSITIVE, (0.333333, 0.5, 2)),
    (AlphaBeta(2, 1), POSITIVE, (-0.333333, 0, 3.999999)),
    (ZBox(-3, 3), POSITIVE, (0.654971, 0.748538, 1.596491)),
    (WSquare(bias="keep"), POSITIVE, (0.467532, 1.012987, 1.188312)),
    (WSquare(), POSITIVE, (0.523809, 1.095238, 1.380952)),
    (Flat(), POSITIVE, (1, 1, 1)),
    (Epsilon(), MIXED, (-0.857142, -1.428571, 6.214283)),
    (Epsilon(0.25), MIXED, (-0.750958, -1.226054, 5.54023)),
    (Epsilon(bias="drop"), MIXED, (-0.51282, -0.717948, 4.230768)),
    (Gamma(), MIXED, (-0.428571, -0.571428, 4.499999)),
    (Gamma(bias="drop"), MIXED, (-0.290598, -0.273504, 3.564102)),
    (ZPlus(), MIXED, (0.142857, 0.571428, 2.214285)),
    (AlphaBeta(2, 1), MIXED, (-0.214286, 0.142857, 4.428571)),
    (ZBox(-3, 3), MIXED, (0.501961, 0.721569, 1.77647)),
]

PAPER = [
    (Unified(epsilon=0.25, relative=True), (-0.764534, 2.492789, 0.973253)),
    (Unified(gamma1_plus=0.3, epsilon=1e-9), (-13.238095, 40.619048, -17.642857)),
    (
        Unified(gamma1=0, gamma1_plus=1, gamma1_minus=1, alpha=2, beta=1, epsilon=1e-9),
        (-0.333333, 0, 4),
    ),
    (Unified(gamma1=0, gamma1_plus=1, epsilon=1e-9), (0.333333, 0.5, 2)),
    (
        Unified(theta0=1, theta1=0, gamma1=0, gamma2=1, epsilon=1e-9),
        (0.495826, 1.05493, 1.284424),
    ),
    (
        Unified(theta0=1, theta1=0, gamma1=0, gamma0=1, epsilon=1e-9),
        (0.866323, 0.866323, 0.866323),
    ),
]


@pytest.mark.parametrize(("rule", "a", "expected"), ZENNIT, ids=str)
def test_named_rules_give_zennits_values(
    rule: Rule, a: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    found = dense_relevance(rule, a, WEIGHT, BIAS, RELEVANCE)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("rule", "expected"), PAPER, ids=str)
def test_the_unified_rule_gives_the_papers_values(
    rule: Unified, expected: tuple[float, ...]
) -> None:
    found = dense_relevance(rule, POSITIVE, WEIGHT, BIAS, RELEVANCE)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rule", [case[0] for case in ZENNIT], ids=str)
@pytest.mark.parametrize("a", [POSITIVE, MIXED], ids=str)
def test_a_rule_and_its_point_give_the_same_values(rule: Rule, a: tuple[float, ...]) -> None:
    point = rule.as_unified()
    if point is None:
        assert (rule.name, rule.bias) == ("w_square", "keep")
        return
    expected = dense_relevance(rule, a, WEIGHT, BIAS, RELEVANCE)
    found = dense_relevance(point, a, WEIGHT, BIAS, RELEVANCE)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
