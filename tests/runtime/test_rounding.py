from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import onnxlrp
from onnxlrp.graph.load import load
from onnxlrp.runtime.rounding import FARTHEST, rounded_in_order
from tests.graph.networks import network

near = st.builds(
    lambda value, ulps: value * (1 + ulps * 1e-9),
    st.sampled_from((0.0, 1.0, -1.0, 3.7, -1e-3, 2.0**100, 1e-41)),
    st.integers(-40, 40),
)


@given(arrays(np.float64, (2, 2, 6), elements=near))
def test_larger_stays_larger_and_equal_equal_in_every_plane(values):
    found = rounded_in_order(values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, values.astype(np.float32), rtol=2e-6, atol=1e-44)
    for plane, rounded in zip(values.reshape(4, -1), found.reshape(4, -1), strict=True):
        larger = plane[:, None] > plane
        assert (rounded[:, None] >= rounded)[larger].all()
        seen = np.abs(plane) > 1e-38  # denormals have no room for an order
        assert (rounded[:, None] > rounded)[larger & seen[:, None] & seen].all()
        assert (rounded[:, None] == rounded)[plane[:, None] == plane].all()


def test_what_is_told_apart_already_is_rounded_as_usual():
    values = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    np.testing.assert_array_equal(rounded_in_order(values), values.astype(np.float32))


def test_plane_of_nearly_one_value_is_rounded_as_usual():
    values = 1 + 1e-12 * np.arange(2.0 * FARTHEST).reshape(1, 1, -1)
    assert set(rounded_in_order(values).ravel()) == {np.float32(1)}


@pytest.mark.parametrize(("precision", "winner"), [("single", 0), ("double", 2)])
@pytest.mark.parametrize("pool", ["MaxPool <kernel_shape = [1, 3]> (h)", "GlobalMaxPool(h)"])
def test_who_wins_a_max_pool_in_float64_gets_its_relevance(pool, precision, winner):
    text = f"""(float[N, 1, 1, 3] x) => (float[N, 1] y) {{
        little = Mul(x, w) h = Add(x, little) p = {pool} y = Reshape(p, shape) }}"""
    little = np.array([0, -1e-9, 1e-9], np.float32)
    model = load(network(text, w=little, shape=np.array([-1, 1])))
    x = np.ones((1, 1, 1, 3), np.float32)
    relevance = onnxlrp.explain(model, x, "lrp_0", 0, precision=precision).relevance
    assert relevance.ravel().nonzero()[0].tolist() == [winner]
