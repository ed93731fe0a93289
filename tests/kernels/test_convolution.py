from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings

from onnxlrp.errors import InputError, ModelError
from onnxlrp.kernels import ConvGeometry, algorithms, prepare_convolution, set_num_threads
from onnxlrp.kernels.winograd import tile_output
from tests.kernels import reference
from tests.kernels.strategies import (
    ConvCase,
    conv_case,
    conv_cases,
    depthwise_cases,
    winograd_cases,
)

SQUARE = ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), 1)
POINT = ConvGeometry((1, 1), (0, 0), (0, 0), (1, 1), 1)

#: One case for each way that a convolution is computed, large enough for several blocks.
CASES = {
    "3x3": conv_case(SQUARE, (40, 36, 3, 3), 2, (30, 34)),
    "3x3 few windows": conv_case(SQUARE, (64, 64, 3, 3), 2, (5, 7)),
    "3x3 asymmetric padding": conv_case(
        ConvGeometry((1, 1), (0, 2), (1, 0), (1, 1), 1), (32, 33, 3, 3), 2, (13, 21)
    ),
    "3x3 of a small map": conv_case(SQUARE, (150, 140, 3, 3), 2, (14, 14)),
    "3x3 of a wide small map": conv_case(SQUARE, (40, 36, 3, 3), 2, (3, 47)),
    "3x3 deep": conv_case(SQUARE, (70, 150, 3, 3), 2, (13, 9)),
    "3x3 wide": conv_case(SQUARE, (16, 17, 3, 3), 1, (5, 301)),
    "3x3 of one tile too many": conv_case(SQUARE, (64, 40, 3, 3), 2, (28, 28)),
    "3x3 deep, of three tiles too many": conv_case(SQUARE, (150, 140, 3, 3), 1, (20, 27)),
    "3x3 of a picture": conv_case(SQUARE, (18, 3, 3, 3), 2, (37, 41)),
    "1x1 deep": conv_case(POINT, (67, 300, 1, 1), 2, (7, 7)),
    "1x1 of two positions too many": conv_case(POINT, (40, 150, 1, 1), 2, (3, 6)),
    "1x1 of three positions too many": conv_case(POINT, (75, 36, 1, 1), 2, (5, 7)),
    "1x1 deep, of three positions too many": conv_case(POINT, (150, 300, 1, 1), 2, (9, 11)),
    "1x1 deep, of half a vector too many": conv_case(POINT, (20, 150, 1, 1), 2, (5, 11)),
    "1x1 of four positions too many": conv_case(POINT, (36, 75, 1, 1), 2, (4, 5)),
    "1x1 of one position": conv_case(POINT, (24, 40, 1, 1), 2, (1, 1)),
    "1x1 to few channels": conv_case(POINT, (3, 40, 1, 1), 2, (9, 13)),
    "1x1 of channels far apart": conv_case(POINT, (64, 300, 1, 1), 2, (20, 37)),
    "1x1 of channels far apart, to half a panel": conv_case(POINT, (20, 150, 1, 1), 1, (29, 23)),
    "1x1": conv_case(POINT, (40, 24, 1, 1), 2, (20, 21)),
    "1x1 strided": conv_case(
        ConvGeometry((2, 2), (0, 0), (0, 0), (1, 1), 1), (24, 40, 1, 1), 2, (21, 24)
    ),
    "3x3 strided to short rows": conv_case(
        ConvGeometry((2, 2), (1, 1), (1, 1), (1, 1), 1), (72, 70, 3, 3), 2, (15, 16)
    ),
    "3x3 to short rows, to half a panel": conv_case(SQUARE, (68, 70, 3, 3), 2, (6, 5)),
    "1x1 strided, padded": conv_case(
        ConvGeometry((2, 3), (1, 0), (0, 1), (1, 1), 1), (66, 68, 1, 1), 2, (14, 20)
    ),
    "7x7 strided": conv_case(
        ConvGeometry((2, 2), (3, 3), (3, 3), (1, 1), 1), (20, 3, 7, 7), 2, (50, 61)
    ),
    "5x5 dilated": conv_case(
        ConvGeometry((1, 1), (4, 4), (4, 4), (2, 2), 1), (8, 12, 5, 5), 2, (23, 17)
    ),
    "grouped": conv_case(
        ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), 4), (16, 8, 3, 3), 2, (9, 40)
    ),
    "depthwise": conv_case(
        ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), 24), (24, 1, 3, 3), 2, (40, 41)
    ),
    "depthwise strided": conv_case(
        ConvGeometry((2, 2), (0, 0), (1, 1), (1, 1), 20), (40, 1, 5, 5), 2, (40, 37)
    ),
    "depthwise of pairs": conv_case(
        ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), 30), (60, 2, 3, 3), 2, (33, 50)
    ),
    "depthwise strided, of pairs": conv_case(
        ConvGeometry((2, 2), (1, 1), (1, 1), (1, 1), 70), (140, 2, 3, 3), 2, (15, 35)
    ),
    "depthwise on short rows": conv_case(
        ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), 150), (150, 1, 3, 3), 2, (7, 7)
    ),
    "depthwise on single places": conv_case(
        ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), 50), (50, 1, 3, 3), 2, (1, 1)
    ),
    "depthwise dilated": conv_case(
        ConvGeometry((1, 2), (2, 4), (3, 1), (2, 3), 6), (6, 1, 3, 4), 2, (20, 45)
    ),
    "1-D": conv_case(ConvGeometry((2,), (3,), (1,), (1,), 1), (12, 9, 5), 2, (301,)),
    "3-D strided to short rows": conv_case(
        ConvGeometry((2,) * 3, (1,) * 3, (0,) * 3, (1,) * 3, 1), (64, 65, 3, 2, 3), 2, (5, 6, 7)
    ),
    "3-D": conv_case(
        ConvGeometry((1,) * 3, (1,) * 3, (1,) * 3, (1,) * 3, 1), (9, 7, 3, 3, 3), 2, (8, 9, 10)
    ),
}  # fmt: skip


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> ConvCase:
    found: ConvCase = request.param
    return found


