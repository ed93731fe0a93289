from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.graph.control import LONGEST_LOOP
from onnxlrp.graph.load import load
from onnxlrp.runtime import run
from tests.graph.networks import linear, network

X = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)


def ops(model):
    return [layer.op for layer in model.layers]


def output(model, x=X):
    return run(model, x, [model.explained]).value(model.explained)


BRANCHES = """<
    then_branch = yes () => (float[N, 4] a) { h = Neg(x)  a = Relu(h) },
    else_branch = no () => (float[N, 4] b) { b = Abs(x) }>"""


@pytest.mark.parametrize("yes", [True, False])
def test_if_by_a_constant_is_written_out(yes):
    text = f"(float[N, 4] x) => (float[N, 4] y) {{ c = Not(no)  y = If (c) {BRANCHES} }}"
    proto = network(text, no=np.array(not yes))
    proto.graph.node[1].name = "choice"
    model = load(proto)
    assert ops(model) == (["Neg", "Relu"] if yes else ["Abs"])
    assert "always takes its then branch" in model.changes[0].detail or not yes
    np.testing.assert_array_equal(output(model), np.maximum(-X, 0) if yes else np.abs(X))


def test_if_by_a_fixed_size_is_written_out():
    text = f"""(float[N, 4] x) => (float[N, 4] y) {{
        s = Shape(x)  n = Gather(s, one)  c = Equal(n, four)  y = If (c) {BRANCHES} }}"""
    assert ops(load(network(text, one=np.array(1), four=np.array(4)))) == ["Neg", "Relu"]
    model = load(network(text, one=np.array(0), four=np.array(4)))
    assert ops(model) == ["If"]


def test_branch_within_a_branch_keeps_what_it_reads():
    text = """(float[N, 4] x) => (float[N, 4] y) { h = Tanh(x)  y = If (yes) <
        then_branch = outer () => (float[N, 4] a) { h1 = Relu(h)  a = If (yes) <
            then_branch = inner () => (float[N, 4] b) { w1 = Add(h1, h)  b = Add(w1, w) },
            else_branch = none () => (float[N, 4] d) { d = Identity(h1) }> },
        else_branch = other () => (float[N, 4] c) { c = Abs(x) }> }"""
    model = load(network(text, yes=np.array(True), w=np.float32(2)))
    assert ops(model) == ["Tanh", "Relu", "Add", "Add"]
    np.testing.assert_allclose(output(model), np.maximum(np.tanh(X), 0) + np.tanh(X) + 2, 1e-6)


def test_two_branches_of_the_same_names_do_not_mix():
    text = f"""(float[N, 4] x) => (float[N, 4] y) {{
        p = If (yes) {BRANCHES}  q = If (yes) {BRANCHES}  y = Add(p, q) }}"""
    model = load(network(text, yes=np.array(True)))
    assert ops(model) == ["Neg", "Relu", "Neg", "Relu", "Add"]
    assert len({layer.name for layer in model.layers}) == 5
    np.testing.assert_array_equal(output(model), 2 * np.maximum(-X, 0))


LOOP = """(float[N, 4] x) => (float[N, 4] y, float[M, N, 4] all) { y, all = Loop (%s) <
    body = turn (int64 i, bool go, float[N, 4] state)
        => (bool go_on, float[N, 4] next, float[N, 4] seen)
        { %s  h = MatMul(state, w)  next = Relu(h)  seen = Tanh(next) }> }"""


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        ("three, , x", "go_on = Identity(go)"),
        ("three, yes, x", "go_on = Cast <to = 9> (yes)"),
        (", yes, x", "go_on = Less(i, two)"),
        ("many, yes, x", "go_on = Less(i, two)"),
    ],
)
@pytest.mark.parametrize("opset", [11, 17])
def test_loop_of_known_turns_is_written_out(given, condition, opset):
    numbers = {"two": np.array(2), "three": np.array(3), "many": np.array(2**62)}
    proto = network(LOOP % (given, condition), opset, w=linear(4, 4), yes=np.array(True), **numbers)
    model = load(proto)
    assert ops(model) == ["MatMul", "Relu"] * 3
    states = [X]
    for _ in range(3):
        states.append(np.maximum(states[-1] @ linear(4, 4), 0))
    np.testing.assert_allclose(output(model), states[-1], 1e-5)
    stacked = load(proto, output="all")
    assert ops(stacked)[-2:] == ["Unsqueeze", "Concat"]
    np.testing.assert_allclose(output(stacked), np.tanh(np.stack(states[1:])), 1e-5)


@pytest.mark.parametrize("condition", ["go_on = Identity(go)", "go_on = Cast <to = 9> (i)"])
def test_loop_without_an_end_or_too_long_stays(condition):
    given = "many, yes, x" if "go)" in condition else "turns, yes, x"
    numbers = {"many": np.array(LONGEST_LOOP + 1), "turns": np.array(3)}
    text = LOOP % (given, condition)
    text = text if "go)" in condition else text.replace("Cast <to = 9> (i)", "Greater(top, zero)")
    text = text.replace("go_on = G", "top = ReduceMax <keepdims = 0> (state)  go_on = G")
    proto = network(text, w=linear(4, 4), yes=np.array(True), zero=np.float32(0), **numbers)
    assert ops(load(proto)) == ["Loop"]


def test_loop_of_no_turn_hands_its_state_on():
    text = """(float[N, 4] x) => (float[N, 4] y) { h = Relu(x)  y = Loop (none, , h) <
        body = turn (int64 i, bool go, float[N, 4] state) => (bool go_on, float[N, 4] next)
            { go_on = Identity(go)  next = Tanh(state) }> }"""
    model = load(network(text, none=np.array(0)))
    assert ops(model) == ["Relu"]
