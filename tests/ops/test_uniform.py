"""A convolution whose weights are all one number is a box filter with the same result."""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.ops.convolution import ConvMap, UniformConvMap
from onnxlrp.rules.frame import WeightMap
from tests.ops.single import SingleNode, normal


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("strides, pads", [((1, 1), (1, 1, 1, 1)), ((2, 3), (0, 2, 1, 0))])
def test_equals_the_convolution(groups, strides, pads):
    w = np.full((6, 4 // groups, 3, 3), 0.5, np.float32)
    single = SingleNode(
        "Conv", [normal(2, 4, 7, 8)], {1: w}, strides=strides, pads=pads, group=groups
    )
    op, (x,), (z,) = single.operation, single.inputs.values(), single.run()
    uniform = op.prepare(lambda weight: weight * 1)
    plain = op.prepare(lambda weight: weight)
    assert isinstance(uniform, UniformConvMap)
    assert isinstance(plain, ConvMap)
    np.testing.assert_allclose(uniform.forward((x,), z.shape), z, rtol=1e-5, atol=1e-5)
    s = normal(*z.shape, seed=3)
    (got,), (wanted,) = uniform.adjoint(s, (x.shape,)), plain.adjoint(s, (x.shape,))
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2])
def test_one_output_stands_for_all_of_a_group(groups):
    w = normal(6, 4 // groups, 3, 3)
    single = SingleNode("Conv", [normal(2, 4, 7, 8)], {1: w}, pads=(1, 1, 1, 1), group=groups)
    op, (x,) = single.operation, single.inputs.values()
    ones = WeightMap(0.0, 0.0, constant=1.0)
    merged, relevance = op.merged, normal(2, 6, 7, 8, seed=4)
    np.testing.assert_allclose(
        op.merge(relevance), relevance.reshape(2, groups, -1, 7, 8).sum(axis=2), atol=1e-5
    )
    each = merged.prepare(ones).forward((x,), (2, groups, 7, 8))
    every = op.prepare(ones).forward((x,), (2, 6, 7, 8))
    assert np.array_equal(np.repeat(each, 6 // groups, axis=1), every)
    assert merged.merged is None
    depthwise = SingleNode("Conv", [normal(2, 4, 7, 8)], {1: normal(4, 1, 3, 3)}, group=4)
    assert depthwise.operation.merged is None
