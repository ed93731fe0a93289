from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onnxlrp.errors import InputError
from onnxlrp.evaluate import (
    area_between_curves,
    area_over_curve,
    area_under_curve,
    bootstrap_interval,
)

CURVES = hnp.arrays(np.float64, st.integers(2, 30), elements=st.floats(-100, 100))


@given(CURVES)
def test_areas_by_their_formulas(curve):
    steps = len(curve) - 1
    even = np.arange(steps + 1) / steps
    trapezoid = sum((curve[k] + curve[k + 1]) / 2 for k in range(steps)) / steps
    np.testing.assert_allclose(area_under_curve(even, curve), trapezoid, atol=1e-9)
    fallen = sum(curve[0] - curve[k] for k in range(steps + 1)) / (steps + 1)
    np.testing.assert_allclose(area_over_curve(curve), fallen, atol=1e-9)
    np.testing.assert_allclose(area_between_curves(curve, curve), 0)


@given(CURVES, st.floats(0.05, 1.0))
def test_area_under_the_curve_is_a_mean_height(curve, until):
    even = np.linspace(0, until, len(curve))
    np.testing.assert_allclose(
        area_under_curve(even, curve), area_under_curve(even / until, curve), atol=1e-9
    )
    np.testing.assert_allclose(area_under_curve(even, np.full_like(curve, 3.5)), 3.5)


def test_straight_fall_has_the_areas_of_a_triangle():
    fractions = np.linspace(0, 1, 101)
    assert float(area_under_curve(fractions, 1 - fractions)) == pytest.approx(0.5)
    assert float(area_over_curve(1 - fractions)) == pytest.approx(0.5)
    assert float(area_between_curves(1 - fractions, np.zeros(101))) == pytest.approx(0.5)


def test_areas_keep_the_axes_in_front():
    scores = np.random.default_rng(0).random((4, 3, 6))
    assert area_under_curve(np.linspace(0, 1, 6), scores).shape == (4, 3)
    assert area_over_curve(scores).shape == (4, 3)
    assert area_between_curves(scores, scores).shape == (4, 3)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: area_under_curve([0, 1], [1, 2, 3]), "one growing share"),
        (lambda: area_under_curve([0, 1, 0.5], [1, 2, 3]), "one growing share"),
        (lambda: area_under_curve([0, 0], [1, 2]), "one growing share"),
        (lambda: area_over_curve([1.0]), "has no step"),
        (lambda: area_over_curve(1.0), "has no step"),
        (lambda: area_between_curves([1, 2], [1, 2, 3]), "use the same steps"),
        (lambda: bootstrap_interval([]), "at least one sample"),
        (
            lambda: bootstrap_interval([1.0, 2.0], level=95),
            "level=95: a confidence level lies between 0 and 1",
        ),
    ],
)
def test_what_is_no_curve_is_one_clear_line(call, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_interval_of_many_normal_samples_is_that_of_the_normal():
    samples = np.random.default_rng(0).normal(5.0, 2.0, (400, 3))
    low, high = bootstrap_interval(samples, 0.95)
    half = 1.96 * samples.std(axis=0) / 20
    np.testing.assert_allclose(low, samples.mean(axis=0) - half, atol=0.02)
    np.testing.assert_allclose(high, samples.mean(axis=0) + half, atol=0.02)


def test_interval_grows_with_its_level_and_holds_the_mean():
    samples = np.random.default_rng(0).exponential(1.0, 20)
    narrow, wide = (bootstrap_interval(samples, level) for level in (0.5, 0.99))
    assert wide[0] < narrow[0] < samples.mean() < narrow[1] < wide[1]


def test_interval_is_the_same_each_time_and_that_of_one_sample_is_the_sample():
    samples = np.random.default_rng(0).random((9, 4))
    np.testing.assert_array_equal(bootstrap_interval(samples), bootstrap_interval(samples))
    low, high = bootstrap_interval(samples[:1])
    np.testing.assert_array_equal(low, samples[0])
    np.testing.assert_array_equal(high, samples[0])
