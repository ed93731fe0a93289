from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import CompositeError, RuleError, SelectorError
from onnxlrp.preprocess import Preprocessing
from onnxlrp.rules import AlphaBeta, Epsilon, Flat, Gamma, ZBox, ZPlus
from tests.composites.strategies import composites
from tests.graph_select.nets import chain, two_branches

NET = ("Conv", "Relu", "Conv", "BatchNormalization", "Relu", "Gemm")
LAYERED = Composite(
    "layered",
    (
        Entry(Selector(), Epsilon()),
        Entry(Selector(op="Conv"), ZPlus()),
        Entry(Selector(first=True), Flat()),
    ),
)


def test_the_last_entry_that_matches_wins() -> None:
    assignment = LAYERED.assign(chain(*NET))
    assert assignment.rules == {0: Flat(), 2: ZPlus(), 5: Epsilon()}
    assert assignment.entries == {0: (0, 1, 2), 2: (0, 1), 5: (0,)}


def test_layers_without_an_entry_are_left_to_their_operation() -> None:
    design = Composite("gemm", (Entry(Selector(op="Gemm"), Epsilon(0.1)),))
    assert design.assign(chain(*NET)).rules == {5: Epsilon(0.1)}
    assert Composite("none").assign(chain(*NET)).rules == {}


def test_only_layers_that_take_a_rule_get_one() -> None:
    design = Composite("all", (Entry(Selector(op="*"), Epsilon(0.1)),))
    assert set(design.assign(chain(*NET), linear={0, 2, 3, 5}).rules) == {0, 2, 3, 5}


def test_an_entry_that_matches_nothing_is_an_error() -> None:
    design = Composite("typo", (Entry(Selector(), ZPlus()), Entry(Selector(op="conv"), Gamma())))
    message = (
        r"composite 'typo', entry 2 \(op conv → gamma\) matches no layer: "
        r"tiny has no layer of type conv. Did you mean 'Conv'\?"
    )
    with pytest.raises(SelectorError, match=message):
        design.assign(chain(*NET))


def test_an_optional_entry_may_match_nothing() -> None:
    design = Composite("maybe", (Entry(Selector(op="MatMul"), Gamma(), optional=True),))
    assert design.assign(chain(*NET)).rules == {}


def test_open_bounds_come_from_the_preprocessing() -> None:
    preprocessing = Preprocessing((8, 8), mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 0.5))
    design = Composite("box", (Entry(Selector(first=True), ZBox()),))
    rule = design.assign(chain(*NET, preprocessing=preprocessing)).rules[0]
    assert rule == ZBox(low=preprocessing.low, high=preprocessing.high)


def test_given_bounds_stay() -> None:
    design = Composite("box", (Entry(Selector(), ZBox(-3, 3)),))
    assert design.assign(chain(*NET, preprocessing=Preprocessing())).rules[0] == ZBox(-3, 3)


def test_open_bounds_without_a_source_are_an_error() -> None:
    first = Composite("box", (Entry(Selector(first=True), ZBox()),))
    with pytest.raises(CompositeError, match=r"z_box on conv_0 \(Conv\) needs low and high"):
        first.assign(chain(*NET))
    hidden = Composite("box", (Entry(Selector(index=2), ZBox()),))
    with pytest.raises(CompositeError, match="it is no first layer"):
        hidden.assign(chain(*NET, preprocessing=Preprocessing()))


def test_explains_who_chose_what() -> None:
    lines = LAYERED.explain_assignment(chain(*NET)).splitlines()
    assert lines[0].split() == ["#", "layer", "type", "rule", "entry", "overridden"]
    assert lines[1].split() == ["0", "conv_0", "Conv", "flat", "3", "1,", "2"]
    assert lines[2].split() == ["1", "relu_1", "Relu", "–"]
    assert lines[3].split() == ["2", "conv_2", "Conv", "z_plus", "2", "1"]
    assert lines[6].split() == ["5", "gemm_5", "Gemm", "epsilon", "1"]
    assert len(lines) == 1 + len(NET)


