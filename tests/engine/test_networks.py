"""Whole networks: gradient × input, threads, batches, recording, targets and their mistakes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import onnxlrp
from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import CompositeError, ModelError, NumericalError, TargetError
from onnxlrp.kernels import get_num_threads, set_num_threads
from onnxlrp.rules import AlphaBeta, Epsilon, Flat, Pass, ZBox, Zero
from tests.naive import relative_error
from tests.ops.single import normal


def small_network(dtype=TensorProto.FLOAT):
    """Two branches joined by Add and Concat, both kinds of pool, biases everywhere; 2x6x6 → 3."""
    weights = {
        "w1": normal(4, 2, 3, 3, seed=1), "b1": normal(4, seed=2),
        "w2": normal(4, 4, 3, 3, seed=3), "b2": normal(4, seed=4),
        "w3": normal(4, 4, 1, 1, seed=5), "b3": normal(4, seed=6),
        "w4": normal(3, 32, seed=7), "b4": normal(3, seed=8),
    }  # fmt: skip
    same = {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["z1"], name="conv1", **same),
        helper.make_node("Relu", ["z1"], ["a1"], name="relu1"),
        helper.make_node("Conv", ["a1", "w2", "b2"], ["z2"], name="conv2", **same),
        helper.make_node("Conv", ["a1", "w3", "b3"], ["z3"], name="shortcut", kernel_shape=[1, 1]),
        helper.make_node("Add", ["z2", "z3"], ["sum"], name="add"),
        helper.make_node("Relu", ["sum"], ["a2"], name="relu2"),
        helper.make_node("MaxPool", ["a2"], ["p"], name="max", kernel_shape=[3, 3], strides=[3, 3]),
        helper.make_node("AveragePool", ["a1"], ["q"], name="mean", kernel_shape=[3, 3],
                         strides=[3, 3]),
        helper.make_node("Concat", ["p", "q"], ["j"], name="concat", axis=1),
        helper.make_node("Flatten", ["j"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "w4", "b4"], ["y"], name="fc", transB=1),
    ]  # fmt: skip
    np_type = helper.tensor_dtype_to_np_dtype(dtype)
    graph = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("x", dtype, ["N", 2, 6, 6])],
        [helper.make_tensor_value_info("y", dtype, ["N", 3])],
        [numpy_helper.from_array(v.astype(np_type), k) for k, v in weights.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="module")
def model():
    return onnxlrp.load(small_network())


def everywhere(rule):
    """The rule on every layer that takes one."""
    return Composite("everywhere", (Entry(Selector(op="*"), rule),))


def test_lrp_0_is_gradient_times_input(model):
    x = normal(1, 2, 6, 6, seed=21)
    network = ReferenceEvaluator(small_network(TensorProto.DOUBLE))
    steps = 1e-5 * np.eye(x.size).reshape(-1, 2, 6, 6)
    up, down = (network.run(None, {"x": x + sign * steps})[0] for sign in (1, -1))
    gradient = ((up - down) / 2e-5).T.reshape(3, 2, 6, 6)
    for target in range(3):
        result = onnxlrp.explain(model, x, everywhere(Zero()), target=target)
        truth = gradient[target] * x[0]
        assert relative_error(result.relevance[0], truth) <= 1e-4


def test_one_thread_and_many_give_the_same_bits(model):
    x = normal(3, 2, 6, 6, seed=22)
    before = get_num_threads()
    try:
        maps = []
        for count in (1, 2, 5):
            set_num_threads(count)
            maps.append(onnxlrp.explain(model, x, "epsilon_alpha2_beta1_flat").relevance)
    finally:
        set_num_threads(before)
    assert all(np.array_equal(maps[0], other) for other in maps[1:])


def test_batch_equals_single_runs(model):
    x = normal(4, 2, 6, 6, seed=23)
    for name in ("epsilon_plus_flat", "epsilon_alpha2_beta1", "gamma"):
        both = onnxlrp.explain(model, x, name, target=[0, 1, 2, 0]).relevance
        for n, target in enumerate((0, 1, 2, 0)):
            alone = onnxlrp.explain(model, x[n : n + 1], name, target=target).relevance
            assert relative_error(both[n], alone[0]) <= 1e-5


def test_explainer_gives_the_same_bits_as_explain(model):
    x = normal(2, 2, 6, 6, seed=24)
    explainer = onnxlrp.Explainer(model, x)
    for name in ("epsilon_plus", "gamma", "epsilon_alpha2_beta1_flat", "epsilon_plus", "epsilon"):
        kept = explainer.explain(name).relevance
        assert np.array_equal(kept, onnxlrp.explain(model, x, name).relevance)


def test_rules_that_see_a_layer_alike_do_not_take_what_the_other_left(model):
    x = normal(1, 2, 6, 6, seed=31)
    explainer = onnxlrp.Explainer(model, x)
    for bias in ("drop", "spread", "keep", "drop", "keep"):
        design = everywhere(Flat(bias=bias))
        alone = onnxlrp.explain(onnxlrp.load(small_network()), x, design).relevance
        assert np.array_equal(explainer.explain(design).relevance, alone)
        assert np.array_equal(onnxlrp.explain(model, x, design).relevance, alone)


def test_a_box_reads_what_a_relu_left_only_where_no_other_neuron_is_asked(model):
    x = normal(1, 2, 6, 6, seed=32)
    explainer = onnxlrp.Explainer(model, x)
    first, box = Selector(first=True), ZBox(-4.0, 4.0)
    designs = [
        Composite(str(rule), (Entry(Selector(op="*"), rule), Entry(first, box)))
        for rule in (Epsilon(), Flat(), ZBox(-9.0, 9.0), Epsilon())
    ]
    reads = [explainer.plan(design).steps[-1].preactivation for design in designs]
    assert reads == ["a1", "", "", "a1"]
    for design in designs:
        alone = onnxlrp.explain(onnxlrp.load(small_network()), x, design).relevance
        assert np.array_equal(explainer.explain(design).relevance, alone)
        exact = [s for s in explainer.plan(design).steps if s.layer.name == "conv1"]
        assert exact[0].rule == box


def test_record_returns_layers_and_tensors(model):
    x = normal(1, 2, 6, 6, seed=25)
    result = onnxlrp.explain(model, x, "epsilon", record=["conv2", "p", "x", "fc"])
    assert list(result.tensors) == ["conv2", "p", "x", "fc"]
    assert result.tensors["conv2"].shape == (1, 4, 6, 6)
    np.testing.assert_array_equal(result.tensors["x"], result.relevance)
    assert result.tensors["fc"].sum() == pytest.approx(result.output.max())


def test_books_balance_at_every_layer(model):
    x = normal(2, 2, 6, 6, seed=26)
    for name in ("epsilon", "epsilon_plus", "epsilon_alpha2_beta1", "epsilon_plus_flat"):
        result = onnxlrp.explain(model, x, name, books=True)
        assert [b.layer.name for b in result.books][-1] == "conv1"
        for book in result.books:
            scale = np.abs(book.arrived) + np.abs(book.handed) + np.abs(book.bias) + 1
            assert (np.abs(book.other) <= 1e-4 * scale).all(), (name, book.layer)
        np.testing.assert_allclose(
            result.books[-1].handed, result.relevance.sum(axis=(1, 2, 3)), rtol=1e-4, atol=1e-5
        )


def test_init_and_targets(model):
    x = normal(2, 2, 6, 6, seed=27)
    design = everywhere(Epsilon())
    logit = onnxlrp.explain(model, x, design, target=1)
    one = onnxlrp.explain(model, x, design, target=1, init="one")
    scale = logit.output[:, 1].reshape(2, 1, 1, 1)
    np.testing.assert_allclose(logit.relevance, scale * one.relevance, rtol=1e-4, atol=1e-5)
    weights = np.array([1.0, -1.0, 0.0])
    difference = onnxlrp.explain(model, x, design, target=weights)
    parts = [onnxlrp.explain(model, x, design, target=t).relevance for t in (0, 1)]
    np.testing.assert_allclose(difference.relevance, parts[0] - parts[1], rtol=1e-3, atol=1e-4)
    assert (difference.target == -1).all()
    given = onnxlrp.explain(model, x, design, target=1, init=np.eye(3)[1])
    np.testing.assert_allclose(given.relevance, one.relevance, rtol=1e-5, atol=1e-6)


def test_max_pool_as_average(model):
    x = normal(1, 2, 6, 6, seed=28)
    design = Composite("average", (), max_pool="average")
    winner, average = (
        onnxlrp.explain(model, x, c, record=["relu2"]).tensors["relu2"]
        for c in (Composite("winner", ()), design)
    )
    assert (winner != 0).sum() < (average != 0).sum()


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"target": 3}, TargetError, "outputs 0 to 2"),
        ({"target": -1}, TargetError, "outputs 0 to 2"),
        ({"target": "cat"}, TargetError, "no labels"),
        ({"target": [0, 1]}, TargetError, "give one class"),
        ({"init": "logits"}, TargetError, "'logit'"),
        ({"record": ["conv3"]}, ModelError, "conv2"),
        ({"composite": "epsilon_pluss"}, CompositeError, "epsilon_plus"),
        ({"composite": everywhere(Pass())}, onnxlrp.OnnxLrpError, "pass"),
    ],
)  # fmt: skip
def test_mistakes_get_one_clear_line(model, arguments, error, words):
    with pytest.raises(error) as caught:
        onnxlrp.explain(model, normal(1, 2, 6, 6), **arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overflow_names_the_layer(model):
    x = normal(1, 2, 6, 6, seed=29)
    with pytest.raises(NumericalError, match="fc"):
        onnxlrp.explain(model, x, init=np.full(3, np.inf))


@pytest.mark.parametrize("design", ["epsilon", "epsilon_plus", "epsilon_alpha2_beta1_flat"])
@pytest.mark.parametrize("pixel", [3e38, -3e38])
def test_an_overflow_on_the_way_up_is_the_forward_pass_s(model, design, pixel):
    x = np.full((1, 2, 6, 6), pixel, np.float32)
    with pytest.raises(NumericalError, match="the forward pass gives NaN or Inf: layer"):
        onnxlrp.explain(model, x, design)
    explainer = onnxlrp.Explainer(model, x, budget=2**20)
    for _ in range(2):
        with pytest.raises(NumericalError, match="the forward pass gives NaN or Inf: layer"):
            explainer.explain(design)


def test_flat_and_alpha_beta_work_on_any_layer(model):
    x = normal(1, 2, 6, 6, seed=30)
    for rule in (Flat(), AlphaBeta(2, 1), AlphaBeta(2, 1, bias="spread")):
        assert np.isfinite(onnxlrp.explain(model, x, everywhere(rule)).relevance).all()


def test_the_model_given_stays_as_it_was():
    proto = small_network()
    before = onnx.ModelProto.FromString(proto.SerializeToString())
    onnxlrp.explain(onnxlrp.load(proto), normal(1, 2, 6, 6), "epsilon")
    assert proto == before
