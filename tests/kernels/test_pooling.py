from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnxlrp.errors import InputError, ModelError
from onnxlrp.kernels import (
    PoolGeometry,
    max_pool_winner,
    set_num_threads,
    window_count,
    window_sum,
    window_sum_adjoint,
)
from tests.kernels import reference
from tests.kernels.strategies import normal, pool_cases

Case = tuple[PoolGeometry, tuple[int, ...], tuple[int, ...]]
PAIRS = PoolGeometry((2, 2), (2, 2), (0, 0), (0, 0), (1, 1))


@settings(max_examples=120, deadline=None)
@given(pool_cases(), st.integers(0, 1000))
def test_window_sums_agree_with_the_definition(case: Case, seed: int) -> None:
    geometry, spatial, windows = case
    x, s = normal(seed, 2, 3, *spatial), normal(seed + 1, 2, 3, *windows)
    np.testing.assert_allclose(
        window_sum(x, geometry, windows), reference.window_sum(x, geometry, windows), atol=1e-5
    )
    np.testing.assert_allclose(
        window_sum_adjoint(s, geometry, spatial),
        reference.window_sum_adjoint(s, geometry, spatial),
        atol=1e-5,
    )
    np.testing.assert_array_equal(
        window_count(geometry, spatial, windows),
        reference.window_sum(np.ones((1, 1, *spatial)), geometry, windows)[0, 0],
    )


@settings(max_examples=120, deadline=None)
@given(pool_cases(), st.integers(0, 1000), st.booleans())
def test_the_first_maximum_takes_all(case: Case, seed: int, ties: bool) -> None:
    geometry, spatial, windows = case
    x, relevance = normal(seed, 2, 3, *spatial), normal(seed + 1, 2, 3, *windows)
    x = np.round(x) if ties else x
    np.testing.assert_allclose(
        max_pool_winner(relevance, x, geometry),
        reference.max_pool_winner(relevance, x, geometry),
        atol=1e-5,
    )


@pytest.mark.parametrize("kernel", [2, 3])
def test_larger_planes_agree_with_the_definition(kernel: int) -> None:
    geometry = PoolGeometry((kernel,) * 2, (2, 2), (0, 0), (1, 1), (1, 1))
    x = np.maximum(normal(0, 1, 5, 41, 39), 0)
    windows = (x.shape[2] // 2, x.shape[3] // 2)
    relevance = normal(1, 1, 5, *windows)
    np.testing.assert_allclose(
        max_pool_winner(relevance, x, geometry),
        reference.max_pool_winner(relevance, x, geometry),
        atol=1e-6,
    )


@pytest.mark.parametrize("windows", [8, 14, 19])
def test_squares_side_by_side_agree_with_the_definition(windows: int) -> None:
    geometry = PoolGeometry((2, 2), (2, 2), (0, 0), (0, 0), (1, 1))
    x = np.maximum(np.round(normal(0, 2, 5, 6, 2 * windows)), 0)  # many are equal
    relevance = normal(1, 2, 5, 3, windows)
    got = max_pool_winner(relevance, x, geometry)
    np.testing.assert_array_equal(got, reference.max_pool_winner(relevance, x, geometry))


def test_negative_inputs_win_over_the_padding() -> None:
    geometry = PoolGeometry((3, 3), (2, 2), (1, 1), (1, 1), (1, 1))
    x = -1 - np.abs(normal(0, 1, 2, 6, 6))
    relevance = np.abs(normal(1, 1, 2, 3, 3))
    got = max_pool_winner(relevance, x, geometry)
    np.testing.assert_allclose(got.sum(), relevance.sum(), rtol=1e-6)


def test_minus_infinity_can_win() -> None:
    x = np.full((1, 1, 2, 2), -np.inf, np.float32)
    got = max_pool_winner(np.ones((1, 1, 1, 1), np.float32), x, PAIRS)
    assert got.ravel().tolist() == [1, 0, 0, 0]


@pytest.mark.usefixtures("restored_threads")
def test_threads_and_batch_change_no_bit() -> None:
    geometry = PoolGeometry((3, 3), (2, 2), (1, 1), (1, 1), (1, 1))
    x, s = normal(0, 3, 40, 60, 60), normal(1, 3, 40, 30, 30)

    def results(part: slice) -> list[np.ndarray]:
        return [
            window_sum(x[part], geometry, (30, 30)),
            window_sum_adjoint(s[part], geometry, (60, 60)),
            max_pool_winner(s[part], x[part], geometry),
        ]

    set_num_threads(1)
    whole = results(slice(None))
    set_num_threads(3)
    for one, many in zip(whole, results(slice(None)), strict=True):
        np.testing.assert_array_equal(one, many)
    for batch, single in zip(whole, results(slice(1, 2)), strict=True):
        np.testing.assert_array_equal(batch[1:2], single)


def test_misfits_are_refused() -> None:
    with pytest.raises(ModelError, match="kernel"):
        PoolGeometry((2,), (2, 2), (0, 0), (0, 0), (1, 1))
    with pytest.raises(InputError, match="spatial axes"):
        window_sum(np.ones((1, 1, 4), np.float32), PAIRS, (2, 2))
    with pytest.raises(InputError, match="differ in samples"):
        max_pool_winner(np.ones((1, 2, 2, 2), np.float32), np.ones((1, 1, 4, 4), np.float32), PAIRS)
