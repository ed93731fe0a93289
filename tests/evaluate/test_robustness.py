from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError
from onnxlrp.evaluate import max_sensitivity
from onnxlrp.preprocess import Preprocessing
from tests.evaluate.nets import linear_net

# LRP-0 of f = Σ w·x is R = w∘x, so noise δ moves the map by w∘δ and nothing else.
W = np.array([[3.0], [0.0]])


def sensitivity(x, preprocessing, **options):
    model = linear_net(W, (1, 1, 2), preprocessing)
    x = np.array(x, np.float32).reshape(-1, 1, 1, 2)
    return max_sensitivity(model, x, "lrp_0", target=0, **options)


@pytest.mark.parametrize("std", [0.5, 4.0])
def test_closed_form_on_a_linear_model(std):
    preprocessing = Preprocessing((1, 2), channels="L", scale=255.0, std=(std,))
    # max |3·δ| / |3·x| with δ up to r·255 pixel values, which are r / std in the input
    found = sensitivity([[0.4, 0.9], [-2.0, 0.3]], preprocessing, radius=0.1, samples=400)
    np.testing.assert_allclose(found, [0.1 / std / 0.4, 0.1 / std / 2.0], rtol=0.02)


def test_without_preprocessing_the_range_is_the_pictures_own():
    model = linear_net(np.tile(W, (2, 1)), (4,), None)
    assert model.preprocessing is None
    x = np.array([[2.0, 7.0, 0.0, -3.0]], np.float32)
    found = max_sensitivity(model, x, "lrp_0", target=0, radius=0.01, samples=400)
    # ‖3·(δ₀, δ₂)‖ / (3·2) with |δ| up to 0.01·(7 + 3)
    np.testing.assert_allclose(found, 0.1 * np.sqrt(2) / 2, rtol=0.1)


def test_more_samples_find_no_less_and_the_seed_decides():
    preprocessing = Preprocessing((1, 2), channels="L")
    few, many, again, other = (
        sensitivity([[0.4, 0.9]], preprocessing, samples=samples, seed=seed)
        for samples, seed in ((3, 0), (9, 0), (9, 0), (9, 1))
    )
    assert many >= few
    assert many == again
    assert many != other


def test_pictures_alone_equal_the_batch():
    preprocessing = Preprocessing((1, 2), channels="L")
    x = [[0.4, 0.9], [0.7, 0.1]]
    both = sensitivity(x, preprocessing, samples=4, seed=5)
    alone = [
        sensitivity([each], preprocessing, samples=4, seed=5 + n)[0] for n, each in enumerate(x)
    ]
    np.testing.assert_allclose(both, alone, rtol=1e-6)


def test_map_without_relevance_is_not_defined():
    assert np.isnan(sensitivity([[0.0, 1.0]], Preprocessing((1, 2), channels="L")))


@pytest.mark.parametrize(
    "options", [{"radius": 0}, {"radius": np.inf}, {"samples": 0}, {"seed": "one"}]
)
def test_mistakes_are_one_clear_line(options):
    with pytest.raises(InputError, match=f"{next(iter(options))}="):
        sensitivity([[0.4, 0.9]], None, **options)
