from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError, ModelError, NumericalError
from onnxlrp.evaluate.predictor import Predictor
from onnxlrp.evaluate.scoring import is_sigmoid, probabilities
from onnxlrp.graph.load import load
from tests.evaluate.nets import linear_net
from tests.graph.networks import network

W = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)
X = np.random.default_rng(1).standard_normal((7, 1, 2, 3)).astype(np.float32)


@pytest.mark.parametrize("batch", [None, 1, 2, 3, 7, 50])
def test_batches_of_any_size_give_the_outputs_in_order(batch):
    predictor = Predictor(linear_net(W, (1, 2, 3)), "cpu", batch)
    np.testing.assert_allclose(predictor.predict(X), X.reshape(7, 6) @ W, rtol=1e-5)
    assert predictor.provider == "CPUExecutionProvider"


@pytest.mark.parametrize("fixed", [1, 3])
def test_models_of_a_fixed_batch_take_any_number_of_pictures(fixed):
    model = linear_net(W, (1, 2, 3), batch=fixed)
    assert model.fixed_batch == fixed
    np.testing.assert_allclose(Predictor(model).predict(X), X.reshape(7, 6) @ W, rtol=1e-5)


def test_one_array_may_be_changed_and_handed_over_again():
    def counting():
        array = np.zeros((1, 2, 3), np.float32)
        for number in range(5):
            array[...] = number
            yield array

    outputs = list(Predictor(linear_net(W, (1, 2, 3)), batch=2).stream(counting()))
    np.testing.assert_allclose(outputs, np.outer(np.arange(5), W.sum(axis=0)), rtol=1e-5)


def test_pictures_are_taken_no_sooner_than_their_batch_runs():
    taken = []

    def pictures():
        for number in range(6):
            taken.append(number)
            yield X[number]

    outputs = Predictor(linear_net(W, (1, 2, 3)), batch=2).stream(pictures())
    next(outputs)
    assert taken == [0, 1]


def test_no_picture_gives_no_output():
    assert list(Predictor(linear_net(W, (1, 2, 3))).stream([])) == []


def test_network_that_mixes_its_batch_is_named():
    text = "(float[N, 4] x) => (float[M, 4] y) { y = ReduceSum <keepdims = 1> (x, axes) }"
    model = load(network(text, axes=np.array([0])))
    with pytest.raises(ModelError, match="mixes its batch: pass batch=1"):
        Predictor(model).predict(np.ones((2, 4), np.float32))
    assert Predictor(model, batch=1).predict(np.ones((2, 4), np.float32)).shape == (2, 4)


def test_nan_is_an_error():
    model = load(network("(float[N, 4] x) => (float[N, 4] y) { a = Sqrt(x)  y = Relu(a) }"))
    with pytest.raises(NumericalError, match="the output of a picture is NaN or Inf"):
        Predictor(model).predict(np.full((1, 4), -1, np.float32))


@pytest.mark.parametrize("batch", [0, -1, 2.5])
def test_batches_that_are_none_are_refused(batch):
    with pytest.raises(InputError, match=f"batch={batch}"):
        Predictor(linear_net(W, (1, 2, 3)), batch=batch)


def test_session_is_opened_once_a_model():
    model = linear_net(W, (1, 2, 3))
    first, second = Predictor(model, "cpu"), Predictor(model, "cpu", 4)
    assert first._sessions is second._sessions


@pytest.mark.parametrize(("last", "expected"), [("Sigmoid", True), ("Softmax", False)])
def test_separate_answers_are_told_by_the_final_sigmoid(last, expected):
    text = f"(float[N, 4] x) => (float[N, 4] y) {{ a = Relu(x)  y = {last}(a) }}"
    assert is_sigmoid(load(network(text))) is expected
    gated = "(float[N, 4] x) => (float[N, 4] y) { a = Relu(x)  s = Sigmoid(a)  y = Mul(a, s) }"
    assert not is_sigmoid(load(network(gated)))


def test_probabilities_are_softmax_or_sigmoid():
    outputs = np.array([[0.0, np.log(3.0)], [1000.0, -1000.0]], np.float32)
    np.testing.assert_allclose(probabilities(outputs, False), [[0.25, 0.75], [1, 0]])
    np.testing.assert_allclose(probabilities(outputs, True), [[0.5, 0.75], [1, 0]])
    np.testing.assert_allclose(probabilities(outputs[:, :1], False), [[0.5], [1]])
