"""Fills are pixel values, whatever the network's input looks like."""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.fills import checked_fill
from onnxlrp.evaluate.perturbation import FlipSequence
from onnxlrp.preprocess import Preprocessing
from tests.evaluate.nets import sum_net

NORMALISED = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
PICTURE = np.random.default_rng(0).integers(20, 200, (6, 8, 3), np.uint8)

PREPROCESSINGS = {
    "NCHW": Preprocessing((6, 8), **NORMALISED),
    "NHWC": Preprocessing((6, 8), layout="NHWC", **NORMALISED),
    "BGR": Preprocessing((6, 8), channels="BGR", scale=1.0, mean=(104.0, 116.0, 122.0)),
}


def flip_all(preprocessing, fill, seed=0):
    """The picture with every pixel flipped, as RGB pixel values, and the canvas."""
    x = preprocessing.apply(PICTURE)
    model = sum_net(x.shape[1:], preprocessing=preprocessing)
    canvas = Canvas.of(model, x)
    order = np.arange(48)
    flips = FlipSequence(x[0], canvas, order, np.array([0, 48]), fill, (seed,))
    (flipped,) = flips.pictures()
    return preprocessing.to_picture(flipped[None])[0]


@pytest.mark.parametrize("preprocessing", PREPROCESSINGS.values(), ids=PREPROCESSINGS)
def test_fills_are_what_they_say_in_the_picture(preprocessing):
    assert (flip_all(preprocessing, "zero") == 0).all()
    assert (flip_all(preprocessing, 37.0) == 37).all()
    assert (flip_all(preprocessing, "min") == PICTURE.min()).all()
    assert (flip_all(preprocessing, "max") == PICTURE.max()).all()
    mean = flip_all(preprocessing, "mean")
    np.testing.assert_array_equal(mean[0, 0], np.rint(PICTURE.mean(axis=(0, 1))))
    np.testing.assert_array_equal(mean, np.broadcast_to(mean[0, 0], mean.shape))


@pytest.mark.parametrize("preprocessing", PREPROCESSINGS.values(), ids=PREPROCESSINGS)
def test_uniform_noise_spans_the_pixel_range_and_keeps_to_its_seed(preprocessing):
    first, again, other = (flip_all(preprocessing, "uniform", seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.9
    assert first.min() < 20
    assert first.max() > 235


def test_layouts_agree():
    for fill in ("blur", "mean", "uniform", "inpaint"):
        first, last = (flip_all(PREPROCESSINGS[layout], fill) for layout in ("NCHW", "NHWC"))
        np.testing.assert_array_equal(first, last)


def test_blur_smooths_and_leaves_the_constant_alone():
    preprocessing = PREPROCESSINGS["NCHW"]
    blurred = flip_all(preprocessing, "blur").astype(float)
    assert (
        np.abs(np.diff(blurred, axis=1)).mean()
        < np.abs(np.diff(PICTURE.astype(float), axis=1)).mean()
    )
    canvas = Canvas.of(sum_net((1, 6, 8)), np.zeros((1, 1, 6, 8), np.float32))
    x = np.full((1, 6, 8), 0.25, np.float32)
    flips = FlipSequence(x, canvas, np.arange(48), np.array([0, 48]), "blur", (0,))
    np.testing.assert_allclose(flips.at(1), x, rtol=1e-6)


def test_blur_of_a_point_is_the_gaussian():
    x = np.zeros((1, 1, 101), np.float32)
    x[0, 0, 50] = 1
    canvas = Canvas((1, 1, 101), 0, x.dtype, None)
    blurred = FlipSequence(x, canvas, np.arange(101), np.array([0, 101]), "blur", (0,)).at(1)
    offset = np.arange(-50, 51)
    gaussian = np.exp(-0.5 * (offset / 5.05) ** 2)  # 5 % of 101 pixels
    gaussian[np.abs(offset) > 16] = 0  # 3 deviations
    np.testing.assert_allclose(blurred[0, 0], gaussian / gaussian.sum(), atol=1e-7)


def test_inpainting_is_noisy_about_the_neighbours():
    side = 40
    x = np.full((1, 1, side, side), 0.5, np.float32)
    grey = Preprocessing((side, side), channels="L")
    canvas = Canvas.of(sum_net((1, side, side), preprocessing=grey), x)
    order = np.arange(side * side)
    flips = FlipSequence(x[0], canvas, order, np.array([0, 1400]), "inpaint", (0,))
    (flipped,) = flips.pictures()
    noise = flipped.ravel()[:1400] - 0.5
    assert abs(noise.mean()) < 4 * 0.01 / np.sqrt(1400)
    assert 0.008 < noise.std() < 0.012  # 1 % of the pixel range
    assert (flipped.ravel()[1400:] == 0.5).all()


def test_without_preprocessing_fills_are_in_the_units_of_the_input():
    x = np.random.default_rng(0).normal(0, 3, (1, 7, 4, 4)).astype(np.float32)
    model = sum_net((7, 4, 4))
    assert model.preprocessing is None
    canvas = Canvas.of(model, x)
    assert "the input's own units" in canvas.note
    made = {}
    for fill in ("zero", "min", "max", -123.0, "uniform"):
        flips = FlipSequence(x[0], canvas, np.arange(16), np.array([0, 16]), fill, (0,))
        made[fill] = flips.at(1)
    assert (made["zero"] == 0).all()
    assert (made["min"] == x.min()).all()
    assert (made["max"] == x.max()).all()
    assert (made[-123.0] == -123).all()
    assert x.min() <= made["uniform"].min() < made["uniform"].max() <= x.max()
    assert np.ptp(made["uniform"]) > 0.8 * np.ptp(x)


def test_whole_number_inputs_stay_whole():
    preprocessing = Preprocessing((4, 4), channels="L", scale=1.0)
    x = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)
    canvas = Canvas.of(sum_net((1, 4, 4), "uint8", preprocessing=preprocessing), x)
    for fill, expected in (("mean", 8), ("max", 15), (255.0, 255)):
        flips = FlipSequence(x[0], canvas, np.arange(16), np.array([0, 16]), fill, (0,))
        flipped = flips.at(1)
        assert flipped.dtype == np.uint8
        assert (flipped == expected).all()


@pytest.mark.parametrize(
    ("fill", "complaint"),
    [
        ("meen", "fill='meen': choose blur, inpaint, max, .*Did you mean 'mean'"),
        (256, "fill=256: pixel values go from 0 to 255"),
        (-1.0, "fill=-1"),
        (float("nan"), "fill=nan"),
        (None, "fill=None"),
        (True, "fill=True"),
    ],
)
def test_fills_that_are_none_are_one_clear_line(fill, complaint):
    canvas = Canvas((3, 6, 8), 0, np.dtype(np.float32), PREPROCESSINGS["NCHW"])
    with pytest.raises(InputError, match=complaint) as caught:
        checked_fill(fill, canvas)
    assert "\n" not in str(caught.value)


def test_inpainting_wants_a_picture():
    canvas = Canvas((2, 100), 0, np.dtype(np.float32), None)
    with pytest.raises(InputError, match=r"needs pictures \(H, W\)"):
        checked_fill("inpaint", canvas)


def test_preprocessing_that_does_not_fit_is_told():
    model = sum_net((4, 6, 8), preprocessing=PREPROCESSINGS["NCHW"])
    with pytest.raises(InputError, match="no NCHW batch of RGB pictures"):
        Canvas.of(model, np.zeros((1, 4, 6, 8), np.float32))
