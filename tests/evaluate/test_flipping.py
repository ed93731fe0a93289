from __future__ import annotations

import pickle

import numpy as np
import pytest

from onnxlrp.composites import Composite
from onnxlrp.errors import CompositeError, InputError, NumericalError, TargetError
from onnxlrp.evaluate import flip_pixels
from onnxlrp.explainer import Explainer
from onnxlrp.graph.load import load
from onnxlrp.preprocess import Preprocessing
from tests.evaluate.nets import linear_net
from tests.graph.networks import network

NET = """(float[{batch}, 2, 6, 6] x) => (float[{batch}, 3] y)
    {{ a = Conv <pads = [1, 1, 1, 1]> (x, k)  b = Relu(a)
       c = GlobalAveragePool(b)  f = Flatten(c)  y = MatMul(f, w) }}"""


def conv_net(batch="N"):
    random = np.random.default_rng(0)
    k = random.standard_normal((5, 2, 3, 3)).astype(np.float32)
    w = random.standard_normal((5, 3)).astype(np.float32)
    return load(network(NET.format(batch=batch), k=k, w=w))


X = np.random.default_rng(1).uniform(0, 1, (3, 2, 6, 6)).astype(np.float32)


def test_result_has_an_axis_for_everything():
    result = flip_pixels(
        conv_net(), X, ["epsilon", "gamma"], unit=2, steps=4, repeats=3, names=["a", "b", "c"]
    )
    assert result.images == ("a", "b", "c")
    assert result.designs == ("epsilon", "gamma")
    assert result.orders == ("morf", "lerf", "random")
    assert result.scores.shape == result.fractions.shape == (3, 2, 3, 3, 5)
    assert result.auc.shape == result.aopc.shape == (3, 2, 3)
    assert result.abpc.shape == (3, 2)
    assert result.settings["steps"] == 4
    assert result.provider == "CPUExecutionProvider"
    # Nothing is flipped at first, everything in the end: all orders agree there.
    assert np.ptp(result.scores[..., 0], axis=(1, 2, 3)).max() == 0
    assert np.ptp(result.scores[..., -1], axis=(1, 2, 3)).max() < 1e-6
    np.testing.assert_allclose(result.fractions[0, 0, 0, 0], [0, 2 / 9, 4 / 9, 7 / 9, 1])


def test_result_can_be_sent_to_another_process():
    result = flip_pixels(conv_net(), X, "epsilon", order="morf", steps=2)
    copy = pickle.loads(pickle.dumps(result))
    assert list(copy.rows()) == list(result.rows())


def test_random_order_is_one_for_all_designs():
    result = flip_pixels(conv_net(), X, ["epsilon", "gamma"], order="random", steps=6, repeats=2)
    np.testing.assert_array_equal(result.scores[:, 0], result.scores[:, 1])
    assert (result.scores[:, 0, 0, 0] != result.scores[:, 0, 0, 1]).any()


def test_designs_in_one_call_equal_calls_for_each():
    options = {"unit": 2, "steps": 3, "repeats": 2, "fill": "uniform"}
    both = flip_pixels(conv_net(), X, ["epsilon", "gamma"], **options)
    for d, name in enumerate(both.designs):
        alone = flip_pixels(conv_net(), X, name, **options)
        np.testing.assert_allclose(both.scores[:, d], alone.scores[:, 0], rtol=1e-5)


def test_pictures_alone_equal_the_batch():
    options = {"unit": 2, "steps": 3, "repeats": 2, "fill": "uniform"}
    model, x = conv_net(), X
    together = flip_pixels(model, x, "epsilon", seed=7, **options)
    for n in range(len(x)):
        alone = flip_pixels(model, x[n : n + 1], "epsilon", seed=7 + n, **options)
        np.testing.assert_allclose(together.scores[n], alone.scores[0], rtol=1e-5)
    given = flip_pixels(model, x, "epsilon", seed=[7, 8, 9], **options)
    np.testing.assert_array_equal(given.scores, together.scores)


@pytest.mark.parametrize("fixed", [1, 3])
def test_model_of_a_fixed_batch_gives_the_same_curves(fixed):
    options = {"unit": 2, "steps": 4, "repeats": 2}
    free = flip_pixels(conv_net(), X, "epsilon", **options)
    bound = flip_pixels(conv_net(fixed), X, "epsilon", **options)
    np.testing.assert_allclose(free.scores, bound.scores, rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 5, 64])
