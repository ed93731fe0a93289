"""A move's propagate is the adjoint of what onnxruntime does: ⟨move(v), R⟩ = ⟨v, propagate(R)⟩.

What it does not hand to an input, a constant took: Σ R = Σ handed + Σ absorbed.
"""

from __future__ import annotations

import numpy as np
import pytest

from onnxlrp.errors import UnsupportedOperationError
from tests.ops.single import SingleNode, normal

I = np.int64  # noqa: E741


def ints(*values):
    return np.array(values, I)


X = normal(2, 4, 6, 5)
MOVES = {
    "reshape": SingleNode("Reshape", [X], {1: ints(2, -1)}),
    "flatten": SingleNode("Flatten", [X], axis=2),
    "squeeze": SingleNode("Squeeze", [normal(2, 3, 1, 1)], {1: ints(2, 3)}),
    "squeeze old": SingleNode("Squeeze", [normal(2, 3, 1, 1)], opset=11, axes=[2]),
    "unsqueeze": SingleNode("Unsqueeze", [X], {1: ints(1)}),
    "transpose": SingleNode("Transpose", [X], perm=[0, 2, 3, 1]),
    "transpose reversed": SingleNode("Transpose", [X]),
    "concat": SingleNode("Concat", [X, normal(2, 3, 6, 5, seed=1)], axis=1),
    "concat a constant": SingleNode("Concat", [X], {0: 0 * normal(2, 1, 6, 5)}, axis=1),
    "concat last axis": SingleNode("Concat", [X, X], axis=-1),
    "split": SingleNode("Split", [X], {1: ints(1, 3)}, outputs=2, axis=1),
    "slice": SingleNode("Slice", [X], {1: ints(1, -4), 2: ints(4, -1), 3: ints(1, 2)}),
    "slice steps": SingleNode("Slice", [X], {1: ints(0), 2: ints(6), 3: ints(2), 4: ints(2)}),
    "slice backwards": SingleNode(
        "Slice", [X], {1: ints(-1), 2: ints(-(2**62)), 3: ints(3), 4: ints(-2)}
    ),
    "slice to the end": SingleNode("Slice", [X], {1: ints(1), 2: ints(2**62), 3: ints(2)}),
    "slice old": SingleNode("Slice", [X], opset=9, starts=[1], ends=[3], axes=[1]),
    "gather": SingleNode("Gather", [X], {1: ints(3, 0, 0, -1)}, axis=1),
    "gather scalar": SingleNode("Gather", [X], {1: np.array(2, I)}, axis=3),
    "expand": SingleNode("Expand", [normal(2, 3, 1, 1)], {1: ints(2, 3, 4, 5)}),
    "expand new axis": SingleNode("Expand", [normal(2, 3)], {1: ints(4, 2, 3)}),
    "tile": SingleNode("Tile", [X], {1: ints(1, 2, 1, 3)}),
    "pad": SingleNode("Pad", [X], {1: ints(0, 0, 1, 2, 0, 1, 3, 0)}),
    "pad cut": SingleNode("Pad", [X], {1: ints(0, 0, -1, 2, 0, 0, 1, -2)}),
    "pad reflect": SingleNode("Pad", [X], {1: ints(0, 0, 2, 2, 0, 0, 3, 1)}, mode="reflect"),
    "pad edge": SingleNode("Pad", [X], {1: ints(0, 0, 2, 2, 0, 0, 3, 1)}, mode="edge"),
    "pad axes": SingleNode("Pad", [X], {1: ints(1, 2, 3, 4), 2: None, 3: ints(2, -1)}),
    "unsqueeze old": SingleNode("Unsqueeze", [X], opset=11, axes=[1, 3]),
    "split old": SingleNode("Split", [X], outputs=2, opset=11, axis=1, split=[1, 3]),
    "split evenly": SingleNode("Split", [X], outputs=3, axis=2, num_outputs=3),
    "pad old": SingleNode("Pad", [X], opset=10, pads=[0, 0, 1, 2, 0, 1, 3, 0]),
    "depth to space": SingleNode("DepthToSpace", [X], blocksize=2),
    "depth to space CRD": SingleNode("DepthToSpace", [X], blocksize=2, mode="CRD"),
    "space to depth": SingleNode("SpaceToDepth", [normal(2, 3, 6, 4)], blocksize=2),
    "resize nearest": SingleNode("Resize", [X], {1: None, 2: np.array([1, 1, 2, 3], np.float32)}),
    "resize nearest sizes": SingleNode("Resize", [X], {1: None, 2: None, 3: ints(2, 4, 9, 8)}),
    "resize nearest down": SingleNode(
        "Resize", [X], {1: None, 2: np.array([1, 1, 0.5, 0.6], np.float32)},
        coordinate_transformation_mode="asymmetric", nearest_mode="floor",
    ),
    "pad wrap": SingleNode("Pad", [X], {1: ints(0, 0, 2, 2, 0, 0, 3, 1)}, opset=19, mode="wrap"),
    "pad computed": SingleNode("Pad", [X, ints(0, 0, 1, 2, 0, 1, 3, 0)]),
    "pad, computed axes": SingleNode("Pad", [X, ints(1, 2, 3, 4), ints(2, -1)], {2: None}),
    "slice computed": SingleNode("Slice", [X, ints(1, -4), ints(4, -1), ints(1, 2)]),
    "gather computed": SingleNode("Gather", [X, ints(3, 0, 0, -1)], axis=1),
    "gather matrix": SingleNode("Gather", [X], {1: ints(3, 0, 0, -1).reshape(2, 2)}, axis=2),
    "gather elements": SingleNode(
        "GatherElements", [X], {1: np.arange(2 * 4 * 3 * 5).reshape(2, 4, 3, 5) % 6}, axis=2
    ),
    "gather elements, fewer": SingleNode(
        "GatherElements", [X], {1: -1 - np.arange(2 * 3 * 2 * 5).reshape(2, 3, 2, 5) % 6}, axis=-2
    ),
    "gather tuples": SingleNode("GatherND", [X], {1: ints(0, 3, 1, 1, 0, -1).reshape(3, 2)}),
    "gather tuples of a batch": SingleNode(
        "GatherND", [X], {1: ints(0, 3, 1, 1).reshape(2, 2, 1)}, batch_dims=1
    ),
    "scatter elements": SingleNode(
        "ScatterElements", [X, normal(2, 1, 6, 5, seed=3)],
        {1: np.arange(60).reshape(2, 1, 6, 5) % 4}, axis=1,
    ),
    "scatter elements twice to one place": SingleNode(
        "ScatterElements", [X, normal(2, 2, 6, 5, seed=3)], {1: np.zeros((2, 2, 6, 5), I)}, axis=1
    ),
    "scatter old": SingleNode(
        "Scatter", [X], {1: np.full((2, 1, 6, 5), 2), 2: normal(2, 1, 6, 5)}, opset=9, axis=1
    ),
    "scatter tuples": SingleNode(
        "ScatterND", [X, normal(2, 6, 5, seed=3)], {1: ints(0, 3, 1, 1).reshape(2, 2)}
    ),
    "scatter into a constant": SingleNode(
        "ScatterND", [normal(2, 6, 5, seed=3)], {0: 0 * X, 1: ints(0, 3, 1, 1).reshape(2, 2)}
    ),
    "upper triangle": SingleNode("Trilu", [X], {1: np.array(1, I)}),
    "lower triangle": SingleNode("Trilu", [X, np.array(-1, I)], upper=0),
    "centre crop": SingleNode("CenterCropPad", [X], {1: ints(3, 2)}, axes=[2, 3]),
    "centre pad": SingleNode("CenterCropPad", [X], {1: ints(9, 6)}, axes=[2, 3]),
    "einsum transpose": SingleNode("Einsum", [X], equation="...ij->...ji"),
    "where": SingleNode("Where", [np.arange(5) > 1, X, normal(2, 4, 1, 1, seed=3)]),
    "where, else a constant": SingleNode("Where", [X], {0: np.arange(5) > 1, 2: 0 * X[:, :, :1]}),
    "upsample": SingleNode(
        "Upsample", [X], {1: np.array([1, 1, 2, 2], np.float32)}, opset=9, mode="nearest"
    ),
}  # fmt: skip


