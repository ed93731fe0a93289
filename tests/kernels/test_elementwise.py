from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.kernels import (
    Denominator,
    add_product,
    all_finite,
    clip_negative,
    clip_positive,
    has_negative,
    product,
    ratio,
    rms,
    set_num_threads,
    split_signs,
    sum_per_sample,
    weighted_sum,
)
from onnxlrp.kernels.scratch import address
from tests.kernels.strategies import normal

SHAPE = (3, 5, 77, 121)  # several blocks, and a last one that fills no vector register
shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 40))
coefficients = st.sampled_from([0.0, 1.0, 0.25, -2.0])


def zeroed(seed: int, *shape: int) -> NDArray[np.float32]:
    """Draw normal numbers and make a third of them 0."""
    values = normal(seed, *shape)
    values[np.random.default_rng(seed + 7).random(shape) < 1 / 3] = 0
    return values


def stab(d: NDArray[Any], epsilon: NDArray[Any]) -> NDArray[Any]:
    epsilon = epsilon.astype(np.float64).reshape(-1, *(1,) * (d.ndim - 1))
    return d + epsilon * np.where(d >= 0, 1, -1)


@settings(max_examples=60, deadline=None)
@given(shapes, coefficients, st.integers(0, 2))
def test_branch_ratio_is_its_formula(shape: tuple[int, ...], c: float, where: int) -> None:
    d, z, r = normal(0, *shape), zeroed(1, *shape), zeroed(2, *shape)
    epsilon = np.linspace(0.1, 0.5, shape[0], dtype=np.float32)
    out = np.full(shape, np.nan, np.float32)
    left = not Denominator(d).ratio(z, r, c, epsilon, where, out)
    assert left == (where != 0 and bool(r[z < 0].any()))
    holds = [np.ones(shape, bool), z > 0, z < 0][where]
    expected = np.where(holds, c * r / stab(d.astype(np.float64), epsilon), 0)
    np.testing.assert_allclose(out, expected, rtol=1e-4)


def test_branch_without_contributions_gives_nothing() -> None:
    d, r, out = np.zeros((1, 19), np.float32), np.ones((1, 19), np.float32), np.ones((1, 19))
    out = out.astype(np.float32)
    Denominator(d).ratio(None, r, 1.0, np.zeros(1, np.float32), 0, out)
    assert (out == 0).all()


def test_ratio_is_its_formula() -> None:
    z, r, out = normal(0, *SHAPE), zeroed(1, *SHAPE), np.empty(SHAPE, np.float32)
    epsilon = np.array([1e-6, 0.25, 1.0], np.float32)
    ratio(z, r, -0.5, epsilon, out)
    np.testing.assert_allclose(out, -0.5 * r / stab(z.astype(np.float64), epsilon), rtol=1e-4)


def test_the_stabiliser_of_zero_is_positive() -> None:
    z, r, out = np.array([[0.0, -0.0]], np.float32), np.ones((1, 2), np.float32), np.empty((1, 2))
    out = out.astype(np.float32)
    ratio(z, r, 1.0, np.array([0.5], np.float32), out)
    assert out.tolist() == [[2.0, 2.0]]


def test_no_relevance_is_exactly_zero_and_some_over_nothing_is_infinite() -> None:
    z, none = np.zeros((1, 19), np.float32), np.zeros(1, np.float32)
    r = np.zeros_like(z)
    r[0, 3] = 2
    out = np.full((1, 19), np.nan, np.float32)
    ratio(z, r, 1.0, none, out)
    assert np.isposinf(out[0, 3])
    assert (np.delete(out[0], 3) == 0).all()


def test_relevance_over_infinity_is_zero() -> None:
    z, r = np.full((1, 24), np.inf, np.float32), np.ones((1, 24), np.float32)
    out = np.empty_like(z)
    ratio(z, r, 1.0, np.zeros(1, np.float32), out)
    assert (out == 0).all()


