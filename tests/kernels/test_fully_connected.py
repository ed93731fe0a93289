from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import InputError
from onnxlrp.kernels import matmul, set_num_threads
from tests.kernels.strategies import normal

SHAPES = [
    (1, 700, 900),
    (3, 1030, 517),
    (2, 5, 300),
    (2, 150, 33, 65),
    (2, 1, 40, 24),
    (2, 2, 3, 8, 9),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_products_agree_with_float64(shape: tuple[int, ...], transposed: bool) -> None:
    *rows, inner, outer = shape
    x, s, w = normal(0, *rows, inner), normal(1, *rows, outer), normal(2, inner, outer)
    w = np.asfortranarray(w) if transposed else w
    w64 = w.astype(np.float64)
    np.testing.assert_allclose(matmul(x, w), x @ w64, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(matmul(s, w.T), s @ w64.T, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transposed", [False, True])
def test_threads_and_batch_change_no_bit_of_a_product(
    shape: tuple[int, ...], transposed: bool
) -> None:
    *rows, inner, outer = shape
    x, w = normal(0, *rows, inner), normal(2, inner, outer)
    w = np.asfortranarray(w) if transposed else w
    set_num_threads(1)
    whole = matmul(x, w)
    set_num_threads(4)
    np.testing.assert_array_equal(matmul(x, w), whole)
    for n in range(len(x)):
        np.testing.assert_array_equal(matmul(x[n : n + 1], w)[0], whole[n])


@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("share", [0.1, 0.6, 1.0])
def test_zeros_of_other_samples_change_no_bit(share: float) -> None:
    x, w = normal(0, 3, 900), normal(2, 900, 517)
    x[np.random.default_rng(3).random(x.shape) < share] = 0
    x[1, 5] = 2.5
    whole = matmul(x, w)
    np.testing.assert_allclose(whole, x @ w.astype(np.float64), rtol=1e-4, atol=1e-4)
    set_num_threads(1)
    for n in range(len(x)):
        np.testing.assert_array_equal(matmul(x[n : n + 1], w)[0], whole[n])
    with_nan = x.copy()
    with_nan[2, 7] = np.nan
    assert np.isnan(matmul(with_nan, w)[2]).all()


def test_misfits_of_matrices_are_refused() -> None:
    x = np.ones((2, 3), np.float32)
    with pytest.raises(InputError, match="do not fit"):
        matmul(x, np.ones((4, 3), np.float32))
    with pytest.raises(InputError, match="out must be"):
        matmul(x, np.ones((3, 4), np.float32), out=np.ones((2, 3), np.float32))
