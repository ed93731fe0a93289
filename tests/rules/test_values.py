"""Rules as values: checked, hashable, found by name, written as data and as text."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from onnxlrp.errors import RuleError
from onnxlrp.rules import (
    RULES,
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
    parameters,
    rule,
    rule_from_dict,
)
from tests.rules.strategies import rules


@given(rules())
def test_a_rule_survives_as_data(rule: Rule) -> None:
    assert rule_from_dict(rule.to_dict()) == rule
    assert hash(rule_from_dict(rule.to_dict())) == hash(rule)
    assert pickle.loads(pickle.dumps(rule)) == rule


def test_all_rules_have_a_name_and_a_title() -> None:
    names = "alpha_beta epsilon flat gamma pass unified w_square z_box z_plus zero"
    assert sorted(RULES) == names.split()
    assert all(RULES[name].name == name and RULES[name].title for name in RULES)


def test_data_holds_only_what_differs_from_the_defaults() -> None:
    assert Gamma().to_dict() == {"rule": "gamma"}
    assert Gamma(0.1, bias="drop").to_dict() == {"rule": "gamma", "gamma": 0.1, "bias": "drop"}


def test_numbers_are_held_as_python_floats() -> None:
    assert type(Epsilon(np.float32(0.5)).epsilon) is float
    assert type(Gamma(1).gamma) is float


def test_bounds_are_held_as_tuples() -> None:
    low = np.array([-2.0, -1.0], np.float32).reshape(1, 2, 1, 1)
    assert ZBox(low, 3).low == (((((-2.0,),), ((-1.0,),))),)
    assert ZBox(low, 3).high == 3.0


def test_text_is_what_the_command_line_takes() -> None:
    assert str(Gamma()) == "gamma"
    assert str(Epsilon(0.25, relative=True)) == "epsilon:epsilon=0.25,relative=true"


def test_z_box_without_bounds_has_no_input_yet() -> None:
    with pytest.raises(RuleError, match="low and high are not known"):
        _ = ZBox().input


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="'zero' is defined twice"):
        rule("zero")(Epsilon)
    assert RULES["zero"] is Zero


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Epsilon(-1e-6), "epsilon must be at least 0, got -1e-06"),
        (lambda: Epsilon(float("inf")), "epsilon must be a finite number"),
        (lambda: Epsilon("1"), "epsilon must be a finite number, got '1'"),
        (lambda: Epsilon(True), "epsilon must be a finite number, got True"),
        (lambda: Epsilon(10**400), "epsilon must be a finite number"),
        (lambda: Epsilon(relative="yes"), "relative must be true or false, got 'yes'"),
        (lambda: Epsilon(bias="spreed"), "Did you mean 'spread'"),
        (lambda: Gamma(-0.1), "rule 'gamma': gamma must be at least 0"),
        (lambda: AlphaBeta(2, 2), "alpha - beta must be 1, got 2 - 2 = 0; try alpha=3"),
        (lambda: AlphaBeta(0, -1), "beta must be at least 0"),
        (lambda: ZBox(1, 0), "low must not be above high"),
        (lambda: ZBox(0, None), "high is missing"),
        (lambda: ZBox([0, 0], [1, 1, 1]), "do not broadcast"),
        (lambda: ZBox([[0], [1, 2]], 3), "low must be a finite number or an array of them"),
        (lambda: ZBox("a", 3), "low must be a finite number or an array of them"),
        (lambda: ZBox(0, []), "high must be a finite number or an array of them"),
        (lambda: ZBox(0, 1, bias="keep"), "bias must be 'drop'"),
    ],
)
def test_refuses_values_that_make_no_sense(make: Any, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        make()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"rule": "gama"}, "rule 'gama' is unknown. Did you mean 'gamma'"),
        ({"rule": ["gamma"]}, "is unknown"),
        ({}, "rule 'None' is unknown"),
        ({"rule": "gamma", "gama": 1}, "no parameter 'gama'. Did you mean 'gamma'"),
        ({"rule": "gamma", 3: 1}, "no parameter 3"),
        ({"rule": "zero", "epsilon": 1}, "rule 'zero' has no parameter 'epsilon'"),
    ],
)
def test_refuses_data_that_is_no_rule(spec: dict[Any, Any], message: str) -> None:
    with pytest.raises(RuleError, match=message):
        rule_from_dict(spec)


def test_parameters_are_what_a_rule_takes() -> None:
    assert parameters("alpha_beta") == ("alpha", "beta", "epsilon", "relative", "bias")
    assert parameters("pass") == ()


def test_neurons_are_alike_where_neither_weights_nor_biases_count() -> None:
    assert Flat().sees_alike
    as_scaled = Unified(theta0=1.0, theta1=0.0, gamma0=1.0, gamma1=0.0, bias="drop")
    for other in (Flat(bias="keep"), as_scaled, WSquare(), Epsilon(), ZBox(0, 1), Pass()):
        assert not other.sees_alike