def test_products_and_clips() -> None:
    a, g, h = zeroed(0, *SHAPE), normal(1, *SHAPE), normal(2, *SHAPE)
    out = np.empty(SHAPE, np.float32)
    product(a, g, out)
    np.testing.assert_array_equal(out, a * g)
    add_product(a, h, out)
    np.testing.assert_allclose(out, a * g + a * h, rtol=1e-5, atol=1e-6)
    weighted_sum(a, 2.0, g, -0.5, out)
    np.testing.assert_allclose(out, 2 * a - g / 2, rtol=1e-5, atol=1e-6)
    clip_positive(a, out)
    np.testing.assert_array_equal(out, np.maximum(a, 0))
    clip_negative(a, out)
    np.testing.assert_array_equal(out, np.minimum(a, 0))


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 400, 301), (1, 0, 4), (2, 3, 0)])
def test_signs_are_split_channel_by_channel(shape: tuple[int, ...]) -> None:
    a = normal(0, *shape)
    a[a > 1.5] = np.nan
    out, found = split_signs(a)
    assert found == bool((a < 0).any())
    assert not split_signs(np.abs(a))[1]
    assert out.shape == (shape[0], 2 * shape[1], *shape[2:])
    np.testing.assert_array_equal(out[:, 0::2], np.maximum(a, 0))
    np.testing.assert_array_equal(out[:, 1::2], np.minimum(a, 0))


def test_addresses_are_those_that_numpy_gives() -> None:
    a = np.zeros((3, 4), np.float32)
    still, nothing = np.broadcast_to(np.float32(1), (1,)), np.zeros(0, np.float32)
    for array in (a, a[1:], np.zeros(5, np.int64), still, nothing):
        assert address(array) == array.ctypes.data


def test_nan_passes_through_every_step() -> None:
    a, one, out = (
        np.full((1, 9), np.nan, np.float32),
        np.ones((1, 9), np.float32),
        np.ones((5, 1, 9)),
    )
    out = out.astype(np.float32)
    clip_positive(a, out[0])
    clip_negative(a, out[1])
    product(a, one, out[2])
    ratio(one, a, 1.0, np.zeros(1, np.float32), out[3])
    Denominator(one).ratio(None, a, 1.0, np.zeros(1, np.float32), 0, out[4])
    assert np.isnan(out).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 70), st.sampled_from([np.nan, np.inf, -np.inf, 3e38]))
def test_all_finite_finds_each_element(place: int, value: float) -> None:
    for size in (71, 72):
        a = normal(0, 1, size)
        a[0, place] = value
        assert all_finite(a) == bool(np.isfinite(value))


@pytest.mark.parametrize("place", [0, 70_000, 200_000])
def test_has_negative_finds_each_element(place: int) -> None:
    a = np.abs(normal(0, 3, 66_667))
    a.flat[5] = -0.0
    assert not has_negative(a)
    a.flat[place] = -1e-3
    assert has_negative(a)


def test_sums_of_samples() -> None:
    a = normal(0, *SHAPE)
    flat = a.reshape(len(a), -1).astype(np.float64)
    np.testing.assert_allclose(sum_per_sample(a), flat.sum(1), rtol=1e-9)
    np.testing.assert_allclose(rms(a), np.sqrt((flat**2).mean(1)), rtol=1e-6)
    assert rms(np.ones((2, 0), np.float32)).tolist() == [0, 0]


