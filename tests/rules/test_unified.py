"""Every named rule is a point of the unified rule, and is found again from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import RuleError
from onnxlrp.rules import Flat, Gamma, Pass, Rule, Unified, WSquare, ZBox, ZPlus
from tests.rules.dense import dense_relevance
from tests.rules.strategies import named_rules

nonzero = st.integers(-20, 20).filter(bool).map(lambda n: n / 10)


@given(named_rules())
def test_a_point_finds_its_name_again(rule: Rule) -> None:
    point = rule.as_unified()
    if point is None:
        assert rule.name in ("pass", "z_box") or rule.bias != "drop"
    else:
        named = point.named()
        assert named is not None
        assert named.as_unified() == point


@given(named_rules())
def test_a_point_has_the_rules_own_frame(rule: Rule) -> None:
    point = rule.as_unified()
    if point is None or isinstance(rule, (WSquare, Flat)):
        return  # without a point, or equal in another way: the next test
    assert (point.input, point.branches) == (rule.input, rule.branches)
    assert (point.epsilon, point.relative, point.bias) == (rule.epsilon, rule.relative, rule.bias)


@given(st.sampled_from([WSquare, Flat]), st.lists(nonzero, min_size=11, max_size=11))
def test_w_square_and_flat_see_rms_for_one(kind: type[Rule], numbers: list[float]) -> None:
    rule = kind(epsilon=0)
    point = rule.as_unified()
    assert point is not None
    a, weight, bias = numbers[:3], np.reshape(numbers[3:9], (2, 3)), numbers[9:]
    expected = dense_relevance(rule, a, weight, bias, [1.0, -2.0])
    found = dense_relevance(point, a, weight, bias, [1.0, -2.0])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("point", "name"),
    [
        (Unified(), "epsilon"),
        (Unified(epsilon=0), "zero"),
        (Unified(gamma1_plus=0.25, mirror=True), "gamma"),
        (Unified(gamma1=0, gamma1_plus=1), "z_plus"),
        (Unified(gamma1=0, gamma1_plus=1, gamma1_minus=1, alpha=2.1, beta=1.1), "alpha_beta"),
        (Unified(gamma1=0, gamma1_plus=1, low=-1, high=1, bias="drop"), "z_box"),
        (Unified(theta0=1, theta1=0, gamma1=0, gamma2=1, bias="drop"), "w_square"),
        (Unified(theta0=1, theta1=0, gamma1=0, gamma0=1, bias="drop"), "flat"),
    ],
    ids=str,
)
def test_known_points(point: Unified, name: str) -> None:
    named = point.named()
    assert named is not None
    assert named.name == name


@pytest.mark.parametrize(
    "point",
    [
        Unified(gamma1_plus=0.25),
        Unified(theta0=0.5),
        Unified(gamma1=0, gamma1_plus=1, gamma1_minus=1, alpha=2, beta=0.5),
        Unified(theta0=1, theta1=0, gamma1=0, gamma2=1),
    ],
    ids=str,
)
def test_points_without_a_name(point: Unified) -> None:
    assert point.named() is None


def test_without_a_point() -> None:
    assert Pass().as_unified() is None
    assert ZBox().as_unified() is None
    assert Flat(bias="keep").as_unified() is None


def test_the_unified_rule_is_its_own_point() -> None:
    assert Unified(gamma0=0.5).as_unified() == Unified(gamma0=0.5)


def test_with_beta_each_branch_keeps_one_sign() -> None:
    rule = Unified(gamma1=0.5, gamma1_plus=0.3, gamma1_minus=0.2, alpha=2, beta=1)
    first, second = rule.branches
    assert (first.coefficient, first.weight.positive, first.weight.negative) == (2, 0.8, 0.5)
    assert (second.coefficient, second.weight.positive, second.weight.negative) == (-1, 0.5, 0.7)


def test_gamma_to_infinity_is_z_plus_where_it_should_be() -> None:
    a, weight, bias, relevance = (1, 2, 3), [[1.0, -2, 2]], [0.5], [1.0]
    found = dense_relevance(Gamma(1e8), a, weight, bias, relevance)
    expected = dense_relevance(ZPlus(), a, weight, bias, relevance)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"mirror": True, "beta": 1}, "mirror needs beta = 0"),
        ({"mirror": 1}, "mirror must be true or false"),
        ({"low": 0, "high": 1}, "bias must be 'drop'"),
        ({"low": 0, "bias": "drop"}, "high is missing"),
        ({"low": 0, "high": 1, "bias": "drop", "theta0": 1}, "theta0 must be 0"),
        ({"gamma2": float("nan")}, "gamma2 must be a finite number"),
    ],
)
def test_refuses_what_makes_no_sense(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(RuleError, match=message):
        Unified(**parameters)
