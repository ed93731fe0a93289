"""Resized tensors look where onnxruntime looks: nearest, linear and cubic, all coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from onnxlrp.errors import UnsupportedOperationError
from onnxlrp.rules import Epsilon, Gamma, WSquare
from tests.engine.carry import carry
from tests.ops.single import SingleNode, normal

COORDINATES = ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
NEAREST = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
scales = st.sampled_from((0.3, 0.5, 0.6, 1.0, 1.1, 1.5, 2.0, 2.5, 3.0))


@st.composite
def resizes(draw, modes):
    """A Resize by scales or sizes, over two axes in any order."""
    opset = draw(st.sampled_from((11, 13, 18, 19)))
    mode = draw(st.sampled_from(modes))
    attributes = {"mode": mode}
    known = (*COORDINATES, "half_pixel_symmetric") if opset >= 19 else COORDINATES
    attributes["coordinate_transformation_mode"] = draw(st.sampled_from(known))
    if mode == "nearest":
        attributes["nearest_mode"] = draw(st.sampled_from(NEAREST))
    if mode == "cubic":
        attributes["cubic_coeff_a"] = draw(st.sampled_from((-0.5, -0.75)))
        attributes["exclude_outside"] = draw(st.integers(0, 1))
    if opset >= 18 and mode != "nearest":
        attributes["antialias"] = draw(st.integers(0, 1))
    size = [draw(st.integers(1, 8)) for _ in range(2)]
    by_sizes = draw(st.booleans())
    factors = np.array([1, 1, draw(scales), draw(scales)], np.float32)
    sizes = np.array([1, 2, *(draw(st.integers(1, 12)) for _ in range(2))], np.int64)
    if opset >= 18 and by_sizes:
        policies = ("stretch", "not_larger", "not_smaller")
        attributes["keep_aspect_ratio_policy"] = draw(st.sampled_from(policies))
        order = draw(st.permutations((2, 3)))
        attributes["axes"] = order
        sizes = sizes[list(order)]
    nothing = np.zeros(0, np.float32)
    constants = {1: nothing, 2: nothing, 3: sizes} if by_sizes else {1: nothing, 2: factors}
    x = normal(1, 2, *size, seed=draw(st.integers(0, 99)))
    single = SingleNode("Resize", [x], constants, opset=opset, **attributes)
    try:
        single.run()
    except Exception as error:  # onnxruntime's exceptions have no common base
        assume("ONNXRuntimeError" not in str(error))
        raise
    return single


def many(test):
    """Enough to meet half pixels and borders in every mode."""
    return settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])(test)


@many
@given(resizes(("nearest",)))
def test_nearest_is_the_adjoint(single):
    (x,), (y,) = single.inputs.values(), single.run()
    relevance = normal(*y.shape, seed=1)
    (part,) = single.operation.propagate(relevance, single.tensors())
    assert float((part * x).sum()) == pytest.approx(
        float((relevance * y).sum()), rel=1e-4, abs=1e-4
    )


@many
@given(resizes(("linear", "cubic")))
def test_interpolates_like_onnxruntime(single):
    (x,), (y,) = single.inputs.values(), single.run()
    plain = single.operation.prepare(lambda w: w)
    np.testing.assert_allclose(plain.forward((x,), y.shape), y, atol=2e-4)
    s = normal(*y.shape, seed=1)
    (back,) = plain.adjoint(s, (x.shape,))
    assert float((back * x).sum()) == pytest.approx(float((s * y).sum()), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize(
    "opset, op, factors",
    [(7, "Upsample", (2, 3)), (9, "Upsample", (2, 3)), (9, "Upsample", (1.5, 2.5)),
     (10, "Resize", (1.5, 2.5)), (10, "Resize", (0.6, 0.5))],
)  # fmt: skip
def test_old_opsets(opset, op, factors, mode):
    factors = np.array([1, 1, *factors], np.float32)
    x = normal(1, 2, 4, 5)
    if opset == 7:
        single = SingleNode(op, [x], opset=opset, mode=mode, scales=factors.tolist())
    else:
        single = SingleNode(op, [x], {1: factors}, opset=opset, mode=mode)
    (y,) = single.run()
    relevance = normal(*y.shape, seed=1)
    if mode == "nearest":
        (part,) = single.operation.propagate(relevance, single.tensors())
    else:
        (part,) = single.operation.prepare(lambda w: w).adjoint(relevance, (x.shape,))
    assert float((part * x).sum()) == pytest.approx(float((relevance * y).sum()), rel=1e-4)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_what_keeps_its_shape_is_copied_whatever_the_scales(mode):
    factors = np.array([1, 1, 1.1, 1.2], np.float32)
    single = SingleNode("Resize", [normal(1, 2, 7, 3)], {1: None, 2: factors}, mode=mode)
    (y,) = single.run()
    relevance = normal(*y.shape, seed=1)
    if mode == "nearest":
        (part,) = single.operation.propagate(relevance, single.tensors())
    else:
        (part,) = single.operation.prepare(lambda w: w).adjoint(relevance, (y.shape,))
    np.testing.assert_array_equal(part, relevance)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_computed_scales_are_read_from_the_network(mode):
    x, factors = normal(1, 2, 4, 5), np.array([1, 1, 1.6, 2.3], np.float32)
    told = SingleNode("Resize", [x], {1: None, 2: factors}, mode=mode)
    read = SingleNode("Resize", [x, factors], {1: None}, mode=mode, steering=(2,))
    relevance = normal(*told.run()[0].shape, seed=1)
    (part,) = read.operation.propagate(relevance, read.tensors())
    if mode == "nearest":
        (wanted,) = told.operation.propagate(relevance, told.tensors())
    else:
        (wanted,) = carry(told, Epsilon(), relevance)
    np.testing.assert_allclose(part, wanted, rtol=1e-5, atol=1e-6)


def test_rules_that_part_signs_are_refused_on_cubics():
    sizes = np.array([1, 2, 7, 9], np.int64)
    single = SingleNode("Resize", [normal(1, 2, 4, 5)], {1: None, 2: None, 3: sizes}, mode="cubic")
    relevance = normal(1, 2, 7, 9, seed=1)
    carry(single, Epsilon(), relevance)
    for rule in (Gamma(0.25), WSquare()):
        with pytest.raises(UnsupportedOperationError, match=r"'node' \(Resize\).*use ε"):
            carry(single, rule, relevance)


@pytest.mark.parametrize(
    "attributes, why",
    [({"coordinate_transformation_mode": "tf_crop_and_resize"}, "tf_crop_and_resize"),
     ({"coordinate_transformation_mode": "tf_half_pixel_for_nn", "mode": "linear"}, "nearest"),
     ({"keep_aspect_ratio_policy": "not_larger", "axes": [-2, -1]}, "negative axes")],
)  # fmt: skip
def test_refuses_with_a_reason(attributes, why):
    roi = np.array([0, 0, 0, 0, 1, 1, 1, 1], np.float32)
    sizes = np.array([7, 9] if "axes" in attributes else [1, 2, 7, 9], np.int64)
    single = SingleNode("Resize", [normal(1, 2, 4, 5)], {1: roi, 2: None, 3: sizes}, **attributes)
    with pytest.raises(UnsupportedOperationError, match=why):
        single.operation  # noqa: B018
