"""Windows lie where onnxruntime lays them, whatever pads, dilations, ceil_mode and opset say."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from onnxlrp.errors import UnsupportedOperationError
from tests.ops.single import SingleNode, normal

OPSETS = (7, 10, 11, 18, 19, 22)
SINCE = {"ceil_mode": {"AveragePool": 10, "MaxPool": 10, "LpPool": 18},
         "dilations": {"AveragePool": 19, "MaxPool": 10, "LpPool": 18}}  # fmt: skip


@st.composite
def pools(draw, op):
    """A pool over 1 to 3 axes that onnxruntime accepts and the package does not refuse."""
    spatial = draw(st.lists(st.integers(3, 8), min_size=1, max_size=3))
    small = st.lists(st.integers(1, 3), min_size=len(spatial), max_size=len(spatial))
    opset, kernel = draw(st.sampled_from(OPSETS)), draw(small)
    attributes = {"kernel_shape": kernel, "strides": draw(small)}
    if opset >= SINCE["ceil_mode"][op]:
        attributes["ceil_mode"] = draw(st.integers(0, 1))
    if opset >= SINCE["dilations"][op]:
        attributes["dilations"] = draw(
            st.lists(st.integers(1, 2), min_size=len(spatial), max_size=len(spatial))
        )
    auto_pad = draw(st.sampled_from(("NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")))
    if auto_pad == "NOTSET":
        attributes["pads"] = [draw(st.integers(0, k - 1)) for k in (*kernel, *kernel)]
    else:
        attributes["auto_pad"] = auto_pad
    if op == "AveragePool":
        attributes["count_include_pad"] = draw(st.integers(0, 1))
    if op == "LpPool":
        attributes["p"] = draw(st.integers(1, 3))
    x = normal(2, 2, *spatial, seed=draw(st.integers(0, 99)))
    try:
        single = SingleNode(op, [x], opset=opset, **attributes)
        single.run()
        operation = single.operation
    except UnsupportedOperationError:
        assume(False)
    except Exception as error:  # onnxruntime's exceptions have no common base
        assume("ONNXRuntimeError" not in str(error))
        raise
    return single, operation, x


def many(test):
    """A hundred examples, most of which onnxruntime takes."""
    kept = [HealthCheck.filter_too_much, HealthCheck.too_slow]
    return settings(max_examples=100, suppress_health_check=kept)(test)


@many
@given(pools("AveragePool"))
def test_average_pool_counts_like_onnxruntime(pool):
    single, op, x = pool
    (y,) = single.run()
    np.testing.assert_allclose(op.prepare(lambda w: w).forward((x,), y.shape), y, atol=1e-5)


@many
@given(pools("LpPool"))
def test_lp_pool_sums_like_onnxruntime(pool):
    single, op, _ = pool
    (y,) = single.run()
    z = op.fixed_map(single.tensors()).z
    np.testing.assert_allclose(z ** (1 / op.node.attributes["p"]), y, atol=1e-4)


@many
@given(pools("MaxPool"))
def test_max_pool_finds_the_winners_of_onnxruntime(pool):
    single, op, x = pool
    (y,) = single.run()
    real = y > np.finfo(np.float32).min  # a window wholly in the padding has no winner
    relevance = np.where(real, normal(*y.shape, seed=3), np.float32(0))
    (part,) = op.propagate(relevance, single.tensors())
    won = float((relevance * np.where(real, y, 0)).sum())
    np.testing.assert_allclose(float((part * x).sum()), won, rtol=1e-4, atol=1e-4)


def test_global_lp_pool_shares_in_proportion_to_the_power():
    x = normal(2, 3, 4, 5)
    single = SingleNode("GlobalLpPool", [x], opset=18, p=3)
    relevance = normal(2, 3, 1, 1, seed=1)
    (part,) = single.operation.propagate(relevance, single.tensors())
    cubes = np.abs(x).astype(np.float64) ** 3
    wanted = cubes / cubes.sum(axis=(2, 3), keepdims=True) * relevance
    np.testing.assert_allclose(part, wanted, rtol=1e-5)
