"""Choices and activations element by element."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import parser

import onnxlrp
from onnxlrp.rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare
from tests import naive
from tests.engine.carry import carry
from tests.ops.single import SingleNode, normal

A, B = normal(2, 3, 4, seed=1), normal(2, 3, 4, seed=2)


@pytest.mark.parametrize("op, wins", [("Max", np.greater_equal), ("Min", np.less_equal)])
def test_the_winner_takes_all_and_the_first_one_on_ties(op, wins):
    b = B.copy()
    b[:, 0] = A[:, 0]
    single, relevance = SingleNode(op, [A, b]), normal(2, 3, 4, seed=3)
    to_a, to_b = single.operation.propagate(relevance, single.tensors())
    np.testing.assert_array_equal(to_a, np.where(wins(A, b), relevance, 0))
    np.testing.assert_array_equal(to_b, np.where(wins(A, b), 0, relevance))


def test_a_mask_of_each_pictures_own_where_the_file_takes_one_at_a_time():
    single = """<ir_version: 8, opset_import: ["" : 17]>
        net (float[{n}, 4] x) => (float[{n}, 4] y) <float half = {{0.5}}>
        {{ m = Greater(x, half)  y = Where(m, x, half) }}"""
    x = normal(3, 4)
    every, one = (
        onnxlrp.explain(
            onnxlrp.load(parser.parse_model(single.format(n=n))), x, "epsilon", target=2
        ).relevance
        for n in ("N", 1)
    )
    np.testing.assert_array_equal(every, one)


def test_a_winner_that_was_repeated_collects_its_copies():
    one = np.full((2, 1, 1), 9, np.float32)
    single, relevance = SingleNode("Max", [A, one, B]), normal(2, 3, 4, seed=3)
    to_a, to_one, to_b = single.operation.propagate(relevance, single.tensors())
    assert not to_a.any() and not to_b.any()
    np.testing.assert_allclose(to_one[:, 0, 0], relevance.sum(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize("op", ["Max", "Min"])
def test_a_constant_bound_passes_relevance_like_clip(op):
    single, relevance = SingleNode(op, [A], {1: np.float32(0.3)}), normal(2, 3, 4, seed=3)
    (part,) = single.operation.propagate(relevance, single.tensors())
    np.testing.assert_array_equal(part, relevance)


@pytest.mark.parametrize("op", ["Swish", "Gelu", "Neg", "Sqrt", "Round", "Sign", "Exp"])
def test_activations_pass_relevance(op):
    single, relevance = SingleNode(op, [np.abs(A)], opset=24), normal(2, 3, 4, seed=3)
    (part,) = single.operation.propagate(relevance, single.tensors())
    np.testing.assert_array_equal(part, relevance)


@pytest.mark.parametrize(
    "op, constants, attributes, of_any, of_nonnegative",
    [
        ("Relu", {}, {}, True, True),
        ("Tanh", {}, {}, False, False),
        ("Floor", {}, {}, False, True),
        ("Neg", {}, {}, False, False),
        ("Clip", {1: 0.0, 2: 6.0}, {}, True, True),
        ("Clip", {1: -1.0, 2: 6.0}, {}, False, True),
        ("Clip", {1: -3.0, 2: -1.0}, {}, False, False),
        ("Max", {1: 0.0}, {}, True, True),
        ("Max", {1: -1.0}, {}, False, True),
        ("Min", {1: 6.0}, {}, False, True),
        ("Min", {1: -1.0}, {}, False, False),
        ("Pow", {1: 2.0}, {}, True, True),
        ("Pow", {1: 3.0}, {}, False, True),
        ("Pow", {0: -2.0}, {}, False, False),
        ("Softmax", {}, {}, True, True),
        ("LogSoftmax", {}, {}, False, False),
    ],
)
def test_says_truly_whether_its_output_can_be_negative(
    op, constants, attributes, of_any, of_nonnegative
):
    constants = {k: np.float32(v) for k, v in constants.items()}
    operation = SingleNode(op, [A], constants, **attributes).operation
    assert operation.nonnegative(False) is of_any
    assert operation.nonnegative(True) is of_nonnegative


@pytest.mark.parametrize("low, of_any", [(0.0, True), (-1.0, False)])
def test_old_clips_have_their_bounds_as_attributes(low, of_any):
    operation = SingleNode("Clip", [A], opset=10, min=low, max=6.0).operation
    assert operation.bounds == (low, 6.0)
    assert operation.nonnegative(False) is of_any


def test_a_computed_bound_promises_nothing():
    single = SingleNode("Clip", [A, np.float32(0), np.float32(-1)], steering=(1, 2))
    assert not single.operation.nonnegative(True)


RULES = {
    "epsilon": (Epsilon(), lambda W, b, a, R: naive.epsilon(W, b, a, R)),
    "gamma": (Gamma(0.25), lambda W, b, a, R: naive.gamma(W, b, a, R)),
    "alpha beta": (AlphaBeta(2, 1), lambda W, b, a, R: naive.alpha_beta(W, b, a, R)),
    "w square": (WSquare(), lambda W, b, a, R: naive.w_square(W, b, a, R)),
    "flat": (Flat(), lambda W, b, a, R: naive.flat((W != 0).astype(float), R)),
}

LINEAR = {
    "sum, axes by attribute": SingleNode("ReduceSum", [A], opset=11, axes=[-1], keepdims=0),
    "sum, axes by input": SingleNode("ReduceSum", [A], {1: np.array([1])}, opset=13),
    "mean over two axes": SingleNode("ReduceMean", [A], opset=13, axes=[1, 2], keepdims=1),
    "running sum": SingleNode("CumSum", [A], {1: np.array(2)}),
    "running sum, exclusive": SingleNode("CumSum", [A], {1: np.array(-1)}, exclusive=1),
    "running sum, reverse": SingleNode("CumSum", [A], {1: np.array(1)}, reverse=1),
    "running sum, both": SingleNode("CumSum", [A], {1: np.array(1)}, reverse=1, exclusive=1),
    "einsum, weights second": SingleNode(
        "Einsum", [A], {1: normal(5, 4, seed=7)}, equation="nij,kj->nik"
    ),
    "einsum, weights first": SingleNode(
        "Einsum", [A], {0: normal(3, 4, 5, seed=7)}, equation="ijk,nij->nk"
    ),
    "einsum, ellipsis": SingleNode(
        "Einsum", [A], {1: normal(3, 4, 2, seed=7)}, equation="...j,cjk->...ck"
    ),
    "einsum, implicit output": SingleNode("Einsum", [A], {1: normal(4, 2)}, equation="aij,jz"),
    "einsum, an index summed alone": SingleNode(
        "Einsum", [A], {1: normal(3, 2)}, equation="nij,ik->nk"
    ),
    "einsum of one operand": SingleNode("Einsum", [A], equation="nij->nj"),
    "matmul with a vector": SingleNode("MatMul", [A], {1: normal(4, seed=7)}),
    "matmul from the left": SingleNode("MatMul", [A], {0: normal(5, 3, seed=7)}),
    "matmul of a stack": SingleNode("MatMul", [A[:, None]], {1: normal(2, 4, 2, seed=7)}),
}


def matrix_of(single):
    """The node's matrix on one picture, column by column, from onnxruntime."""
    (x,) = single.inputs.values()
    columns = []
    for unit in np.eye(x[0].size, dtype=np.float32):
        twice = np.repeat(unit.reshape(1, *x.shape[1:]), 2, axis=0)
        columns.append(single.run(twice)[0][0].ravel())
    return np.stack(columns, axis=1).astype(float)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", LINEAR)
def test_linear_operations_under_every_rule(name, rule):
    single, (rule, truth) = LINEAR[name], RULES[rule]
    (x,), (y,) = single.inputs.values(), single.run()
    relevance = np.where(np.abs(y) > 0.3, normal(*y.shape, seed=5), np.float32(0))
    (part,) = carry(single, rule, relevance)
    W = matrix_of(single)
    for n in range(2):
        a, R = x[n].astype(float).ravel(), relevance[n].astype(float).ravel()
        assert naive.relative_error(part[n].ravel(), truth(W, np.zeros(len(W)), a, R)) <= 1e-5
