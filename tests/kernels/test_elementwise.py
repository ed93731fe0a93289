from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.kernels import (
    absorbed,
    absorbed_share,
    all_finite,
    clip_negative,
    clip_positive,
    has_negative,
    product,
    ratio,
    rms,
    set_num_threads,
    signed_product,
    signed_ratio,
    sum_per_sample,
)
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


def expected_ratio(
    z_pos: NDArray[Any], z_neg: NDArray[Any], r: NDArray[Any],
    c: float, p_pos: float, p_neg: float, epsilon: NDArray[Any], where: int,
) -> NDArray[Any]:  # fmt: skip
    """c·R / stab(p⁺z⁺ + p⁻z⁻) where the condition holds, else 0."""
    z_pos, z_neg, r = (a.astype(np.float64) for a in (z_pos, z_neg, r))
    z = z_pos + z_neg
    holds = [np.ones_like(z, bool), z > 0, z < 0][where] & (r != 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(holds, c * r / stab(p_pos * z_pos + p_neg * z_neg, epsilon), 0.0)


@settings(max_examples=60, deadline=None)
@given(shapes, coefficients, coefficients, coefficients, st.integers(0, 2), st.booleans())
def test_signed_ratio_is_its_formula(
    shape: tuple[int, ...], c: float, p_pos: float, p_neg: float, where: int, accumulate: bool
) -> None:
    z_pos, z_neg, r = np.abs(normal(0, *shape)), -np.abs(normal(1, *shape)), zeroed(2, *shape)
    epsilon = np.linspace(0.1, 0.5, shape[0], dtype=np.float32)
    before = normal(3, 2, *shape)
    s_pos, s_neg = before[0].copy(), before[1].copy()
    signed_ratio(z_pos, z_neg, r, c, p_pos, p_neg, epsilon, where, s_pos, s_neg, accumulate)
    term = expected_ratio(z_pos, z_neg, r, c, p_pos, p_neg, epsilon, where)
    for s, p, old in ((s_pos, p_pos, before[0]), (s_neg, p_neg, before[1])):
        np.testing.assert_allclose(s, p * term + accumulate * old, rtol=1e-4, atol=1e-5)


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
    outputs = np.full((3, 1, 19), np.nan, np.float32)
    ratio(z, r, 1.0, none, outputs[0])
    signed_ratio(z, z, r, 1.0, 1.0, 1.0, none, 0, outputs[1], outputs[2], False)
    for out in outputs:
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
    signed_product(a, g, h, out)
    np.testing.assert_array_equal(out, np.where(a > 0, a * g, a * h))
    product(a, g, out)
    np.testing.assert_array_equal(out, a * g)
    clip_positive(a, out)
    np.testing.assert_array_equal(out, np.maximum(a, 0))
    clip_negative(a, out)
    np.testing.assert_array_equal(out, np.minimum(a, 0))


def test_zero_activation_gets_zero_from_an_infinite_ratio() -> None:
    a, g = np.zeros((1, 9), np.float32), np.full((1, 9), np.inf, np.float32)
    out = np.empty_like(a)
    signed_product(a, g, g, out)
    assert (out == 0).all()


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
    signed_product(a, one, one, out[3])
    ratio(one, a, 1.0, np.zeros(1, np.float32), out[4])
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


@settings(max_examples=40, deadline=None)
@given(shapes, coefficients, coefficients, coefficients, st.integers(0, 2))
def test_absorbed_is_its_formula(
    shape: tuple[int, ...], c: float, p_pos: float, p_neg: float, where: int
) -> None:
    z_pos, z_neg, r = np.abs(normal(0, *shape)), -np.abs(normal(1, *shape)), zeroed(2, *shape)
    epsilon = np.linspace(0.1, 0.5, shape[0], dtype=np.float32)
    bias = normal(3, shape[1])
    bias_pos, bias_neg = np.maximum(bias, 0), np.minimum(bias, 0)
    arguments = (z_pos, z_neg, r, c, p_pos, p_neg, epsilon, where)
    s = expected_ratio(*arguments)
    d = p_pos * z_pos.astype(np.float64) + p_neg * z_neg
    kept = s * (p_pos * bias_pos + p_neg * bias_neg)[None, :, None]
    stabilised = s * (stab(d, epsilon) - d)
    sums = np.stack([kept.sum((1, 2)), stabilised.sum((1, 2))], axis=1)
    got = absorbed(*arguments, bias_pos, bias_neg)
    np.testing.assert_allclose(got, sums, rtol=1e-3, atol=1e-4)
    out = np.ones(shape, np.float32)
    absorbed_share(*arguments, bias_pos, bias_neg, out, True)
    share = np.where(d == 0, 0, kept + stabilised)
    np.testing.assert_allclose(out, 1 + share, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("restored_threads")
def test_threads_and_batch_change_no_bit_of_a_step() -> None:
    a, b, r = normal(0, *SHAPE), normal(1, *SHAPE), zeroed(2, *SHAPE)
    epsilon, bias = np.full(3, 0.1, np.float32), normal(3, SHAPE[1])

    def results(part: slice) -> list[NDArray[Any]]:
        s = np.empty((3, *a[part].shape), np.float32)
        signed_ratio(a[part], b[part], r[part], 1, 1, 0.5, epsilon[part], 1, s[0], s[1], False)
        ratio(a[part], r[part], 1, epsilon[part], s[2])
        term = (a[part], b[part], r[part], 1, 1, 0.5, epsilon[part], 0)
        return [*s, rms(a[part]), sum_per_sample(a[part]), absorbed(*term, bias, bias)]

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
