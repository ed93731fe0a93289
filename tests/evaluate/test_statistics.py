"""Layer statistics are those of the explanation, and the sentence names the layer that loses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import onnxlrp
from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import InputError
from onnxlrp.evaluate import layer_statistics, most_lost, where_lost
from onnxlrp.evaluate.statistics import channel_entropy
from onnxlrp.graph.load import load
from onnxlrp.rules import Epsilon
from tests.evaluate.ablation_nets import CONV_NET, MODEL, PICTURES, X, conv_net
from tests.graph.networks import linear, network


def test_entropy_of_channel_sums():
    sums = np.array([[3.0, 3.0, 1.0], [5.0, 5.0, 5.0], [0.0, 0.0, 2.0], [4.0, 2.0, 1.0]])
    p = np.array([0.75, 0.25])
    mixed = -(p * np.log10(p)).sum()
    np.testing.assert_allclose(channel_entropy(sums), [np.log10(2), 0, 0, mixed])
    np.testing.assert_allclose(channel_entropy(-7 + 3 * sums), channel_entropy(sums))


def test_entropy_lies_between_0_and_the_logarithm_of_the_channels():
    entropy = channel_entropy(np.random.default_rng(0).standard_normal((50, 10)))
    assert (entropy > 0).all()
    assert (entropy < np.log10(10)).all()


def test_statistics_are_those_of_the_books_and_the_recorded_tensors():
    statistics = layer_statistics(CONV_NET, PICTURES, "epsilon", target=1)
    names = [layer.name for layer in CONV_NET.layers]
    result = onnxlrp.explain(CONV_NET, PICTURES, "epsilon", 1, record=names, books=True)
    assert [s.layer for s in statistics] == [b.layer for b in result.books]
    for layer, book in zip(statistics, result.books, strict=True):
        assert layer.rule == book.rule
        for key in ("arrived", "handed", "bias", "epsilon", "other"):
            np.testing.assert_allclose(
                getattr(layer, key), getattr(book, key), rtol=1e-4, atol=1e-5
            )
        r = result.tensors[layer.layer.name].reshape(len(PICTURES), -1)
        np.testing.assert_allclose(layer.positive, r.clip(min=0).sum(axis=1), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.negative, r.clip(max=0).sum(axis=1), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.arrived, layer.positive + layer.negative, atol=1e-5)


def test_entropies_are_those_of_the_layers_channels():
    statistics = layer_statistics(CONV_NET, PICTURES, "epsilon_plus")
    (relu,) = (s for s in statistics if s.layer.op == "Relu")
    result = onnxlrp.explain(CONV_NET, PICTURES, "epsilon_plus", record=[relu.layer.name])
    r = result.tensors[relu.layer.name].astype(np.float64)
    a = onnxlrp.runtime.run(CONV_NET, PICTURES, ["a"]).value("a").astype(np.float64)
    for values, entropy in (
        (a, relu.activation_entropy),
        (r, relu.relevance_entropy),
        (np.abs(r), relu.absolute_entropy),
        (r.clip(min=0), relu.positive_entropy),
        (np.abs(r.clip(max=0)), relu.negative_entropy),
    ):
        np.testing.assert_allclose(entropy, channel_entropy(values.sum(axis=(2, 3))), atol=1e-4)


@pytest.mark.parametrize("target", ["top1", [0, 1, 2, 0], np.array([0.5, 0.0, -1.0])])
@pytest.mark.parametrize("init", ["logit", "one"])
def test_pictures_are_explained_as_if_together(target, init):
    together = onnxlrp.explain(CONV_NET, PICTURES, "epsilon", target, init, books=True)
    statistics = layer_statistics(CONV_NET, PICTURES, "epsilon", target, init=init)
    np.testing.assert_allclose(statistics[0].arrived, together.books[0].arrived, rtol=1e-5)
    np.testing.assert_allclose(statistics[-1].handed, together.books[-1].handed, rtol=1e-3)


def test_fixed_batch_and_channels_last_change_nothing():
    first = layer_statistics(CONV_NET, PICTURES)
    fixed = layer_statistics(conv_net(2), PICTURES)
    last = layer_statistics(conv_net(channels_last=True), PICTURES.transpose(0, 2, 3, 1))
    for other in (fixed, last):
        (one,), (two,) = ([s for s in each if s.layer.op == "Conv"] for each in (first, other))
        np.testing.assert_allclose(two.relevance_entropy, one.relevance_entropy, rtol=1e-3)
        np.testing.assert_allclose(two.positive, one.positive, rtol=1e-4)


def test_all_outputs_of_a_layer_count():
    text = """(float[N, 4] x) => (float[N, 3] y)
        { h = MatMul(x, u)  a, b = Split <axis = 1> (h)  c = Neg(b)  d = Concat <axis = 1> (a, c)
          y = MatMul(d, w) }"""
    model = load(network(text, u=linear(4, 4, 1), w=linear(4, 3, 2)))
    statistics = layer_statistics(model, np.ones((2, 4), np.float32), "epsilon")
    (split,) = (s for s in statistics if s.layer.op == "Split")
    np.testing.assert_allclose(split.positive + split.negative, split.arrived, atol=1e-5)


def bias_net(bias):
    """Two layers of one number each: y = 2·2x + bias."""
    text = "(float[N, 1] x) => (float[N, 1] y) { h = Gemm(x, u, b)  y = Gemm(h, u, c) }"
    one = np.array([[2.0]], np.float32)
    b = np.array([bias], np.float32)
    return load(network(text, u=one, b=0 * b, c=b))


ONE = np.ones((1, 1), np.float32)


def everywhere(rule):
    return Composite("everywhere", (Entry(Selector(op="*"), rule),))


def test_sentence_when_the_bias_absorbs():
    model = bias_net(4.0)
    sentence = where_lost(layer_statistics(model, ONE, "epsilon"))
    name = model.layers[-1].name
    assert sentence.startswith(f"Most relevance is lost at {name} (epsilon")
    assert "8 arrive, 4 are handed on; its bias absorbs the rest" in sentence


def test_sentence_when_epsilon_absorbs():
    books = onnxlrp.explain(bias_net(0.0), ONE, everywhere(Epsilon(4.0)), books=True).books
    assert "4 arrive, 2 are handed on; its ε absorbs the rest" in where_lost(books)


def test_sentence_when_relevance_is_added():
    sentence = where_lost(layer_statistics(bias_net(-3.0), ONE, "epsilon"))
    assert "added at" in sentence
    assert "1 arrive, 4 are handed on; its bias absorbs a negative share" in sentence


def test_sentence_when_it_has_nowhere_to_go():
    (book, *_) = onnxlrp.explain(bias_net(0.0), ONE, "epsilon", books=True).books
    dead = replace(book, handed=0 * book.handed, bias=0 * book.bias, epsilon=0 * book.epsilon)
    assert "4 arrive, 0 are handed on; the rest has nowhere to go" in where_lost([dead])


def test_sentence_when_nothing_is_lost():
    assert where_lost(layer_statistics(bias_net(0.0), ONE, "epsilon")) == (
        "No layer keeps more than 1 % of the relevance to itself."
    )


def test_what_is_missing_is_said():
    result = onnxlrp.explain(CONV_NET, PICTURES)
    with pytest.raises(InputError, match="no books: explain with books=True"):
        where_lost(result.books)
    with pytest.raises(InputError, match="no books: explain with books=True"):
        onnxlrp.evaluate.statistics_of(CONV_NET, result, {})
    with_books = onnxlrp.explain(CONV_NET, PICTURES, books=True)
    with pytest.raises(InputError, match="its relevance or its activation is missing"):
        onnxlrp.evaluate.statistics_of(CONV_NET, with_books, {})


def test_the_layer_in_the_sentence_is_the_one_that_is_found():
    books = onnxlrp.explain(MODEL, X, "epsilon_plus", books=True).books
    found = most_lost(books)
    lost = [abs(float((book.arrived - book.handed).sum())) for book in books]
    assert found is books[int(np.argmax(lost))]
    assert f" at {found.layer.name} (" in where_lost(books)
    conserving = Composite("spread", [Entry(Selector(), Epsilon(bias="spread"))])
    assert most_lost(onnxlrp.explain(CONV_NET, PICTURES, conserving, books=True).books) is None
