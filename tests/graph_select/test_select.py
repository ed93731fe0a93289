from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import SelectorError
from onnxlrp.graph.select import Selector
from tests.graph_select.nets import VGG16, chain, layer, model_of, two_branches
from tests.graph_select.strategies import selectors


def found(selector: Selector, *ops: str) -> list[int]:
    return sorted(selector.matches(chain(*ops)))


NET = ("Conv", "Relu", "ConvTranspose", "BatchNormalization", "MaxPool", "Gemm", "MatMul")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (Selector(), [0, 2, 5, 6]),
        (Selector(op="Conv"), [0]),
        (Selector(op="Conv*"), [0, 2]),
        (Selector(op=("Gemm", "MatMul")), [5, 6]),
        (Selector(op="BatchNormalization"), [3]),
        (Selector(op="*"), [0, 1, 2, 3, 4, 5, 6]),
        (Selector(name="conv*"), [0, 2]),
        (Selector(name=["gemm_5", "relu_1"]), [1, 5]),
        (Selector(index=2), [2]),
        (Selector(index=1), []),
        (Selector(index=-1), [6]),
        (Selector(index=(1, 5)), [2, 5]),
        (Selector(index=(-3, -1)), [5, 6]),
        (Selector(index=(2, -2)), [2, 5]),
        (Selector(op="*", index=(1, 3)), [1, 2, 3]),
        (Selector(depth=(0, 1)), [0, 2, 5, 6]),
        (Selector(depth=(0, 0.5)), [0, 2]),
        (Selector(depth=(0.5, 1)), [5, 6]),
        (Selector(op="*", depth=(0.3, 0.5)), [2, 3, 4]),
        (Selector(first=True), [0]),
        (Selector(last=True), [6]),
        (Selector(first=True, last=True), []),
        (Selector(op="Gemm", name="*_5", index=(0, 6), depth=(0.5, 1)), [5]),
        (Selector(op="Gemm", index=2), []),
    ],
    ids=str,
)
def test_matches(selector: Selector, expected: list[int]) -> None:
    assert found(selector, *NET) == expected


def test_only_layers_that_take_a_rule() -> None:
    model = chain(*NET)
    assert Selector(op="*").matches(model, {0, 3}) == {0, 3}
    assert Selector().matches(model, {0, 3}) == {0}


def test_depth_counts_weighted_layers() -> None:
    weighted = [i for i, op in enumerate(VGG16) if op in ("Conv", "Gemm")]
    assert len(weighted) == 16
    assert found(Selector(depth=(0, 7 / 16)), *VGG16) == weighted[:7]
    assert found(Selector(depth=(7 / 16, 13 / 16)), *VGG16) == weighted[7:13]
    assert found(Selector(depth=(13 / 16, 1)), *VGG16) == weighted[13:]


def test_the_only_weighted_layer_has_depth_zero() -> None:
    assert found(Selector(depth=(0, 0.1)), "Relu", "Conv") == [1]
    assert found(Selector(op="Relu", depth=(0, 0.1)), "Relu", "Conv") == [0]


def test_several_layers_can_be_first() -> None:
    model = two_branches()
    assert Selector(first=True).matches(model) == {0, 1}
    assert Selector(last=True).matches(model) == {5}


def test_a_name_with_brackets_fits_as_it_stands() -> None:
    odd = layer(0, "Conv", "x", "y")
    model = model_of([odd])
    name = odd.name
    assert Selector(name=name).matches(model) == {0}
    assert Selector(name="conv_[0-9]").matches(model) == {0}


@given(selectors())
def test_a_selector_survives_as_data(selector: Selector) -> None:
    assert Selector.from_dict(selector.to_dict()) == selector
    assert hash(Selector.from_dict(selector.to_dict())) == hash(selector)


@given(st.floats(0.01, 0.99), st.integers(1, 12))
def test_two_spans_that_meet_share_out_all_layers(cut: float, count: int) -> None:
    model = chain(*["Conv"] * count)
    lower = Selector(depth=(0, cut)).matches(model)
    upper = Selector(depth=(cut, 1)).matches(model)
    assert lower | upper == set(range(count))
    assert not lower & upper


def test_text_for_people() -> None:
    assert str(Selector()) == "every weighted layer"
    selector = Selector(op=("Conv", "Gemm"), index=(0, 7), first=True)
    assert str(selector) == "op Conv or Gemm, index 0 to 7, first"


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        (Selector(op="conv"), "tiny has no layer of type conv. Did you mean 'Conv'?"),
        (Selector(name="gem_5"), "tiny has no layer of name gem_5. Did you mean 'gemm_5'?"),
        (Selector(index=7), "tiny has layers 0 to 6."),
        (Selector(index=-8), "tiny has layers 0 to 6."),
        (Selector(index=1), "layer 1 is relu_1 (Relu), which has no weights."),
        (Selector(op="Gemm", index=2), "no layer of tiny that takes a rule fits all of it."),
    ],
    ids=str,
)
def test_says_why_nothing_fits(selector: Selector, why: str) -> None:
    model = chain(*NET)
    assert not selector.matches(model)
    assert selector.why_empty(model) == why


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"ops": "Conv"}, "no key 'ops'. Did you mean 'op'"),
        ({1: 2}, "no key 1"),
        ("Conv", "a selector maps"),
        ({"op": 3}, "op must be a name, a glob, or a list of them, got 3"),
        ({"op": []}, "op must be"),
        ({"name": ""}, "name must be"),
        ({"index": 1.5}, "index must be an integer"),
        ({"index": True}, "index must be an integer"),
        ({"index": [1, 2, 3]}, "index must be an integer"),
        ({"index": [5, 2]}, "runs backwards, from 5 to 2"),
        ({"depth": 0.5}, "depth must be two numbers"),
        ({"depth": [0.5, 0.5]}, "depth must be two numbers"),
        ({"depth": [0, 1.5]}, "depth must be two numbers"),
        ({"depth": [False, True]}, "depth must be two numbers"),
        ({"first": "yes"}, "first must be true or false, got 'yes'"),
    ],
)
def test_refuses_what_makes_no_sense(spec: Any, message: str) -> None:
    with pytest.raises(SelectorError, match=message):
        Selector.from_dict(spec)
