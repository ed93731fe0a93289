"""Hypothesis strategies for rules."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

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

BIASES = st.sampled_from(["keep", "drop", "spread"])
AMOUNTS = st.floats(0, 1e6, width=32)
NUMBERS = st.floats(-1e6, 1e6)


def _stabilised(rule: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Rule]:
    fields = {"epsilon": AMOUNTS, "relative": st.booleans(), "bias": BIASES} | fields
    return st.builds(rule, **fields)


def _alpha_beta() -> st.SearchStrategy[Rule]:
    def make(beta: float, **common: Any) -> Rule:
        return AlphaBeta(alpha=1 + beta, beta=beta, **common)

    return _stabilised(make, beta=st.floats(0, 100))


def _boxes() -> st.SearchStrategy[Rule]:
    bounds = st.lists(st.floats(0, 10), min_size=1, max_size=3)

    def make(low: float, widths: list[float], **common: Any) -> Rule:
        return ZBox(low, [[low + width] for width in widths], **common)

    closed = _stabilised(make, low=NUMBERS, widths=bounds, bias=st.just("drop"))
    return closed | _stabilised(ZBox, bias=st.just("drop"))


def named_rules() -> st.SearchStrategy[Rule]:
    """Draw every rule but the unified one, with any legal parameters."""
    return st.one_of(
        st.builds(Zero, bias=BIASES),
        st.just(Pass()),
        _stabilised(Epsilon),
        _stabilised(Gamma, gamma=AMOUNTS),
        _stabilised(ZPlus),
        _alpha_beta(),
        _boxes(),
        _stabilised(WSquare),
        _stabilised(Flat),
    )


def unified_rules() -> st.SearchStrategy[Rule]:
    """Draw the unified rule with any legal numbers."""
    names = [f.name for f in fields(Unified) if f.type == "float" and f.name != "epsilon"]
    return _stabilised(Unified, **dict.fromkeys(names, NUMBERS))


def rules() -> st.SearchStrategy[Rule]:
    """Draw any rule."""
    return named_rules() | unified_rules()