def signals_of(single):
    """The inputs that carry relevance, by name."""
    return {name: single.inputs[name] for name in single.operation.signal_names}


@pytest.mark.parametrize("name", MOVES)
def test_is_the_adjoint(name):
    single = MOVES[name]
    op, tensors = single.operation, single.tensors()
    moved = {
        name: normal(*x.shape, seed=7 + k) for k, (name, x) in enumerate(signals_of(single).items())
    }
    outputs = single.run(*{**single.inputs, **moved}.values())
    relevances = tuple(normal(*o.shape, seed=50 + k) for k, o in enumerate(outputs))
    parts = op.propagate_all(relevances, tensors)
    assert [p.shape for p in parts] == [x.shape for x in moved.values()]
    nothing = single.run(*{**single.inputs, **{n: 0 * x for n, x in moved.items()}}.values())
    forward = sum(
        float(np.vdot(o.astype(np.float64) - c, r))
        for o, c, r in zip(outputs, nothing, relevances, strict=True)
    )
    backward = sum(
        float(np.vdot(x.astype(np.float64), p)) for x, p in zip(moved.values(), parts, strict=True)
    )
    assert backward == pytest.approx(forward, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", MOVES)
def test_nothing_is_lost(name):
    single = MOVES[name]
    relevances = tuple(normal(*o.shape, seed=50 + k) for k, o in enumerate(single.run()))
    parts = single.operation.propagate_all(relevances, single.tensors())
    constants, epsilon = single.operation.absorbed(relevances[0], single.tensors())
    assert epsilon is None
    kept = 0.0 if constants is None else constants.sum(dtype=np.float64)
    arrived = sum(r.sum(dtype=np.float64) for r in relevances)
    assert sum(p.sum(dtype=np.float64) for p in parts) + kept == pytest.approx(arrived, abs=1e-4)


def test_indices_for_another_number_of_pictures_are_refused():
    single = SingleNode("GatherND", [X], {1: ints(0, 3, 1, 1).reshape(2, 2, 1)}, batch_dims=1)
    three = normal(3, 6, 5)
    with pytest.raises(UnsupportedOperationError, match="as many pictures at a time"):
        single.operation.propagate(three, single.tensors())


def test_a_piece_of_a_split_without_relevance_counts_as_zero():
    single = MOVES["split"]
    first = normal(2, 1, 6, 5)
    (whole,) = single.operation.propagate_all((first, None), single.tensors())
    np.testing.assert_array_equal(whole[:, :1], first)
    assert not whole[:, 1:].any()