@pytest.mark.usefixtures("restored_threads")
def test_threads_and_batch_change_no_bit_of_a_step() -> None:
    a, b, r = normal(0, *SHAPE), normal(1, *SHAPE), zeroed(2, *SHAPE)
    epsilon, bias = np.full(3, 0.1, np.float32), normal(3, SHAPE[1])

    def results(part: slice) -> list[NDArray[Any]]:
        s = np.empty((3, *a[part].shape), np.float32)
        mixed = Denominator(a[part], 0.7, r[part], -0.2, bias)
        mixed.ratio(b[part], r[part], 0.5, epsilon[part], 1, s[0])
        ratio(a[part], r[part], 1, epsilon[part], s[1])
        weighted_sum(a[part], 0.3, b[part], 0.7, s[2])
        return [*s, rms(a[part]), sum_per_sample(a[part])]

    set_num_threads(1)
    whole = results(slice(None))
    set_num_threads(3)
    for one, many in zip(whole, results(slice(None)), strict=True):
        np.testing.assert_array_equal(one, many)
    for batch, single in zip(whole, results(slice(1, 2)), strict=True):
        np.testing.assert_array_equal(batch[1:2], single)


def test_misfits_of_arrays_are_refused() -> None:
    a, out = np.ones((2, 3), np.float32), np.ones((2, 4), np.float32)
    with pytest.raises(InputError, match="shape"):
        product(a, a, out)
    with pytest.raises(InputError, match="float32 in C order"):
        product(a, a, np.ones((2, 3)))
    with pytest.raises(InputError, match="epsilon"):
        ratio(a, a, 1.0, np.ones(1, np.float32), a.copy())


@pytest.mark.parametrize("shape", [SHAPE, (2, 7), (3, 4, 9)])
def test_a_denominator_is_its_sum(shape: tuple[int, ...]) -> None:
    u, v, r, bias = normal(0, *shape), normal(1, *shape), zeroed(2, *shape), normal(3, shape[1])
    d = Denominator(u, 0.75, v, -0.5, bias)
    expected = 0.75 * u - 0.5 * v + bias.reshape(-1, *(1,) * (len(shape) - 2))
    np.testing.assert_allclose(d.array(), expected, rtol=1e-4, atol=1e-6)
    epsilon, out = np.full(shape[0], 0.1, np.float32), np.empty(shape, np.float32)
    d.ratio(None, r, 2.0, epsilon, 0, out)
    apart = np.empty(shape, np.float32)
    Denominator(d.array()).ratio(None, r, 2.0, epsilon, 0, apart)
    np.testing.assert_allclose(out, apart, rtol=1e-5)


def test_products_say_whether_they_are_finite() -> None:
    a, one = np.ones(SHAPE, np.float32), np.ones(SHAPE, np.float32)
    assert product(a, one, np.empty_like(a))
    assert add_product(a, one, np.ones_like(a))
    for number in (np.nan, np.inf, -np.inf):
        a.reshape(-1)[-2] = number
        assert not product(a, one, np.empty_like(a))
        assert not add_product(one, a, np.ones_like(a))


@settings(max_examples=40, deadline=None)
@given(shapes, coefficients, st.sampled_from([1.0, -0.5]))
def test_sharing_a_sum_is_a_ratio_and_two_products(
    shape: tuple[int, ...], c: float, factor: float
) -> None:
    x, y, r = zeroed(1, *shape), zeroed(2, *shape), zeroed(3, *shape)
    epsilon = np.linspace(0.1, 0.5, shape[0], dtype=np.float32)
    d = Denominator(x + np.float32(factor) * y, 1.25)
    q, expected = np.empty_like(x), (np.empty_like(x), np.empty_like(x))
    d.ratio(None, r, c, epsilon, 0, q)
    finite = [product(x, q, expected[0]), product(y, np.float32(factor) * q, expected[1])]
    parts, fine = d.share(r, c, epsilon, (x, y), (1.0, factor))
    assert fine == all(finite)
    for part, wanted in zip(parts, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)


def test_sharing_a_sum_notices_infinity() -> None:
    x, y = np.full((1, 40), 1e30, np.float32), np.full((1, 40), -1e30, np.float32)
    d, r = Denominator(x + y), np.full((1, 40), 1e10, np.float32)
    parts, fine = d.share(r, 1.0, np.full(1, 1e-6, np.float32), (x, y), (1.0, 1.0))
    assert not fine
    assert np.isposinf(parts[0]).all()