def check(case: ConvCase, tolerance: float) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    spatial = case.x.shape[2:]
    expected = reference.convolution(case.x, case.weight, case.geometry)
    np.testing.assert_allclose(
        conv.forward(case.x), expected, rtol=0, atol=tolerance * (np.abs(expected).max() + 1)
    )
    expected = reference.convolution_adjoint(case.s, case.weight, case.geometry, spatial)
    np.testing.assert_allclose(
        conv.adjoint(case.s, spatial),
        expected,
        rtol=0,
        atol=tolerance * (np.abs(expected).max() + 1),
    )


@settings(max_examples=150, deadline=None)
@given(conv_cases())
def test_any_geometry_agrees_with_the_definition(case: ConvCase) -> None:
    check(case, 1e-6)


@settings(max_examples=80, deadline=None)
@given(conv_cases(depthwise=True))
def test_depthwise_agrees_with_the_definition(case: ConvCase) -> None:
    check(case, 1e-6)


@settings(max_examples=60, deadline=None)
@given(depthwise_cases())
def test_small_groups_agree_with_the_definition(case: ConvCase) -> None:
    check(case, 1e-6)


@settings(max_examples=100, deadline=None)
@given(depthwise_cases())
def test_small_groups_give_the_bits_of_a_stencil(case: ConvCase) -> None:
    results = []
    for prepare in (algorithms.prepare_depthwise, lambda stencil: None):
        with mock.patch.object(algorithms, "prepare_depthwise", prepare):
            conv = prepare_convolution(case.weight, case.geometry)
            results.append((conv.forward(case.x), conv.adjoint(case.s, case.x.shape[2:])))
    for direct, laid_out in zip(*results, strict=True):
        np.testing.assert_array_equal(direct, laid_out)


@settings(max_examples=60, deadline=None)
@given(winograd_cases())
def test_winograd_agrees_with_the_definition(case: ConvCase) -> None:
    check(case, 2e-6)


def test_small_maps_are_cut_into_small_tiles() -> None:
    sizes = {
        (8, 8): 2,
        (14, 14): 2,
        (13, 9): 2,
        (3, 47): 2,
        (4, 64): 4,
        (16, 16): 4,
        (28, 28): 4,
        (2, 40): 2,
    }
    assert {size: tile_output(*size) for size in sizes} == sizes


def test_each_algorithm_agrees_with_the_definition(case: ConvCase) -> None:
    check(case, 5e-6)


def test_adjoint_is_the_adjoint_of_forward(case: ConvCase) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    z = conv.forward(case.x).astype(np.float64)
    g = conv.adjoint(case.s, case.x.shape[2:]).astype(np.float64)
    size = np.linalg.norm(z) * np.linalg.norm(case.s)
    assert abs((z * case.s).sum() - (g * case.x).sum()) < 1e-6 * size


def test_a_batch_gives_the_bits_of_single_runs(case: ConvCase) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    z, g = conv.forward(case.x), conv.adjoint(case.s, case.x.shape[2:])
    for n in range(len(case.x)):
        np.testing.assert_array_equal(conv.forward(case.x[n : n + 1])[0], z[n])
        alone = conv.adjoint(case.s[n : n + 1], case.x.shape[2:])
        np.testing.assert_array_equal(alone[0], g[n])


