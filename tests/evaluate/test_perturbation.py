from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import InputError
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.perturbation import FlipSequence

FLOAT = np.dtype(np.float32)
CANVASES = [
    Canvas((3, 4, 5), 0, FLOAT, None),
    Canvas((4, 5, 3), 2, FLOAT, None),
    Canvas((2, 20), 0, FLOAT, None),
    Canvas((20,), None, FLOAT, None),
    Canvas((2, 2, 2, 5), 0, FLOAT, None),
]


def sequence(canvas, fill="mean", seed=0, steps=7):
    random = np.random.default_rng(seed)
    picture = random.standard_normal(canvas.shape).astype(np.float32)
    ends = np.concatenate([[0], np.sort(random.choice(np.arange(1, 20), steps, replace=False))])
    return FlipSequence(picture, canvas, random.permutation(20), ends, fill, (seed,))


@given(st.sampled_from(CANVASES), st.sampled_from(["mean", "uniform", "zero"]), st.integers(0, 99))
def test_each_picture_has_what_was_flipped_filled_and_the_rest_untouched(canvas, fill, seed):
    flips = sequence(canvas, fill, seed)
    before = flips.picture.copy()
    everything = FlipSequence(
        flips.picture, canvas, flips.order, np.array([0, 20]), fill, flips.seed
    )
    filled = canvas.planes(everything.at(1))
    for step, picture in enumerate(flips.pictures(), start=1):
        expected = canvas.planes(before).copy()
        where = flips.order[: flips.ends[step]]
        expected[:, where] = filled[:, where]
        np.testing.assert_array_equal(canvas.planes(picture), expected)
    assert step == flips.steps
    np.testing.assert_array_equal(flips.picture, before)


@pytest.mark.parametrize("fill", ["uniform", "blur", "inpaint"])
def test_any_step_can_be_had_alone(fill):
    flips = sequence(CANVASES[0], fill)
    alike = [picture.copy() for picture in flips.pictures()]
    for step, picture in enumerate(alike, start=1):
        np.testing.assert_array_equal(flips.at(step), picture)
    np.testing.assert_array_equal(flips.at(0), flips.picture)


def test_steps_that_are_not_there_are_refused():
    with pytest.raises(InputError, match="step=8: this picture is flipped in steps 0 to 7"):
        sequence(CANVASES[0]).at(8)


def test_fractions_are_shares_of_all_pixels():
    flips = sequence(CANVASES[1])
    np.testing.assert_allclose(flips.fractions, flips.ends / 20)
