"""Ablation does to a network what its equation says, on nets small enough to write it down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.evaluate import ablate, ablate_each
from onnxlrp.graph.load import load
from tests.evaluate.ablation_nets import (
    CONV_NET,
    HIDDEN,
    MODEL,
    PERCEPTRON,
    PICTURES,
    B,
    U,
    W,
    X,
    conv_net,
    hidden,
    normal,
)
from tests.graph.networks import linear, network

masks = st.lists(st.booleans(), min_size=HIDDEN, max_size=HIDDEN).map(np.array)


@given(masks)
def test_remove_zeroes_the_selected_neurons(mask):
    result = ablate(MODEL, X, "a", mask)
    np.testing.assert_allclose(result.after, (hidden(X) * ~mask) @ W, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(result.before, hidden(X) @ W, rtol=1e-5, atol=1e-5)
    assert result.selected.tolist() == [mask.sum()] * len(X)


@given(masks)
def test_keep_is_remove_of_all_others(mask):
    kept = ablate(MODEL, X, "a", mask, mode="keep")
    removed = ablate(MODEL, X, "a", ~mask)
    np.testing.assert_array_equal(kept.after, removed.after)


@given(masks)
def test_before_the_activation_its_input_is_ablated(mask):
    result = ablate(MODEL, X, "z", mask)
    truth = np.maximum((X @ U + B) * ~mask, 0) @ W
    np.testing.assert_allclose(result.after, truth, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["x", "p", "z", "a", "q", "f", "y"])
def test_nothing_ablated_changes_no_bit(layer):
    for mode in ("remove", "mean") if layer not in "fy" else ("remove",):
        result = ablate(CONV_NET, PICTURES, layer, [], mode=mode)
        np.testing.assert_array_equal(result.after, result.before)
    everything = ablate(CONV_NET, PICTURES, layer, None, mode="keep")
    np.testing.assert_array_equal(everything.after, everything.before)


def test_all_channels_ablated_is_a_tensor_of_zeros():
    for channels in (None, range(6), np.ones(6, bool)):
        result = ablate(CONV_NET, PICTURES, "a", channels)
        np.testing.assert_array_equal(result.after, np.zeros((4, 3)))
    assert result.selected.tolist() == [6] * 4


def test_layer_is_found_by_name_number_and_tensor():
    index = next(layer.index for layer in MODEL.layers if layer.node.output == "a")
    by_name = ablate(MODEL, X, MODEL.layers[index].name, [1, 2])
    for key in (index, index - len(MODEL.layers), "a"):
        np.testing.assert_array_equal(ablate(MODEL, X, key, [1, 2]).after, by_name.after)


@pytest.mark.parametrize(
    "shape", [(4, 4), (1, 4), (6, 1, 1), (6, 4, 4), (1, 6, 4, 4), (4, 1, 4, 4), (4, 6, 4, 4)]
)
def test_masks_broadcast_to_the_tensor(shape):
    mask = np.random.default_rng(1).random(shape) < 0.5
    whole = np.ascontiguousarray(np.broadcast_to(mask, (4, 6, 4, 4)))
    result = ablate(CONV_NET, PICTURES, "a", mask=mask)
    np.testing.assert_array_equal(result.after, ablate(CONV_NET, PICTURES, "a", mask=whole).after)
    positions = whole.reshape(4, -1).sum(axis=1)
    assert result.selected.tolist() == (positions // (16 if shape == (6, 1, 1) else 1)).tolist()


def test_every_picture_may_have_a_mask_of_its_own():
    mask = np.random.default_rng(1).random((4, 6, 1, 1)) < 0.5
    together = ablate(CONV_NET, PICTURES, "a", mask=mask)
    for i in range(4):
        alone = ablate(CONV_NET, PICTURES[i : i + 1], "a", np.flatnonzero(mask[i]))
        np.testing.assert_allclose(together.after[i], alone.after[0], rtol=1e-5, atol=1e-6)
        assert together.selected[i] == alone.selected[0]


def test_mean_of_the_picture_takes_the_place_of_the_channel():
    result = ablate(CONV_NET, PICTURES, "x", [1], mode="mean")
    flat = PICTURES.copy()
    flat[:, 1] = flat[:, 1].mean(axis=(1, 2), keepdims=True)
    changed = ablate(CONV_NET, flat, "x", [])
    np.testing.assert_allclose(result.after, changed.before, rtol=1e-5, atol=1e-5)


def test_mean_of_a_data_set_takes_the_place_of_the_neuron():
    reference = normal(37, 4, seed=9)
    result = ablate(MODEL, X, "a", [0, 3], mode="mean", reference=reference)
    a = hidden(X)
    a[:, [0, 3]] = hidden(reference).mean(axis=0)[[0, 3]]
    np.testing.assert_allclose(result.after, a @ W, rtol=1e-5, atol=1e-5)


def test_several_layers_at_once_and_one_behind_the_other():
    result = ablate(
        MODEL, X, "z", [0], more={"a": [1, 2], "x": np.array([True, False, False, 1]) > 0}
    )
    x = X * [0, 1, 1, 0]
    a = np.maximum((x @ U + B) * [0, 1, 1, 1, 1], 0) * [1, 0, 0, 1, 1]
    np.testing.assert_allclose(result.after, a @ W, rtol=1e-5, atol=1e-5)
    assert result.layers == ("z", "a", "x")
    assert result.selected.tolist() == [5] * 4


def test_mean_of_a_later_layer_is_that_of_the_unchanged_network():
    model, x = CONV_NET, PICTURES
    result = ablate(model, x, "x", [0], mode="mean", more={"q": [0, 1, 2, 3, 4, 5]})
    only = ablate(model, x, "q", mode="mean")
    np.testing.assert_allclose(result.after, only.after, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 2])
def test_fixed_batch_gives_what_a_free_one_gives(batch):
    fixed = conv_net(batch)
    for mode, reference in (("remove", None), ("mean", normal(6, 3, 4, 4))):
        free = ablate(CONV_NET, PICTURES, "a", [1, 4], mode=mode, reference=reference)
        got = ablate(fixed, PICTURES, "a", [1, 4], mode=mode, reference=reference)
        np.testing.assert_allclose(got.after, free.after, rtol=1e-5, atol=1e-6)
    for one, other in zip(
        ablate_each(fixed, PICTURES, "a"), ablate_each(CONV_NET, PICTURES, "a"), strict=True
    ):
        np.testing.assert_allclose(one.after, other.after, rtol=1e-5, atol=1e-6)


def test_shapes_that_the_network_reads_follow_the_number_of_rows():
    text = """(float[N, 4] x) => (float[N, 3] y)
        { s = Shape <end = 1> (x)  t = Concat <axis = 0> (s, six)  h = MatMul(x, u)  a = Relu(h)
          b = Reshape(a, t)  y = MatMul(b, w) }"""
    weights = {"u": linear(4, 6, 1), "w": linear(6, 3, 2), "six": np.array([6])}
    model = load(network(text, **weights))
    for channel, result in enumerate(ablate_each(model, X[:3], "h")):
        a = np.maximum(X[:3] @ weights["u"], 0) * (np.arange(6) != channel)
        np.testing.assert_allclose(result.after, a @ weights["w"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("dtype", "exact"), [("float16", 5e-3), ("double", 1e-5)])
def test_other_precisions(dtype, exact):
    numpy_type = {"float16": np.float16, "double": np.float64}[dtype]
    weights = {name: array.astype(numpy_type) for name, array in (("u", U), ("b", B), ("w", W))}
    text = PERCEPTRON.format(batch="N").replace("float[", f"{dtype}[")
    result = ablate(load(network(text, **weights)), X, "a", [0, 2])
    a = hidden(X) * [0, 1, 0, 1, 1]
    np.testing.assert_allclose(result.after, a @ W, rtol=exact, atol=exact)


@pytest.mark.parametrize("batch", [None, 1, 7])
def test_one_by_one_is_each_alone(batch):
    results = ablate_each(CONV_NET, PICTURES, "a", [5, 0, 2], batch=batch)
    for channel, result in zip([0, 2, 5], results, strict=True):
        alone = ablate(CONV_NET, PICTURES, "a", channel)
        np.testing.assert_allclose(result.after, alone.after, rtol=1e-5, atol=1e-6)
        assert result.selected.tolist() == [1] * 4


def test_channels_last_tensors_have_their_channels_last():
    model = conv_net(channels_last=True)
    last = np.ascontiguousarray(PICTURES.transpose(0, 2, 3, 1))
    for layer in ("x", "p", "a"):
        first = ablate(CONV_NET, PICTURES, layer, [1])
        np.testing.assert_allclose(ablate(model, last, layer, [1]).after, first.after, rtol=1e-5)
    rows = ablate(model, last, "x", [1], axis=1)
    np.testing.assert_allclose(
        rows.after, ablate(model, last, "x", mask=np.eye(4, dtype=bool)[1][:, None, None]).after
    )


def test_target_follows_one_class():
    result = ablate(CONV_NET, PICTURES, "a", [0], target=1)
    np.testing.assert_array_equal(result.score_before, result.before[:, 1])
    np.testing.assert_array_equal(result.score_after, result.after[:, 1])
    difference = ablate(CONV_NET, PICTURES, "a", [0], target=np.array([1.0, -1.0, 0.0]))
    np.testing.assert_allclose(
        difference.score_after, result.after[:, 0] - result.after[:, 1], rtol=1e-6
    )
    assert (difference.target == -1).all()
    top = ablate(CONV_NET, PICTURES, "a", [0])
    np.testing.assert_array_equal(top.target, top.before.argmax(axis=1))


def test_top_lists_the_classes_before_and_those_that_rose():
    model = conv_net(labels=("ant", "bee", "cat"))
    result = ablate(model, PICTURES, "a", [0, 1, 2])
    for picture in range(4):
        changes = result.top(picture, 1)
        before, after = result.before[picture], result.after[picture]
        assert changes[0].index == before.argmax()
        assert changes[-1].index == after.argmax()
        assert len(changes) == 1 + (before.argmax() != after.argmax())
        for change in result.top(picture):
            assert change.label == ("ant", "bee", "cat")[change.index]
            assert change.change == pytest.approx(after[change.index] - before[change.index])
            assert change.rank_before == 1 + (before > before[change.index]).sum()
            assert change.rank_after == 1 + (after > after[change.index]).sum()
            assert change.rank_change == change.rank_after - change.rank_before


def test_rows_are_the_lines_of_the_table():
    result = ablate(MODEL, X[:2], "a", [0, 3], more={"x": [2]})
    rows = list(result.rows(["one", "two"]))
    assert [row.image for row in rows] == ["one"] * 3 + ["two"] * 3
    first = result.top(0)[0]
    assert (rows[0].layer, rows[0].mode, rows[0].n) == ("a + x", "remove", 3)
    assert (rows[0].label, rows[0].before, rows[0].after) == (
        first.label,
        first.before,
        first.after,
    )
