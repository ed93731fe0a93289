from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError
from onnxlrp.graph.load import load
from onnxlrp.runtime.feed import checked_input
from tests.graph.networks import network


def picture_model(shape="N, 3, 8, 6", dtype="float"):
    return load(
        network(f"({dtype}[{shape}] x) => (float y) {{ a = Cast <to = 1> (x)  y = Relu(a) }}")
    )


@pytest.mark.parametrize("given", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
def test_any_real_numbers_become_the_inputs_type(given):
    x = checked_input(picture_model(), np.ones((2, 3, 8, 6), given))
    assert x.dtype == np.float32
    assert x.flags.c_contiguous


def test_lists_and_transposed_arrays_are_taken():
    assert checked_input(picture_model("N, 2"), [[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    x = np.ones((2, 8, 6, 3)).transpose(0, 3, 1, 2)
    assert checked_input(picture_model(), x).flags.c_contiguous


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ((1, 4, 8, 6), r"x has shape \(1, 4, 8, 6\); input 'x' wants float32 \(N, 3, 8, 6\)\.$"),
        ((1, 3, 8, 7), r"x has shape \(1, 3, 8, 7\)"),
        ((8, 6), r"x has shape \(8, 6\)"),
        ((3, 8, 6), r"no batch axis; .*pass x\[None\]"),
        ((1, 8, 6, 3), r"This looks like channels last \(NHWC\), the model wants channels first"),
        ((0, 3, 8, 6), r"x of shape \(0, 3, 8, 6\) is empty"),
    ],
)
def test_wrong_shape_says_what_came_and_what_is_wanted(shape, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        checked_input(picture_model(), np.zeros(shape))
    assert "(N, 3, 8, 6)" in str(caught.value)


def test_channels_first_is_recognised():
    with pytest.raises(InputError, match=r"channels first \(NCHW\), the model wants channels last"):
        checked_input(picture_model("N, 8, 6, 3"), np.zeros((1, 3, 8, 6)))


def test_fixed_batch_must_divide_the_pictures():
    model = picture_model("2, 3, 8, 6")
    assert len(checked_input(model, np.zeros((4, 3, 8, 6)))) == 4
    with pytest.raises(InputError, match=r"x holds 3 pictures; .* a multiple of 2"):
        checked_input(model, np.zeros((3, 3, 8, 6)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_are_refused(bad):
    x = np.zeros((1, 3, 8, 6))
    x[0, 1, 2, 3] = bad
    with pytest.raises(InputError, match="x contains NaN or Inf"):
        checked_input(picture_model(), x)


def test_values_that_do_not_fit_the_type_are_refused():
    with pytest.raises(InputError, match="too large for float32"):
        checked_input(picture_model(), np.full((1, 3, 8, 6), 1e300))
    bytes_model = picture_model(dtype="uint8")
    assert checked_input(bytes_model, np.full((1, 3, 8, 6), 255.0)).dtype == np.uint8
    for value in (0.5, 256, -1):
        with pytest.raises(InputError, match="no whole numbers from 0 to 255"):
            checked_input(bytes_model, np.full((1, 3, 8, 6), value))


@pytest.mark.parametrize("x", ["chelsea.png", np.zeros((1, 3, 8, 6), complex), [[1, 2], [3]], None])
def test_what_is_no_array_of_numbers_is_refused(x):
    with pytest.raises(InputError, match=r"input 'x' wants float32 \(N, 3, 8, 6\)"):
        checked_input(picture_model(), x)
