from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError
from onnxlrp.evaluate import flip_pixels, flip_sequence, play
from tests.evaluate.nets import linear_net

RANDOM = np.random.default_rng(0)
MODEL = linear_net(RANDOM.standard_normal((30, 2)), (1, 5, 6))
X = RANDOM.uniform(0, 255, (2, 1, 5, 6)).astype(np.float32)


@pytest.mark.parametrize("fill", ["uniform", "mean", "inpaint"])
@pytest.mark.parametrize(("order", "place"), [("morf", 0), ("lerf", 1), ("random", 2)])
def test_pictures_are_those_whose_scores_the_curve_has(fill, order, place):
    options = {"unit": 2, "steps": 4, "fill": fill}
    curves = flip_pixels(MODEL, X, "lrp_0", target=1, seed=5, repeats=2, **options)
    w = MODEL.constants[MODEL.layer("MatMul_0").node.inputs[1]][:, 1]
    run = 1 if order == "random" or fill == "uniform" else 0
    found = flip_sequence(MODEL, X[1:], "lrp_0", target=1, order=order, run=run, seed=6, **options)
    scores = [float(found.at(step).ravel() @ w) for step in range(5)]
    np.testing.assert_allclose(scores, curves.scores[1, 0, place, run], rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(found.fractions, curves.fractions[1, 0, place, run])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"x": X}, r"x holds 2 pictures: .* pass x\[i : i \+ 1\]"),
        ({"run": 1}, "run=1: nothing is random"),
        ({"run": -1}, "run=-1"),
        ({"order": "mrof"}, "Did you mean 'morf'"),
    ],
)
def test_mistakes_are_one_clear_line(options, complaint):
    with pytest.raises(InputError, match=complaint):
        flip_sequence(MODEL, **{"x": X[:1], "design": "lrp_0", **options})


def test_the_scores_along_the_way_are_the_curve():
    options = {"target": 1, "unit": 2, "steps": 4}
    curve = flip_pixels(MODEL, X[:1], "lrp_0", **options).curve("lrp_0").mean
    flips = flip_sequence(MODEL, X[:1], "lrp_0", **options)
    seen = []
    played = play(MODEL, flips, progress=lambda *done: seen.append(done))
    assert played.outputs.shape == (5, 2)
    np.testing.assert_allclose(played.outputs[:, 1], curve, rtol=1e-6)
    first = played.top(4)[0]
    assert first.after == played.outputs[4].max()
    assert first.before == played.outputs[0, first.index]
    assert seen == [(step, 5) for step in range(1, 6)]
    with pytest.raises(InputError, match=r"step=5: .* steps 0 to 4"):
        played.top(5)
