from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import CompositeError
from onnxlrp.rules import Rule, ZPlus
from tests.rules.strategies import rules


@given(rules())
def test_a_rules_own_text_is_read_back(rule: Rule) -> None:
    if rule.name in ("epsilon", "gamma"):
        assert Composite.parse(str(rule)).entries == (Entry(Selector(), rule, optional=True),)
    else:
        assert Composite.parse(str(rule)).entries == (Entry(Selector(), rule),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epsilon_plus", Composite.preset("epsilon_plus")),
        ("gamma:gamma=.1", Composite.preset("gamma", gamma=0.1)),
        ("montavon:low=-2.1,high=2.6", Composite.preset("montavon", low=-2.1, high=2.6)),
        ("montavon:low=[-2, -1],high=3", Composite.preset("montavon", low=[-2, -1], high=3)),
        (
            "epsilon:epsilon=1e-3,relative=true",
            Composite.preset("epsilon", epsilon=1e-3, relative=True),
        ),
    ],
)
def test_presets(text: str, expected: Composite) -> None:
    assert Composite.parse(text) == expected


def test_files(tmp_path: Path) -> None:
    design = Composite("mine", (Entry(Selector(), ZPlus()),))
    design.save(tmp_path / "mine.yaml")
    assert Composite.parse(str(tmp_path / "mine.yaml")) == design


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epsilon_pluss", "neither a preset, nor a rule, nor a file. Did you mean 'epsilon_plus'"),
        ("gamma:gama=1", "Did you mean 'gamma'"),
        ("z_plus:epsilon", "epsilon must be a finite number, got None"),
        ("z_plus:epsilon=[1", r"'z_plus:epsilon=\[1': line 1, column"),
        ("z_plus:bias=keep,bias=drop", "key 'bias' is given twice"),
        ("none.yaml", "none.yaml: cannot be read"),
    ],
)
def test_refuses_what_it_does_not_know(text: str, message: str) -> None:
    with pytest.raises(CompositeError, match=message):
        Composite.parse(text)
