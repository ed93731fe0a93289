from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError
from onnxlrp.evaluate import flip_pixels, flip_sequence
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
