from __future__ import annotations

import re

import numpy as np
import pytest
from onnx import parser

import onnxlrp
from onnxlrp import Target
from onnxlrp.errors import TargetError
from onnxlrp.target import as_scores, choose, read_target
from tests.graph.networks import linear, network

X = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
PICTURE = np.random.default_rng(1).standard_normal((2, 2, 5, 6)).astype(np.float32)
LABELS = ["cat", "dog, hound", "bird"]


@pytest.fixture(scope="module")
def rows():
    """Scores of three classes: v, relu, w."""
    text = "(float[N, 4] x) => (float[N, 3] y) { h = MatMul(x, v) a = Relu(h) y = MatMul(a, w) }"
    proto = network(text, v=linear(4, 5), w=linear(5, 3, 1))
    for node, name in zip(proto.graph.node, ["first", "relu", "last"], strict=True):
        node.name = name
    return onnxlrp.load(proto, labels=LABELS)


@pytest.fixture(scope="module")
def maps():
    """A map of three classes."""
    text = "(float[N, 2, 5, 6] x) => (float[N, 3, 5, 6] y) { y = Conv <pads = [1,1,1,1]> (x, w) }"
    return onnxlrp.load(network(text, w=linear(3, 18).reshape(3, 2, 3, 3)), labels=LABELS)


def relevance(model, x, target, **rest):
    return onnxlrp.explain(model, x, "lrp_0", target, **rest)


def check_gradient(model, x, target, function):
    """LRP-0 without biases is gradient × input of the explained sum, by central differences."""
    result = relevance(model, x, target)
    expected = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-2
        slope = (function(model, x + step) - function(model, x - step)) / 2e-2
        expected[place] = slope[place[0]] * x[place]
    np.testing.assert_allclose(result.relevance, expected, rtol=2e-2, atol=2e-3)
    np.testing.assert_allclose(result.score, function(model, x), rtol=1e-5)


def tensor(model, x, name):
    return onnxlrp.Explainer(model, x)._activations.value(name)


def test_element_of_scores_is_the_class(rows):
    by_class = relevance(rows, X, 1)
    element = relevance(rows, X, Target.element(1))
    np.testing.assert_array_equal(element.relevance, by_class.relevance)
    assert (by_class.aim, element.aim) == ("", "element:1")
    assert element.target.tolist() == [-1, -1]
    np.testing.assert_array_equal(element.score, by_class.output[:, 1])


@pytest.mark.parametrize(
    "target", [Target.classes(0, 2), Target.classes("cat", "Bird"), "class:0-2"]
)
def test_difference_of_two_classes(rows, target):
    def difference(model, x):
        scores = tensor(model, x, "y")
        return scores[:, 0] - scores[:, 2]

    check_gradient(rows, X, target, difference)


def test_neuron_is_explained_from_its_layer_down(rows):
    check_gradient(rows, X, Target.neuron("first", 3), lambda m, x: tensor(m, x, "h")[:, 3])
    check_gradient(rows, X, "neuron:h/3", lambda m, x: tensor(m, x, "h")[:, 3])
    result = relevance(rows, X, "neuron:relu/0", record=["h"], books=True)
    assert [book.layer.name for book in result.books] == ["relu", "first"]
    assert result.output.shape == (2, 5)
    with pytest.raises(onnxlrp.OnnxLrpError, match="record 'y': no relevance passes"):
        relevance(rows, X, "neuron:relu/0", record=["y"])


def test_channel_and_neuron_of_a_map(maps):
    channel = relevance(maps, PICTURE, Target.neuron("Conv_0", 1))
    neurons = [
        relevance(maps, PICTURE, Target.neuron("Conv_0", 1, (i, j))).relevance
        for i in range(5)
        for j in range(6)
    ]
    np.testing.assert_allclose(channel.relevance, sum(neurons), rtol=1e-4, atol=1e-4)
    assert neurons[0][..., 3:, 3:].any() == 0


def test_region_is_where_the_class_wins_or_the_mask(maps):
    scores = tensor(maps, PICTURE, "y")
    wins = scores.argmax(axis=1) == 1
    found = relevance(maps, PICTURE, "region:dog")
    given = relevance(maps, PICTURE, Target.region(1, wins))
    np.testing.assert_array_equal(found.relevance, given.relevance)
    np.testing.assert_allclose(found.score, (scores[:, 1] * wins).sum(axis=(1, 2)), rtol=1e-5)
    one = np.zeros((5, 6))
    one[2, 3] = 1
    here = relevance(maps, PICTURE, Target.region(1, one)).relevance
    np.testing.assert_array_equal(here, relevance(maps, PICTURE, "element:1,2,3").relevance)


def test_region_of_a_single_class_is_where_it_is_positive():
    output = np.array([[[[1, -1], [2, -3]]]], np.float32)
    text = "(float[N, 1, 2, 2] x) => (float[N, 1, 2, 2] y) { y = Neg(x) }"
    model = onnxlrp.load(network(text))
    weights = choose(model, output, Target.region(0)).weights
    np.testing.assert_array_equal(weights, (output > 0).astype(np.float32))