def test_explains_what_is_left_to_the_operation() -> None:
    table = Composite("none").explain_assignment(two_branches(), linear={0, 1, 3, 4, 5})
    rules = [line.split()[3] for line in table.splitlines()[1:]]
    assert rules == ["default", "default", "–", "default", "default", "default"]


def test_long_bounds_are_cut_in_the_table() -> None:
    design = Composite("box", (Entry(Selector(first=True), ZBox([-1] * 50, [1] * 50)),))
    first = design.explain_assignment(chain(*NET)).splitlines()[1]
    assert len(first) < 120
    assert "…" in first


def test_options() -> None:
    assert Composite("a").options == {"max_pool": "winner", "product": "auto"}
    assert Composite("a", max_pool="average").options["max_pool"] == "average"


@given(composites())
def test_a_composite_survives_as_data(composite: Composite) -> None:
    assert Composite.from_dict(composite.to_dict()) == composite
    assert hash(Composite.from_dict(composite.to_dict())) == hash(composite)


def test_data_holds_only_what_was_said() -> None:
    assert LAYERED.to_dict() == {
        "schema": 1,
        "name": "layered",
        "entries": [
            {"select": {}, "rule": "epsilon"},
            {"select": {"op": "Conv"}, "rule": "z_plus"},
            {"select": {"first": True}, "rule": "flat"},
        ],
    }


def design(**entry: Any) -> dict[str, Any]:
    return {"schema": 1, "name": "a", "entries": [{"rule": "epsilon"}, entry]}


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([], CompositeError, "a design maps schema, name, entries"),
        ({"schema": 2, "name": "a"}, CompositeError, "schema is 2; this version reads"),
        ({"schema": True, "name": "a"}, CompositeError, "schema is True"),
        ({"name": "a"}, CompositeError, "schema is None"),
        ({"schema": 1}, CompositeError, "a design needs a name"),
        ({"schema": 1, "name": 3}, CompositeError, "name must be text, got 3"),
        ({"schema": 1, "name": " "}, CompositeError, "needs a name, got an empty one"),
        ({"schema": 1, "name": "\ud800"}, CompositeError, "name must be text"),
        ({"schema": 1, "name": "a", "entries": {}}, CompositeError, "its entries are a list"),
        ({"schema": 1, "name": "a", "entry": []}, CompositeError, "Did you mean 'entries'"),
        ({"schema": 1, "name": "a", "max_pool": "avg"}, CompositeError, "max_pool is one of"),
        (
            {"schema": 1, "name": "a", "product": "uniforms"},
            CompositeError,
            "Did you mean 'uniform'",
        ),
        (design(rule="gama"), RuleError, "entry 2: rule 'gama' is unknown. Did you mean 'gamma'"),
        (design(rule="gamma", gamma=-1), RuleError, "entry 2: rule 'gamma': gamma must be at"),
        (design(rule="gamma", selects={}), CompositeError, "entry 2: .*Did you mean 'select'"),
        (design(select={}), CompositeError, "entry 2: an entry needs a rule"),
        (design(rule="flat", select={"ops": "Conv"}), SelectorError, "entry 2: .*mean 'op'"),
        (design(rule="flat", select=3), SelectorError, "entry 2: a selector maps"),
        (design(rule="flat", optional=1), CompositeError, "entry 2: optional must be true"),
        ({**design(), "entries": ["flat"]}, CompositeError, "entry 1: an entry maps"),
    ],
)
def test_refuses_data_that_is_no_design(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Composite.from_dict(data)


def test_refuses_entries_that_are_none() -> None:
    with pytest.raises(CompositeError, match="entries must be Entry"):
        Composite("a", (AlphaBeta(),))  # type: ignore[arg-type]  # what is tested
