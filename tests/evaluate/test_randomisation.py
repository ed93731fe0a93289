from __future__ import annotations

import numpy as np
import pytest

import onnxlrp
from onnxlrp.errors import ModelError
from onnxlrp.evaluate import cascading_randomisation, randomised, spearman, ssim
from onnxlrp.graph.load import load
from tests.evaluate.nets import linear_net
from tests.graph.networks import network

NET = """(float[N, 3, 14, 14] x) => (float[N, 4] y) {
    a = Conv <pads = [1, 1, 1, 1]> (x, k, kb)  b = BatchNormalization(a, s, o, m, v)  c = Relu(b)
    d = Conv(c, k2)  e = Relu(d)
    g = GlobalAveragePool(e)  f = Flatten(g)  z = Gemm(f, w, wb)  y = Softmax(z) }"""
RANDOM = np.random.default_rng(0)


def draw(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


WEIGHTS = {
    **{"k": draw(16, 3, 3, 3), "kb": draw(16), "k2": draw(6, 16, 3, 3)},
    **{"w": draw(6, 4), "wb": draw(4)},
    **{"s": np.abs(draw(16)), "o": draw(16), "m": draw(16), "v": np.abs(draw(16)) + 0.5},
}
X = draw(2, 3, 14, 14)


@pytest.fixture(scope="module")
def model():
    return load(network(NET, **WEIGHTS), labels=["a", "b", "c", "d"])


def test_layers_of_the_test_network(model):
    assert [layer.name for layer in model.layers if layer.weighted] == [
        "Conv_0",
        "Conv_1",
        "Gemm_0",
    ]
    assert model.layer("Conv_0").merged
    assert "k" in model.weights  # big enough to live outside of the ModelProto
    assert "wb" not in model.weights


def test_only_the_chosen_layers_change(model):
    drawn = randomised(model, ["Conv_1"])
    same = [layer.name for layer in model.layers if layer.weighted and layer.name != "Conv_1"]
    for name in same:
        for old, new in zip(*(m.layer(name).node.inputs[1:] for m in (model, drawn)), strict=True):
            np.testing.assert_array_equal(model.constants[old], drawn.constants[new])
    new = drawn.constants[drawn.layer("Conv_1").node.inputs[1]]
    assert new.shape == (6, 16, 3, 3)
    assert (new != WEIGHTS["k2"]).all()
    assert abs(new.mean() - WEIGHTS["k2"].mean()) < 4 / np.sqrt(new.size)
    assert new.std() == pytest.approx(WEIGHTS["k2"].std(), rel=0.1)
    assert (drawn.labels, drawn.output.name, drawn.explained) == (model.labels, "y", "z")


def test_model_itself_is_not_changed(model):
    before = model.proto.SerializeToString()
    randomised(model, ["Conv_0", "Gemm_0"])
    assert model.proto.SerializeToString() == before
    np.testing.assert_array_equal(model.weights["k"], WEIGHTS["k"])


def test_weights_depend_on_layer_and_seed_alone(model):
    def weights(layers, seed):
        drawn = randomised(model, layers, seed)
        return drawn.constants[drawn.layer("Gemm_0").node.inputs[1]]

    np.testing.assert_array_equal(weights(["Gemm_0"], 1), weights(["Conv_1", "Gemm_0"], 1))
    assert (weights(["Gemm_0"], 1) != weights(["Gemm_0"], 2)).all()


def test_shared_weights_are_drawn_for_one_reader_alone():
    text = """(float[N, 4] x) => (float[N, 4] y)
        { a = MatMul(x, w)  b = Relu(a)  y = MatMul(b, w) }"""
    w = draw(4, 4)
    drawn = randomised(load(network(text, w=w)), ["MatMul_1"])
    first, second = (drawn.constants[drawn.layer(i).node.inputs[1]] for i in (0, 2))
    np.testing.assert_array_equal(first, w)
    assert (second != w).all()


def test_cascade_on_a_linear_model_is_what_its_weights_say():
    model = linear_net(draw(12 * 13, 1), (1, 12, 13), None)
    x = draw(2, 1, 12, 13)
    found = cascading_randomisation(model, x, "lrp_0", target=0, seed=3)
    drawn = randomised(model, ["MatMul_0"], 3)
    old, new = (m.constants[m.layer("MatMul_0").node.inputs[1]] for m in (model, drawn))
    assert found.layers == ("MatMul_0",)
    for n in range(2):
        a, b = ((x[n].ravel() * w.ravel()).reshape(12, 13).astype(float) for w in (old, new))
        assert found.spearman[0, n] == pytest.approx(spearman(a, b), abs=1e-4)
        scaled = ssim(a / np.abs(a).max(), b / np.abs(b).max())
        assert found.ssim[0, n] == pytest.approx(scaled, abs=1e-4)


def test_cascade_goes_from_the_top_down_and_keeps_what_was_drawn(model):
    told = []
    found = cascading_randomisation(
        model, X, "epsilon", seed=1, progress=lambda *where: told.append(where)
    )
    assert found.layers == ("Gemm_0", "Conv_1", "Conv_0")
    assert told == [(1, 3, "Gemm_0"), (2, 3, "Conv_1"), (3, 3, "Conv_0")]
    assert found.spearman.shape == found.ssim.shape == (3, 2)
    trained = onnxlrp.explain(model, X, "epsilon")
    everything = randomised(model, found.layers, 1)
    last = onnxlrp.explain(everything, X, "epsilon", trained.target).relevance.sum(axis=1)
    for n in range(2):
        expected = spearman(trained.relevance.sum(axis=1)[n], last[n])
        assert found.spearman[2, n] == pytest.approx(expected, abs=1e-6)
    assert np.abs(found.spearman[2]).max() < 0.9


def test_layers_can_be_chosen_one_by_one(model):
    found = cascading_randomisation(model, X, "epsilon", layers=["Conv_1"])
    assert found.layers == ("Conv_1",)


def test_ssim_of_what_is_no_picture_is_not_defined():
    model = linear_net(draw(6, 2), (6,), None)
    found = cascading_randomisation(model, draw(1, 6), "lrp_0")
    assert np.isfinite(found.spearman).all()
    assert np.isnan(found.ssim).all()


@pytest.mark.parametrize(
    ("layers", "complaint"),
    [
        (["Conv_9"], "'Conv_9': no such layer .*Did you mean 'Conv_"),
        (["Relu_0"], r"Relu_0 \(Relu\) owns no weights .* choose of Gemm_0, Conv_1, Conv_0"),
    ],
)
def test_layers_without_weights_are_one_clear_line(model, layers, complaint):
    for call in (
        randomised,
        lambda m, names: cascading_randomisation(m, X, "epsilon", layers=names),
    ):
        with pytest.raises(ModelError, match=complaint):
            call(model, layers)