def test_batch_does_not_matter(batch):
    one = flip_pixels(conv_net(), X, "epsilon", steps=5, repeats=2)
    other = flip_pixels(conv_net(), X, "epsilon", steps=5, repeats=2, batch=batch)
    np.testing.assert_allclose(one.scores, other.scores, rtol=1e-5)


def test_relevance_may_have_its_channels_summed():
    relevance = np.random.default_rng(0).standard_normal(X.shape)
    options = {"order": "morf", "steps": 4}
    whole = flip_pixels(conv_net(), X, relevance, **options)
    summed = flip_pixels(conv_net(), X, relevance.sum(axis=1), **options)
    np.testing.assert_array_equal(whole.scores, summed.scores)


def test_layouts_give_the_same_curves():
    random = np.random.default_rng(0)
    w = random.standard_normal((3 * 4 * 4, 2)).astype(np.float32)
    last_w = w.reshape(3, 16, 2).transpose(1, 0, 2).reshape(48, 2)
    x = random.uniform(0, 1, (2, 3, 4, 4)).astype(np.float32)
    relevance = random.standard_normal((2, 4, 4))
    scores = []
    for layout, weights, size in (("NCHW", w, (3, 4, 4)), ("NHWC", last_w, (4, 4, 3))):
        model = linear_net(weights, size, Preprocessing((4, 4), layout=layout))
        given = x if layout == "NCHW" else np.moveaxis(x, 1, -1)
        result = flip_pixels(model, given, relevance, target=1, steps=5, repeats=2, fill="uniform")
        scores.append(result.scores)
    np.testing.assert_allclose(*scores, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 9), (1, 2, 9), (1, 2, 3, 3, 2)])
def test_inputs_of_other_ranks_are_flipped_too(shape):
    w = np.ones((int(np.prod(shape)), 1))
    x = np.random.default_rng(0).uniform(1, 2, shape).astype(np.float32)
    result = flip_pixels(
        linear_net(w, shape[1:], None), x, "lrp_0", target=0, order="morf", fill="zero", unit=2
    )
    curve = result.scores[0, 0, 0, 0]
    assert curve[0] == pytest.approx(x.sum(), rel=1e-5)
    assert (np.diff(curve) < 0).all()
    assert curve[-1] == pytest.approx(0, abs=1e-5)


def test_rows_are_the_columns_of_curves_csv():
    result = flip_pixels(conv_net(), X[:2], "epsilon", order=["lerf", "random"], steps=2, repeats=3)
    rows = list(result.rows())
    assert list(rows[0]) == ["image", "design", "order", "step", "fraction", "score"]
    assert [(row["image"], row["order"], row["step"]) for row in rows] == [
        (image, order, step) for image in "01" for order in ("lerf", "random") for step in range(3)
    ]
    assert rows[4]["score"] == pytest.approx(result.scores[0, 0, 1, :, 1].mean())
    assert rows[4]["fraction"] == pytest.approx(0.5)


def test_score_rows_are_the_columns_of_scores_csv():
    result = flip_pixels(conv_net(), X[:1], ["epsilon", "gamma"], steps=2, repeats=1)
    rows = {(row["design"], row["metric"]): row["value"] for row in result.score_rows()}
    metrics = [
        "auc_morf",
        "auc_lerf",
        "auc_random",
        "aopc_morf",
        "aopc_lerf",
        "aopc_random",
        "abpc",
    ]
    assert list(rows) == [(design, metric) for design in result.designs for metric in metrics]
    assert rows["gamma", "abpc"] == pytest.approx(result.abpc[0, 1])
    assert rows["gamma", "auc_random"] == pytest.approx(result.auc[0, 1, 2])


def test_mean_curve_has_a_band():
    result = flip_pixels(conv_net(), X, "epsilon", steps=4, repeats=4)
    curve = result.curve("epsilon", "random")
    np.testing.assert_allclose(curve.mean, result.scores[:, 0, 2].mean(axis=(0, 1)))
    assert (curve.low <= curve.mean).all()
    assert (curve.mean <= curve.high).all()
    one = flip_pixels(conv_net(), X[:1], "epsilon", steps=4, repeats=4)
    assert (one.curve("epsilon", "random").high > one.curve("epsilon", "random").low)[1:-1].all()
    morf = one.curve("epsilon", "morf")
    np.testing.assert_array_equal(morf.low, morf.high)  # nothing is random there


def test_composites_share_the_forward_passes_of_the_pictures(monkeypatch):
    made = []
    original = Explainer.__init__

    def counted(self, *arguments, **options):
        made.append(arguments)
        original(self, *arguments, **options)

    monkeypatch.setattr(Explainer, "__init__", counted)
    flip_pixels(conv_net(), X, ["epsilon", "gamma", "lrp_0"], order="morf", steps=1)
    assert len(made) == 1


