"""The table of a layer's channels adds up to its relevance and its activation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

import onnxlrp
from onnxlrp.errors import InputError
from onnxlrp.evaluate import neuron_table, rank_neurons
from tests.evaluate.ablation_nets import CONV_NET, PICTURES, conv_net

COLUMNS = ("relevance", "positive", "negative", "absolute", "activation", "maximum")
tensors = nst.arrays(
    np.float32, (2, 3, 2, 2), elements=st.floats(-9, 9, width=32, allow_subnormal=False)
)


@given(tensors, tensors)
def test_columns_are_sums_over_the_positions(relevance, activation):
    table = neuron_table(relevance, activation)
    r = relevance.astype(np.float64)
    np.testing.assert_allclose(table["relevance"], r.sum(axis=(2, 3)), atol=1e-9)
    np.testing.assert_allclose(table["positive"] + table["negative"], table["relevance"], atol=1e-9)
    np.testing.assert_allclose(table["positive"] - table["negative"], table["absolute"], atol=1e-9)
    np.testing.assert_allclose(table["activation"], activation.mean(axis=(2, 3)), atol=1e-5)
    np.testing.assert_array_equal(table["maximum"], activation.max(axis=(2, 3)))
    whole = np.where(np.abs(r).sum(axis=(1, 2, 3)) > 0, 1, 0)
    np.testing.assert_allclose(table["share"].sum(axis=1), whole, atol=1e-9)
    last = neuron_table(relevance.transpose(0, 2, 3, 1), activation.transpose(0, 2, 3, 1), axis=-1)
    for column in table.dtype.names:
        np.testing.assert_allclose(last[column], table[column], atol=1e-9)


def test_tensors_of_two_shapes_are_refused():
    with pytest.raises(InputError, match="are not of one tensor"):
        neuron_table(np.ones((1, 2, 3), np.float32), np.ones((1, 3, 2), np.float32))


@pytest.mark.parametrize("by", COLUMNS)
def test_first_is_highest_and_negative_is_lowest(by):
    neurons = rank_neurons(CONV_NET, PICTURES, "a", by=by)
    column = neurons.table[by] * (-1 if by == "negative" else 1)
    assert (np.diff(column, axis=1) <= 0).all()
    assert (np.sort(neurons.top(6), axis=1) == np.arange(6)).all()
    np.testing.assert_array_equal(neurons.top(2), neurons.table["channel"][:, :2])


def test_table_is_the_relevance_of_the_explanation():
    result = onnxlrp.explain(CONV_NET, PICTURES, "epsilon", record=["a"])
    neurons = rank_neurons(CONV_NET, PICTURES, "a", "epsilon")
    sums = result.tensors["a"].sum(axis=(2, 3))
    ordered = np.take_along_axis(sums, neurons.table["channel"], axis=1)
    np.testing.assert_allclose(neurons.table["relevance"], ordered, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(neurons.target, result.target)


def test_ties_go_to_the_lower_channel():
    neurons = rank_neurons(CONV_NET, PICTURES, "f", target=np.zeros(3))
    assert (neurons.table["channel"] == np.arange(24)).all()
    assert not neurons.table["share"].any()


def test_channels_last_are_ranked_alike():
    model = conv_net(channels_last=True)
    last = np.ascontiguousarray(PICTURES.transpose(0, 2, 3, 1))
    for layer in ("x", "a"):
        first = rank_neurons(CONV_NET, PICTURES, layer)
        same = rank_neurons(model, last, layer)
        np.testing.assert_array_equal(same.top(3), first.top(3))
        np.testing.assert_allclose(same.table["absolute"], first.table["absolute"], rtol=1e-4)


def test_rows_are_the_lines_of_the_table():
    neurons = rank_neurons(CONV_NET, PICTURES, "a", by="absolute")
    rows = list(neurons.rows(["a", "b", "c", "d"]))
    assert [row.image for row in rows] == [name for name in "abcd" for _ in range(6)]
    for row, neuron in zip(rows, neurons.table.reshape(-1), strict=True):
        assert row.layer == "a"
        for column in ("channel", *COLUMNS[:5]):
            assert getattr(row, column) == neuron[column]