def test_classes_may_be_last():
    text = """(float[N, 5, 6, 2] x) => (float[N, 5, 6, 3] y) { y = MatMul(x, w) }"""
    model = onnxlrp.load(network(text, w=linear(2, 3)), labels=LABELS)
    output = np.random.default_rng(0).standard_normal((1, 5, 6, 3)).astype(np.float32)
    weights = choose(model, output, Target.region("bird")).weights
    assert weights.shape == output.shape
    np.testing.assert_array_equal(weights[..., 2] > 0, output.argmax(axis=-1) == 2)
    assert not weights[..., :2].any()


@pytest.mark.parametrize("shape", [(2, 100, 7), (2, 7, 100)])
def test_box_is_found_in_either_layout(shape):
    weights = choose(None, np.zeros(shape, np.float32), Target.box(42, 6)).weights
    place = (42, 6) if shape[1] == 100 else (6, 42)
    assert weights.sum() == 2
    assert (weights[(slice(None), *place)] == 1).all()


def test_class_of_a_map_is_refused(maps):
    for target in (1, "dog", "top1", [0, 1]):
        with pytest.raises(TargetError, match=r"'region:15'.*'box:17/9'.*'element:3,20'"):
            relevance(maps, PICTURE, target)
    weights = np.zeros((3, 5, 6), np.float32)
    weights[1, 2, 3] = 1
    by_weights = relevance(maps, PICTURE, weights)
    assert by_weights.aim == "weights"
    expected = relevance(maps, PICTURE, "element:1,2,3").relevance
    np.testing.assert_array_equal(by_weights.relevance, expected)


def test_outputs_with_axes_of_one_are_scores():
    assert as_scores(np.zeros((2, 3, 1, 1))).shape == (2, 3)
    assert as_scores(np.zeros((2, 1, 3))).shape == (2, 3)
    assert as_scores(np.zeros(2)).shape == (2, 1)
    assert as_scores(np.zeros((2, 3, 1, 4))).shape == (2, 3, 1, 4)


@pytest.mark.parametrize(
    "target",
    [
        Target.element(3, 20, 20),
        Target.classes("281", "285"),
        Target.region("15"),
        Target.box(17, 9),
        Target.neuron("conv5", 12),
        Target.neuron("/features/conv/Conv", 12, (3, 4)),
    ],
)
def test_text_and_target_are_the_same(target):
    read = read_target(str(target))
    assert type(read) is type(target)
    assert str(read) == str(target)


def test_other_text_is_no_target():
    assert read_target("Egyptian cat") is None
    assert read_target("n02124075: tabby") is None


def test_label_that_looks_like_a_target_is_a_label():
    text = "(float[N, 4] x) => (float[N, 2] y) { y = MatMul(x, w) }"
    model = onnxlrp.load(network(text, w=linear(4, 2)), labels=["region:15", "class:1-0"])
    assert relevance(model, X, "class:1-0").target.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "neuron:frist/0",
            "no layer or tensor on the way to 'y' has this name. Did you mean 'first'",
        ),
        ("neuron:first/9", "neuron of 'first': (9,) does not lie in a tensor of shape (N, *(5,))"),
        ("neuron:first", "write it as neuron:conv5/12 or neuron:conv5/12@3,4"),
        ("class:cat", "write it as class:281-285"),
        ("class:cat-cow", "no class has this label"),
        ("class:0-7", "target 7: this model has outputs 0 to 2"),
        ("box:1", "write it as box:17/9"),
        ("box:1/2", "are no boxes"),
        ("region:0", "are no map of classes"),
        ("element:0,0", "element: (0, 0) does not lie in a tensor of shape (N, *(3,))"),
        ("element:cat", "write it as element:3,20,20"),
    ],
)
def test_mistake_is_said(rows, target, message):
    with pytest.raises(TargetError, match=re.escape(message)):
        relevance(rows, X, target)


def test_region_without_a_winner_and_mask_of_another_shape_are_refused(maps):
    output = np.zeros((1, 3, 5, 6), np.float32)
    output[:, 0] = 1
    with pytest.raises(TargetError, match="class 2 wins nowhere in picture 0; give a mask"):
        choose(maps, output, Target.region(2))
    with pytest.raises(TargetError, match=r"the mask has shape \(6, 5\), the map of classes"):
        choose(maps, output, Target.region(0, np.ones((6, 5))))


def test_classes_behind_a_final_sigmoid_and_a_flatten_are_classes():
    model = onnxlrp.load(
        parser.parse_model(
            """
            <ir_version: 8, opset_import: ["" : 17]>
            net (float[N, 2, 2, 2] x) => (float[N, 8] y) { s = Sigmoid(x)  y = Flatten(s) }
            """
        )
    )
    x = np.arange(16, dtype=np.float32).reshape(2, 2, 2, 2)
    result = onnxlrp.explain(model, x, target=[3, 5])
    assert result.output.shape == (2, 8)
    assert np.argwhere(result.relevance.reshape(2, 8)).tolist() == [[0, 3], [1, 5]]