@pytest.mark.usefixtures("restored_threads")
def test_the_number_of_threads_changes_no_bit(case: ConvCase) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    results = []
    for threads in (1, 2, 5):
        set_num_threads(threads)
        results.append((conv.forward(case.x), conv.adjoint(case.s, case.x.shape[2:])))
    for z, g in results[1:]:
        np.testing.assert_array_equal(z, results[0][0])
        np.testing.assert_array_equal(g, results[0][1])


def test_outputs_are_written_in_place(case: ConvCase) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    z = np.full(case.s.shape, np.nan, np.float32)
    g = np.full(case.x.shape, np.nan, np.float32)
    assert conv.forward(case.x, out=z) is z
    assert conv.adjoint(case.s, case.x.shape[2:], out=g) is g
    np.testing.assert_array_equal(z, conv.forward(case.x))
    np.testing.assert_array_equal(g, conv.adjoint(case.s, case.x.shape[2:]))


def test_transformed_weights_are_made_once_and_counted(case: ConvCase) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    assert conv.nbytes == case.weight.nbytes
    conv.forward(case.x)
    forward = conv.nbytes
    conv.adjoint(case.s, case.x.shape[2:])
    assert case.weight.nbytes < forward < conv.nbytes
    both = conv.nbytes
    conv.forward(case.x)
    conv.adjoint(case.s, case.x.shape[2:])
    assert conv.nbytes == both


def test_several_threads_use_one_kernel(case: ConvCase) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    expected = prepare_convolution(case.weight, case.geometry).forward(case.x)
    with ThreadPoolExecutor(4) as callers:
        for z in callers.map(conv.forward, [case.x] * 8):
            np.testing.assert_array_equal(z, expected)


def test_one_kernel_takes_inputs_of_several_sizes(case: ConvCase) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    for part in (case.x, np.repeat(case.x, 2, axis=-1), np.repeat(case.x, 3, axis=2)):
        alone = prepare_convolution(case.weight, case.geometry)
        z = conv.forward(part)
        np.testing.assert_array_equal(z, alone.forward(part))
        g = conv.adjoint(z, part.shape[2:])
        np.testing.assert_array_equal(g, alone.adjoint(z, part.shape[2:]))


def test_read_only_and_strided_arrays_are_taken() -> None:
    case = CASES["3x3"]
    conv = prepare_convolution(case.weight, case.geometry)
    frozen = case.x.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(conv.forward(frozen), conv.forward(case.x))
    turned = np.asfortranarray(case.x)
    np.testing.assert_array_equal(conv.forward(turned), conv.forward(case.x))


def test_infinity_and_nan_stay_visible(case: ConvCase) -> None:
    conv = prepare_convolution(case.weight, case.geometry)
    x, s = case.x.copy(), case.s.copy()
    x[...], s[...] = np.nan, np.nan
    assert np.isnan(conv.forward(x)).any()
    assert np.isnan(conv.adjoint(s, x.shape[2:])).any()


@pytest.mark.parametrize(
    ("field", "value"),
    [("strides", (0, 1)), ("pads_begin", (-1, 0)), ("dilations", (1,)), ("groups", 0)],
)
def test_impossible_geometry_is_refused(field: str, value: object) -> None:
    fields = {
        "strides": (1, 1),
        "pads_begin": (0, 0),
        "pads_end": (0, 0),
        "dilations": (1, 1),
        "groups": 1,
        field: value,
    }
    with pytest.raises(ModelError, match=field):
        ConvGeometry(**fields)  # type: ignore[arg-type]


def test_shapes_that_do_not_fit_are_refused() -> None:
    weight = np.ones((4, 3, 3, 3), np.float32)
    with pytest.raises(ModelError, match="groups"):
        prepare_convolution(weight, ConvGeometry((1, 1), (1, 1), (1, 1), (1, 1), 3))
    with pytest.raises(ModelError, match="spatial axes"):
        prepare_convolution(weight, ConvGeometry((1,), (1,), (1,), (1,), 1))
    conv = prepare_convolution(weight, SQUARE)
    with pytest.raises(InputError, match="does not fit"):
        conv.forward(np.ones((1, 4, 8, 8), np.float32))
    with pytest.raises(InputError, match="does not fit"):
        conv.adjoint(np.ones((1, 4, 8, 8), np.float32), (9, 8))
    with pytest.raises(InputError, match="out must be"):
        conv.forward(np.ones((1, 3, 8, 8), np.float32), out=np.ones((1, 4, 8, 7), np.float32))


def test_a_window_larger_than_the_input_is_refused() -> None:
    conv = prepare_convolution(np.ones((1, 1, 3, 3), np.float32), POINT)
    with pytest.raises(InputError, match="does not fit"):
        conv.forward(np.ones((1, 1, 2, 8), np.float32))
