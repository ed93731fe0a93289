"""What is made of a convolution part by part is what is made of it as a whole, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from onnxlrp.kernels import (
    Denominator,
    Ratio,
    Share,
    Times,
    add_product,
    prepare_convolution,
    product,
    set_num_threads,
    split_signs,
)
from tests.kernels.strategies import ConvCase, conv_cases, normal
from tests.kernels.test_convolution import CASES


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> ConvCase:
    found: ConvCase = request.param
    return found


@pytest.mark.usefixtures("restored_threads")
def test_times_is_the_product_on_any_number_of_threads(case: ConvCase) -> None:
    conv, size = prepare_convolution(case.weight, case.geometry), case.x.shape[2:]
    g = conv.adjoint(case.s, size)
    expected, total = np.empty_like(g), normal(3, *g.shape)
    assert product(case.x, g, expected)
    for threads in (1, 2, 5):
        set_num_threads(threads)
        then = Times(case.x)
        np.testing.assert_array_equal(conv.adjoint(case.s, size, then=then), expected)
        assert then.finite
        sums, added = total.copy(), total.copy()
        assert add_product(case.x, g, sums)
        assert conv.adjoint(case.s, size, added, Times(case.x, added)) is added
        np.testing.assert_array_equal(added, sums)


@pytest.mark.usefixtures("restored_threads")
def test_pairs_of_channels_fold_to_what_two_convolutions_give(case: ConvCase) -> None:
    others = normal(8, *case.weight.shape)
    pairs = np.stack([case.weight, others], axis=2).reshape(len(others), -1, *others.shape[2:])
    conv, size = prepare_convolution(pairs, case.geometry), case.x.shape[2:]
    g = conv.adjoint(case.s, size)
    onto = normal(9, *case.x.shape)
    chosen = np.where(case.x > 0, g[:, 0::2], g[:, 1::2])
    for threads in (1, 2, 5):
        set_num_threads(threads)
        then = Times(case.x, folded=True)
        np.testing.assert_array_equal(conv.adjoint(case.s, size, then=then), case.x * chosen)
        assert then.finite
        total = conv.adjoint(case.s, size, then=Times(case.x, onto, folded=True))
        np.testing.assert_array_equal(total, onto + case.x * chosen)
    z = conv.forward(split_signs(case.x)[0])
    one, other = (prepare_convolution(w, case.geometry) for w in (case.weight, others))
    parts = one.forward(np.maximum(case.x, 0)) + other.forward(np.minimum(case.x, 0))
    np.testing.assert_allclose(z, parts, atol=1e-5 * np.abs(parts).max())


def test_what_is_added_onto_stays_as_it_is(case: ConvCase) -> None:
    conv, size = prepare_convolution(case.weight, case.geometry), case.x.shape[2:]
    onto = normal(9, *case.x.shape)
    before = onto.copy()
    total = conv.adjoint(case.s, size, then=Times(case.x, onto))
    np.testing.assert_array_equal(onto, before)
    np.testing.assert_array_equal(total, onto + conv.adjoint(case.s, size, then=Times(case.x)))


def test_one_sample_stands_for_all(case: ConvCase) -> None:
    conv, size = prepare_convolution(case.weight, case.geometry), case.x.shape[2:]
    g = conv.adjoint(case.s, size, then=Times(case.x[:1]))
    alone = conv.adjoint(case.s, size, then=Times(np.repeat(case.x[:1], len(case.s), axis=0)))
    np.testing.assert_array_equal(g, alone)


@pytest.mark.parametrize("where", [0, 1, 2])
@pytest.mark.parametrize("mixed", [False, True])
def test_ratio_is_that_of_the_denominator(case: ConvCase, where: int, mixed: bool) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    z = conv.forward(case.x)
    r, whole, sign = normal(4, *z.shape), normal(5, *z.shape), normal(6, *z.shape)
    r[r < -0.5] = 0
    bias, epsilon = normal(7, z.shape[1]), np.full(len(z), 0.25, np.float32)
    of_whole, of_part = (1.0, 0.3) if mixed else (1.0, 0.0)
    one = whole if mixed else z
    expected = np.empty_like(z)
    d = Denominator(one, of_whole, z, of_part, bias)
    nothing_left = d.ratio(sign, r, 1.7, epsilon, where, expected)
    then = Ratio(
        r, 0.25, Share(1.7, of_whole, of_part, where), sign=sign if where else None,
        whole=whole if mixed else None, bias=bias,
    )  # fmt: skip
    np.testing.assert_array_equal(conv.forward(case.x, then=then), expected)
    assert then.nothing_left == (nothing_left if where else True)


@pytest.mark.usefixtures("restored_threads")
@pytest.mark.parametrize("spread", [False, True])
def test_ratios_of_one_relevance_lie_side_by_side(case: ConvCase, spread: bool) -> None:
    weights = [case.weight] if spread else [case.weight, normal(8, *case.weight.shape)]
    z = [prepare_convolution(w, case.geometry).forward(case.x) for w in weights]
    r, whole, sign = (normal(seed, *z[0].shape) for seed in (4, 5, 6))
    bias = normal(7, 2 * len(case.weight))
    shares = Share(2.0, 1.0, 0.5, 1), Share(-1.0, 0.5, 0.25, 2)
    expected = [
        prepare_convolution(weights[k % len(weights)], case.geometry).forward(
            case.x, then=Ratio(r, 0.25, share, sign=sign, whole=whole, bias=bias[k::2].copy())
        )
        for k, share in enumerate(shares)
    ]
    rows = np.stack(weights, axis=1).reshape(-1, *case.weight.shape[1:])
    conv = prepare_convolution(rows, case.geometry)
    for threads in (1, 2, 5):
        set_num_threads(threads)
        then = Ratio(r, 0.25, *shares, sign=sign, whole=whole, bias=bias, spread=spread)
        q = conv.forward(case.x, then=then)
        for k in range(2):
            tolerance = 0.0 if spread else 1e-4  # else sums may be made in another order
            np.testing.assert_allclose(q[:, k::2], expected[k], rtol=tolerance, atol=tolerance)


def test_infinity_is_noticed(case: ConvCase) -> None:
    conv, size = prepare_convolution(case.weight, case.geometry), case.x.shape[2:]
    x = np.full_like(case.x, np.inf)
    then = Times(x)
    conv.adjoint(case.s, size, then=then)
    assert not then.finite


@settings(max_examples=100, deadline=None)
@given(conv_cases())
def test_every_part_finds_its_place_in_any_geometry(case: ConvCase) -> None:
    conv, size = prepare_convolution(case.weight, case.geometry), case.x.shape[2:]
    z, g = conv.forward(case.x), conv.adjoint(case.s, size)
    np.testing.assert_array_equal(conv.forward(case.x, then=Times(case.s)), z * case.s)
    np.testing.assert_array_equal(conv.adjoint(case.s, size, then=Times(case.x)), g * case.x)
