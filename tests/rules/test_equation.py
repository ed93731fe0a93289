"""The equations that rules write of themselves."""

from __future__ import annotations

import pytest
from hypothesis import given

from onnxlrp.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    Pass,
    Rule,
    Unified,
    WSquare,
    ZBox,
    Zero,
    ZPlus,
)
from onnxlrp.rules.equation import number, total
from tests.rules.strategies import rules

EQUATIONS = [
    (Zero(), r"R_i = \sum_j \frac{a_i w_{ij}}{z_j} R_j"),
    (Zero("drop"), r"R_i = \sum_j \frac{a_i w_{ij}}{z_j - b_j} R_j"),
    (
        Epsilon(0.25, relative=True),
        r"R_i = \sum_j \frac{a_i w_{ij}}{z_j + 0.25\,\mathrm{rms}(z)\,\mathrm{sign}(z_j)} R_j",
    ),
    (
        Epsilon(bias="spread"),
        r"R_i = \sum_j \frac{a_i w_{ij} + \tfrac{1}{n_j} \left(b_j + 10^{-6}\,\mathrm{sign}(z_j)"
        r"\right)}{z_j + 10^{-6}\,\mathrm{sign}(z_j)} R_j",
    ),
    (
        Gamma(0.1, epsilon=0),
        r"R_i = \sum_{j:\,z_j>0} \frac{a_i w_{ij} + 0.1\,(a_i w_{ij})^+}{z_j + 0.1\,z_j^+} R_j"
        r" + \sum_{j:\,z_j<0} \frac{a_i w_{ij} + 0.1\,(a_i w_{ij})^-}{z_j + 0.1\,z_j^-} R_j",
    ),
    (
        ZPlus(bias="drop"),
        r"R_i = \sum_j \frac{(a_i w_{ij})^+}{d_j + 10^{-6}\,\mathrm{sign}(d_j)} R_j,"
        r"\quad d_j = z_j^+ - b_j^+",
    ),
    (
        AlphaBeta(3, 2, epsilon=0),
        r"R_i = \sum_j \left(3\,\frac{(a_i w_{ij})^+}{z_j^+} "
        r"- 2\,\frac{(a_i w_{ij})^-}{z_j^-}\right) R_j",
    ),
    (AlphaBeta(1, 0, epsilon=0), r"R_i = \sum_j \frac{(a_i w_{ij})^+}{z_j^+} R_j"),
    (
        ZBox(-2.1, 0, epsilon=0),
        r"R_i = \sum_j \frac{\left(a_i + 2.1\right) w_{ij}^+ + a_i w_{ij}^-}"
        r"{\sum_{i'} \left(\left(a_{i'} + 2.1\right) w_{i'j}^+ + a_{i'} w_{i'j}^-\right)} R_j",
    ),
    (WSquare(epsilon=0), r"R_i = \sum_j \frac{w_{ij}^2}{\sum_{i'} w_{i'j}^2} R_j"),
    (
        WSquare(epsilon=0, bias="keep"),
        r"R_i = \sum_j \frac{w_{ij}^2}{\sum_{i'} w_{i'j}^2 + b_j^2} R_j",
    ),
    (
        Flat(),
        r"R_i = \sum_j \frac{1}{d_j + 10^{-6}\,\mathrm{sign}(d_j)} R_j,\quad d_j = \sum_{i'} 1",
    ),
    (Pass(), r"R_i = R_{j=i}"),
    (
        Unified(theta0=0.5, gamma1_plus=0.3, gamma1_minus=0.1, epsilon=0, bias="drop"),
        r"R_i = \sum_j \frac{x_i w_{ij} + 0.3\,(x_i w_{ij})^+ + 0.1\,(x_i w_{ij})^-}{\sum_{i'} "
        r"\left(x_{i'} w_{i'j} + 0.3\,(x_{i'} w_{i'j})^+ + 0.1\,(x_{i'} w_{i'j})^-\right)} R_j,"
        r"\quad x_i = 0.5\,\mathrm{rms}(a) + a_i",
    ),
    (
        Unified(theta0=1, theta1=0, gamma0=0.5, gamma1=0, epsilon=0),
        r"R_i = \sum_j \frac{0.5\,\mathrm{rms}(a)\,\mathrm{rms}(W)}"
        r"{\sum_{i'} 0.5\,\mathrm{rms}(a)\,\mathrm{rms}(W) + 0.5\,\mathrm{rms}(W)} R_j",
    ),
]


@pytest.mark.parametrize(("rule", "expected"), EQUATIONS, ids=str)
def test_equations(rule: Rule, expected: str) -> None:
    assert rule.latex() == expected


def test_bounds_that_are_arrays_or_open_are_symbols() -> None:
    for rule in (ZBox(), ZBox([-1, -2], [1, 2])):
        assert r"\left(a_i - l_i\right) w_{ij}^+ + \left(a_i - h_i\right) w_{ij}^-" in rule.latex()


def test_named_rules_and_their_points_write_the_same_equation() -> None:
    for rule in (Zero(), Epsilon(), Gamma(), ZPlus(), AlphaBeta(), ZBox(-1, 1)):
        point = rule.as_unified()
        assert point is not None
        assert point.latex() == rule.latex()


@given(rules())
def test_braces_and_brackets_are_balanced(rule: Rule) -> None:
    text = rule.latex()
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert text.count(r"\left(") == text.count(r"\right)")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (1.0, "1"),
        (1e-6, "10^{-6}"),
        (2.5e-7, r"2.5 \cdot 10^{-7}"),
        (0.1 + 0.2, "0.3"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_terms_are_joined_by_their_signs() -> None:
    assert total([(1, "a"), (-2, "b"), (0, "c"), (3, "")]) == r"a - 2\,b + 3"
    assert total([(-1, "a")]) == "-a"
    assert total([(0, "a")]) == "0"
