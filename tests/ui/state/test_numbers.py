"""The ten numbers of a rule: read, changed one at a time, and named again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import RuleError
from onnxlrp.rules import (
    RULES,
    AlphaBeta,
    Epsilon,
    Gamma,
    Pass,
    Rule,
    Unified,
    ZBox,
    ZPlus,
)
from ui.state.labels import rule_name
from ui.state.numbers import NUMBERS, conserves, numbers_of, with_number

NUMBERED = [cls() for name, cls in RULES.items() if name not in ("pass", "z_box")]


@pytest.mark.parametrize("rule", NUMBERED, ids=str)
@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: n.key)
def test_a_number_put_where_it_was_changes_nothing(rule: Rule, number) -> None:
    value = numbers_of(rule)[number.key]
    changed = with_number(rule, number.key, value)
    assert numbers_of(changed) == numbers_of(rule)
    assert changed.as_unified() == rule.as_unified() or number.key in ("alpha", "beta")


@given(st.floats(0, 10), st.sampled_from(NUMBERED))
def test_epsilon_keeps_the_rule(value: float, rule: Rule) -> None:
    changed = with_number(rule, "epsilon", value)
    assert changed.epsilon == pytest.approx(value, abs=1e-12)
    if value > 1e-9 and rule.name != "zero":
        assert rule_name(changed) == rule_name(rule)


def test_a_preset_becomes_custom_and_finds_its_name_again() -> None:
    custom = with_number(Gamma(0.3), "theta0", 0.2)
    assert isinstance(custom, Unified)
    assert with_number(custom, "theta0", 0.0) == Gamma(0.3)


def test_epsilon_at_zero_is_lrp_0_and_gamma_at_zero_is_epsilon() -> None:
    assert rule_name(with_number(Epsilon(0.25), "epsilon", 0)) == "zero"
    assert rule_name(with_number(Gamma(0.3), "gamma1_plus", 0)) == "gamma"


@given(st.floats(1, 50))
def test_locked_alpha_takes_beta_along(alpha: float) -> None:
    changed = with_number(AlphaBeta(2, 1), "alpha", alpha)
    numbers = numbers_of(changed)
    assert numbers["alpha"] == pytest.approx(alpha)
    assert conserves(changed)


@given(st.floats(0, 50))
def test_locked_beta_takes_alpha_along(beta: float) -> None:
    changed = with_number(AlphaBeta(2, 1), "beta", beta)
    assert numbers_of(changed)["beta"] == pytest.approx(beta)
    assert conserves(changed)


def test_the_lock_refuses_what_it_cannot_keep() -> None:
    with pytest.raises(RuleError, match=r"α − β = 1 is locked, so α is at least 1, got 0\.5"):
        with_number(AlphaBeta(2, 1), "alpha", 0.5)
    with pytest.raises(RuleError, match="so β is at least 0"):
        with_number(AlphaBeta(2, 1), "beta", -1.0)


def test_without_the_lock_relevance_is_not_conserved_and_that_is_known() -> None:
    free = with_number(AlphaBeta(2, 1), "alpha", 1.5, locked=False)
    assert (numbers_of(free)["alpha"], numbers_of(free)["beta"]) == (1.5, 1.0)
    assert not conserves(free)
    assert rule_name(free) == "custom"


def test_beta_ends_the_mirror_of_gamma() -> None:
    assert numbers_of(with_number(Gamma(0.3), "beta", 0.5))["beta"] == 0.5


def test_open_bounds_stay_open() -> None:
    assert with_number(ZBox(), "epsilon", 0.1) == ZBox(epsilon=0.1)
    assert numbers_of(ZBox())["gamma1_plus"] == 1
    with pytest.raises(RuleError, match="once low and high are given"):
        with_number(ZBox(), "gamma1", 1.0)


def test_pass_has_no_numbers() -> None:
    assert numbers_of(Pass()) == {}
    assert conserves(Pass())
    with pytest.raises(RuleError, match="'pass' has no numbers"):
        with_number(Pass(), "epsilon", 1.0)


def test_a_value_out_of_range_is_refused_by_the_rule() -> None:
    with pytest.raises(RuleError, match="epsilon must be at least 0"):
        with_number(ZPlus(), "epsilon", -1.0)
    with pytest.raises(RuleError, match="there is no number 'gama'"):
        with_number(ZPlus(), "gama", 1.0)