def test_arrays_need_no_explanation(monkeypatch):
    # A network that cannot be explained can still be flipped by relevance from elsewhere.
    text = "(float[N, 4] x) => (float[N, 4] y) { a = Relu(x)  y = Celu <alpha = 1.0> (a)  }"
    proto = network(text)
    proto.graph.node[1].op_type = "Hardmax"
    del proto.graph.node[1].attribute[:]
    x = np.array([[1.0, 2.0, 3.0, 0.5]], np.float32)
    result = flip_pixels(load(proto), x, x, order="morf", fill="zero", until=0.25)
    assert result.scores[0, 0, 0, 0].tolist() == [1, 0]
    with pytest.raises(Exception, match="Hardmax"):
        flip_pixels(load(proto), x, "epsilon")


def test_progress_counts_every_picture_and_may_stop_the_run():
    told = []

    def watch(done, total, what):
        told.append((done, total, what))

    flip_pixels(conv_net(), X[:2], ["epsilon", "gamma"], steps=3, repeats=2, progress=watch)
    total = 2 * 3 * (2 + 2 + 2)
    assert [done for done, _, _ in told] == list(range(1, total + 1))
    assert {whole for _, whole, _ in told} == {total}
    assert [what for *_, what in told[:18:3]] == [
        *("0: epsilon, morf", "0: gamma, morf", "0: epsilon, lerf", "0: gamma, lerf"),
        *("0: random", "0: random"),
    ]

    def stop(done, total, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        flip_pixels(conv_net(), X, "epsilon", steps=3, progress=stop)


RELEVANCE = np.zeros_like(X)
MISTAKES = {
    "x": ({"x": X[0]}, InputError, "no batch axis"),
    "shape": (
        {"designs": np.zeros((3, 5, 6))},
        InputError,
        r"relevance 'relevance' of shape \(3, 5, 6\)",
    ),
    "one map": ({"designs": np.zeros((6, 6))}, InputError, r"it has shape \(3, 2, 6, 6\), or"),
    "nan": ({"designs": np.full_like(X, np.nan)}, NumericalError, "holds NaN or Inf"),
    "text": ({"designs": np.full(X.shape, "a")}, InputError, "type <U1"),
    "preset": ({"designs": "epsilonplus"}, CompositeError, "Did you mean 'epsilon_plus'"),
    "none": ({"designs": []}, InputError, "no relevance was given"),
    "number": ({"designs": 3}, InputError, "a int is no relevance"),
    "twice": ({"designs": ["gamma", Composite.preset("gamma")]}, InputError, "called 'gamma'"),
    "target": ({"target": 3}, TargetError, "outputs 0 to 2"),
    "order": ({"order": "mrof"}, InputError, "Did you mean 'morf'"),
    "unit": ({"unit": 7}, InputError, "side of 1 to 6"),
    "steps": ({"steps": 0}, InputError, "steps=0"),
    "until": ({"until": 2}, InputError, "until=2"),
    "growth": ({"growth": "fast"}, InputError, "growth='fast'"),
    "fill": ({"fill": "black"}, InputError, "fill='black'"),
    "repeats": ({"repeats": 0}, InputError, "repeats=0"),
    "seed": ({"seed": -1}, InputError, "seed=-1"),
    "seeds": ({"seed": [1, 2]}, InputError, "one number for each of 3 pictures"),
    "score": ({"score": "logits"}, InputError, "Did you mean 'logit'"),
    "rank": ({"score": "rank", "target": np.ones(3)}, TargetError, "needs a class as target"),
    "names": ({"names": ["a"]}, InputError, "one name for each of the 3 pictures"),
    "batch": ({"batch": 0}, InputError, "batch=0"),
}


@pytest.mark.parametrize(("options", "error", "complaint"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_one_clear_line(options, error, complaint):
    given = {"x": X, "designs": RELEVANCE, **options}
    with pytest.raises(error, match=complaint) as caught:
        flip_pixels(conv_net(), **given)
    assert "\n" not in str(caught.value)


def test_results_know_what_was_not_run():
    result = flip_pixels(conv_net(), X, "epsilon", order="morf", steps=1)
    with pytest.raises(InputError, match="order 'lerf' was not flipped; there is morf"):
        _ = result.abpc
    with pytest.raises(InputError, match=r"design 'epsilo' .*Did you mean 'epsilon'"):
        result.curve("epsilo")
    assert "abpc" not in {row["metric"] for row in result.score_rows()}
