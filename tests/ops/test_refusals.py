"""What cannot be explained is refused politely: every node named at once, each with its reason."""

from __future__ import annotations

import re

import numpy as np
import pytest
from onnx import defs, parser

import onnxlrp
from onnxlrp.errors import UnsupportedOperationError
from onnxlrp.graph.proto import SPELLED_OUT
from onnxlrp.graph.refusals import FUSED, REFUSALS, UNSIGNALLED, refusal
from onnxlrp.ops import OPERATIONS, bind
from tests.ops.single import SingleNode, normal


def test_every_operator_of_the_standard_is_treated_refused_or_carries_nothing():
    standard = {schema.name for schema in defs.get_all_schemas() if schema.domain == ""}
    known = [set(OPERATIONS), set(REFUSALS), UNSIGNALLED, SPELLED_OUT]
    assert standard <= set.union(*known)
    assert sum(map(len, known)) == len(set.union(*known))


def test_what_is_refused_is_an_operator_of_the_standard():
    standard = {schema.name for schema in defs.get_all_schemas() if schema.domain == ""}
    assert set(REFUSALS) | UNSIGNALLED <= standard


@pytest.mark.parametrize("op", sorted(OPERATIONS))
def test_every_operation_says_in_one_line_what_it_does(op):
    factory = OPERATIONS[op]
    line = factory.treatment if isinstance(factory, type) else factory.__doc__.splitlines()[0]
    assert line and "\n" not in line


@pytest.mark.parametrize("op", sorted(REFUSALS))
def test_reasons_read_as_the_end_of_a_sentence(op):
    reason = refusal(op)
    assert reason and not reason.endswith(".") and reason[0] == reason[0].lower()


@pytest.mark.parametrize(
    "domain, why",
    [("ai.onnx.ml", "machine-learning"), ("com.microsoft", "without onnxruntime's optimisations"),
     ("org.example", "'org.example'.*standard operators")],
)  # fmt: skip
def test_other_domains_are_refused_by_name(domain, why):
    reason = refusal("Special", domain)
    assert re.search(why, reason)


def test_every_node_is_named_at_once():
    model = onnxlrp.load(
        parser.parse_model(
            """<ir_version: 8, opset_import: ["" : 17]>
            net (float[N, 2, 4, 4] x) => (float[N, 2, 4, 4] y)
            <int64[1] k = {2}, float[2, 2, 1, 1] w = {1.0, 2.0, 3.0, 4.0}>
            {
                [pick] v, i = TopK(x, k)
                [look] a = Conv(x, w)
                b = Tanh(v)
                d, j = TopK(b, k)
                s = ReduceSum(d)
                [mix] y = Mul(a, s)
            }"""
        )
    )
    with pytest.raises(UnsupportedOperationError) as caught:
        bind(model)
    head, *lines = str(caught.value).splitlines()
    assert head == "3 nodes cannot be explained:"
    assert [line.split(":")[0].strip() for line in lines] == [
        "node 'pick' (TopK)", "node 'TopK_0' (TopK)", "node 'ReduceSum_0' (ReduceSum)",
    ]  # fmt: skip
    assert all(line.endswith(".") for line in lines)


X = normal(2, 4, 6, 6)
NODES = {
    "column-major pool": (
        SingleNode("MaxPool", [X], kernel_shape=[2, 2], storage_order=1), "storage_order"),
    "Gemm over the batch": (
        SingleNode("Gemm", [normal(3, 2)], {1: normal(3, 4)}, transA=1), "mixes the pictures"),
    "reduction of the batch": (
        SingleNode("ReduceSum", [X], {1: np.array([0], np.int64)}), "mixes pictures"),
    "running sum of the batch": (
        SingleNode("CumSum", [X], {1: np.array(0, np.int64)}), "mixes pictures"),
    "Einsum over the batch": (
        SingleNode("Einsum", [normal(2, 3)], {1: normal(2, 3)}, equation="ni,nj->ij"),
        "mixes pictures"),
    "Einsum of a diagonal": (
        SingleNode("Einsum", [normal(2, 3, 3)], equation="nii->ni"), "diagonal"),
    "computed weights": (SingleNode("Conv", [X, normal(3, 4, 1, 1)]), "weights are computed"),
    "computed scale": (
        SingleNode("LayerNormalization", [X, normal(6)], axis=-1), "input 1 .* is computed"),
    "computed slope": (SingleNode("PRelu", [X, normal(4, 1, 1)]), "computed from the picture"),
    "scatter that adds": (
        SingleNode("ScatterElements", [X], {1: np.zeros((2, 1, 6, 6), np.int64), 2: X[:, :1]},
                   axis=1, reduction="add"), "reduction 'add'"),
}  # fmt: skip


@pytest.mark.parametrize("name", NODES)
def test_refuses_a_node_with_its_reason(name):
    single, why = NODES[name]
    with pytest.raises(UnsupportedOperationError, match=rf"node 'node' \({single.op}\): .*{why}"):
        single.operation  # noqa: B018


def test_a_negative_axis_of_the_batch_is_refused_when_the_rank_is_known():
    single = SingleNode("ReduceMax", [X], {1: np.array([-4], np.int64)})
    with pytest.raises(UnsupportedOperationError, match="mixes pictures"):
        single.operation.propagate(normal(1, 4, 6, 6), single.tensors())


def test_stacked_branches_may_be_reduced_where_they_were_stacked():
    model = onnxlrp.load(
        parser.parse_model(
            """<ir_version: 8, opset_import: ["" : 17]>
            net (float[N, 4] x) => (float[N, 4] y) <int64[1] front = {0}>
            {
                a = Relu(x)
                one = Unsqueeze(x, front)
                other = Unsqueeze(a, front)
                both = Concat<axis = 0>(one, other)
                y = ReduceMean<axes = [0], keepdims = 0>(both)
            }"""
        )
    )
    x = normal(3, 4)
    result = onnxlrp.explain(model, x, "epsilon", target=1, books=True)
    wanted = np.zeros_like(x)
    wanted[:, 1] = (x + np.maximum(x, 0))[:, 1] / 2
    np.testing.assert_allclose(result.relevance, wanted, rtol=1e-4, atol=1e-6)
    assert all(abs(books.other.sum()) < 1e-5 for books in result.books)


def test_a_further_output_that_is_read_is_refused():
    model = onnxlrp.load(
        parser.parse_model(
            """<ir_version: 8, opset_import: ["" : 17]>
            net (float[N, 4] x) => (float[N, 4] y) <float[4] w = {1.0, 2.0, 3.0, 4.0}>
            { [norm] a, mean = LayerNormalization(x, w)  y = Add(a, mean) }"""
        )
    )
    with pytest.raises(UnsupportedOperationError, match=r"'norm'.*further output 'mean'"):
        bind(model)


def test_fused_operators_with_an_entry_are_not_refused():
    assert {f"com.microsoft.{op}" for op in FUSED} == {op for op in OPERATIONS if "." in op}
