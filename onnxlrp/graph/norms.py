"""Normalisations and softmaxes that are spelled out in primitive nodes become one layer each.

Their scale and shift, where they follow, fold into them as into a convolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.draft import Draft
from onnxlrp.graph.idle import Sizes, same_layout
from onnxlrp.graph.model import Node
from onnxlrp.graph.patterns import Call, Constant, Either, Match, Pattern, Place, Scene
from onnxlrp.graph.spelled import Rewriting

X, GAMMA, BETA = Place("x"), Constant("gamma"), Constant("beta")
EPSILON = Constant("epsilon", scalar=True)


def _constant(value: float) -> Constant:
    return Constant(scalar=True, value=value)


def _square(x: Pattern) -> Pattern:
    """x·x or x²."""
    return Either(Call("Mul", x, x), Call("Pow", x, _constant(2)))


def _root(x: Pattern) -> Pattern:
    """√x or x^½."""
    return Either(Call("Sqrt", x), Call("Pow", x, _constant(0.5)))


def _inverse_root(x: Pattern) -> Pattern:
    """1/√x or x^−½."""
    root = _root(x)
    return Either(
        Call("Reciprocal", root),
        Call("Div", _constant(1), root),
        Call("Pow", x, _constant(-0.5)),
    )


def _over_root(x: Pattern, of: Pattern) -> Pattern:
    """x/√of or x·(1/√of)."""
    return Either(Call("Div", x, _root(of)), Call("Mul", x, _inverse_root(of)))


MEAN = Either(Call("ReduceMean", X), Call("GlobalAveragePool", X))
DEVIATION = Call("Sub", X, MEAN)
MEAN_SQUARE = Either(Call("ReduceMean", _square(X)), Call("GlobalAveragePool", _square(X)))
VARIANCE = Either(
    Call("ReduceMean", _square(DEVIATION)),
    Call("GlobalAveragePool", _square(DEVIATION)),
    Call("Sub", MEAN_SQUARE, _square(MEAN)),
)
SPREAD = Call("Add", VARIANCE, EPSILON)
FACTOR = Either(Call("Mul", _inverse_root(SPREAD), GAMMA), _inverse_root(SPREAD))

CENTRED = Either(
    _over_root(DEVIATION, SPREAD),
    # x·k + (β − mean·k) with k = γ/√(variance + ε), as TensorFlow spells it
    Call("Add", Call("Mul", X, FACTOR), Call("Sub", BETA, Call("Mul", MEAN, FACTOR))),
)
"""(x − mean)/√(variance + ε)."""

ROOT_MEAN_SQUARE = _over_root(X, Call("Add", MEAN_SQUARE, EPSILON))
"""x/√(mean(x²) + ε)."""

POWER = Either(Call("Exp", Call("Sub", X, Call("ReduceMax", X))), Call("Exp", X))
SOFTMAX = Call("Div", POWER, Call("ReduceSum", POWER))
"""exp(x − max x)/Σ exp(x − max x)."""

GROUPED = Call("Reshape", Call("InstanceNormalization", Call("Reshape", X), GAMMA, BETA))
"""InstanceNormalization of (N, groups, the rest), laid out as x again."""


def recognise_norms(draft: Draft) -> Draft:
    """Make one node of each normalisation or softmax that is spelled out.

    1. LayerNormalization, RMSNormalization: over the last axes
    2. InstanceNormalization: over all axes behind the channels
    3. GroupNormalization: an InstanceNormalization between two Reshapes
    4. Softmax

    Nothing else may read what is computed on the way.
    """
    rewriting = Rewriting(draft)
    for node in draft.nodes:
        for match, into in _read(node, rewriting):
            if rewriting.is_private(match.nodes, node):
                rewriting.merge(match.nodes, node, into)
                break
    return rewriting.result()


def _read(node: Node, rewriting: Rewriting) -> Iterator[tuple[Match, Node]]:
    """Yield every way in which a node ends a spelled-out operator, and that operator."""
    scene = Scene(rewriting.makers, rewriting.draft.constants)
    for pattern, write in _WRITERS:
        for match in pattern.find(node.output, scene, Match()):
            into = write(node, match, rewriting)
            if into is not None:
                yield match, into


def _centred(node: Node, match: Match, rewriting: Rewriting) -> Node | None:
    """Write LayerNormalization or InstanceNormalization, by the axes."""
    axes, shape = _reduced(match, rewriting.draft), _shape(match, rewriting.draft)
    if not axes or not shape:
        return None
    settings = {"epsilon": _number(match, "epsilon", rewriting.draft)}
    if len(shape) > 3 and axes == _last(len(shape) - 2, len(shape)):
        return _written(node, "InstanceNormalization", match, (1,), settings, rewriting)
    if axes == _last(len(axes), len(shape)):
        settings |= {"axis": -len(axes)}
        return _written(node, "LayerNormalization", match, axes, settings, rewriting)
    return None


def _root_mean_square(node: Node, match: Match, rewriting: Rewriting) -> Node | None:
    """Write RMSNormalization, if the axes are the last ones."""
    axes, shape = _reduced(match, rewriting.draft), _shape(match, rewriting.draft)
    if not axes or not shape or axes != _last(len(axes), len(shape)):
        return None
    epsilon = _number(match, "epsilon", rewriting.draft)
    settings = {"axis": -len(axes), "epsilon": epsilon}
    return _written(node, "RMSNormalization", match, axes, settings, rewriting)


def _softmax(node: Node, match: Match, rewriting: Rewriting) -> Node | None:
    """Write Softmax, if it is along one axis."""
    axes = _reduced(match, rewriting.draft)
    if not axes or len(axes) != 1:
        return None
    return replace(node, op="Softmax", inputs=(match.tensors["x"],), attributes={"axis": axes[0]})


def _grouped(node: Node, match: Match, rewriting: Rewriting) -> Node | None:
    """Write GroupNormalization, if the Reshapes split the channels and nothing else."""
    draft = rewriting.draft
    norm = next(n for n in match.nodes.values() if n.op == "InstanceNormalization")
    outside, inside = _shape(match, draft), draft.shape(norm.inputs[0])
    groups = draft.constants[match.tensors["gamma"]].size
    if not outside or not inside or not isinstance(outside[1], int) or inside[1] != groups:
        return None
    if not _same_samples(inside, outside) or not same_layout(draft.shape(node.output), outside):
        return None
    each = outside[1] // groups
    settings = {"epsilon": 1e-5, **norm.attributes, "num_groups": groups}
    constants = [np.repeat(draft.constants[match.tensors[k]], each) for k in ("gamma", "beta")]
    return _with(node, "GroupNormalization", match, constants, settings, rewriting)


_WRITERS: tuple[tuple[Pattern, Callable[[Node, Match, Rewriting], Node | None]], ...] = (
    (CENTRED, _centred),
    (ROOT_MEAN_SQUARE, _root_mean_square),
    (SOFTMAX, _softmax),
    (GROUPED, _grouped),
)


def _written(
    node: Node,
    op: str,
    match: Match,
    axes: tuple[int, ...],
    settings: Mapping[str, Any],
    rewriting: Rewriting,
) -> Node | None:
    """Write a normalisation with the scale and shift of its pattern, or with 1 and 0.

    ``axes`` of x are those along which the operator's own scale and shift run.
    """
    shape = _shape(match, rewriting.draft)
    sizes = [shape[axis] for axis in axes]
    known = tuple(size for size in sizes if isinstance(size, int))
    if len(known) < len(sizes):
        return None
    across = tuple(shape[axis] if axis in axes else 1 for axis in range(len(shape)))
    constants = []
    for place, plain in (("gamma", 1.0), ("beta", 0.0)):
        given = rewriting.draft.constants.get(match.tensors.get(place, ""), np.full(1, plain))
        along = (1,) * (len(shape) - given.ndim) + given.shape
        if along != across and any(size != 1 for size in along):
            return None
        constants.append(np.broadcast_to(given.reshape(-1), math.prod(known)).reshape(known))
    kept = constants[:1] if op == "RMSNormalization" else constants
    return _with(node, op, match, kept, settings, rewriting)


def _with(
    node: Node,
    op: str,
    match: Match,
    constants: list[NDArray[Any]],
    settings: Mapping[str, Any],
    rewriting: Rewriting,
) -> Node:
    """Write an operator of x and of constants, which get names of their own."""
    named = zip(("scale", "bias"), constants, strict=False)
    inputs = [rewriting.add(f"{node.name}.{name}", values) for name, values in named]
    inputs = [match.tensors["x"], *inputs]
    return replace(node, op=op, inputs=tuple(inputs), attributes=dict(settings))


def _reduced(match: Match, draft: Draft) -> tuple[int, ...] | None:
    """Return the axes that all reductions of a match run over, from the front; None if several."""
    found = {_axes(n, draft) for n in match.nodes.values() if n.op in _REDUCTIONS}
    return found.pop() if len(found) == 1 else None


_REDUCTIONS = ("GlobalAveragePool", "ReduceMax", "ReduceMean", "ReduceSum")


def _axes(node: Node, draft: Draft) -> tuple[int, ...]:
    """Return the axes that a node reduces, from the front; () if it does not keep them."""
    rank = draft.rank(node.inputs[0])
    if rank is None or not node.attributes.get("keepdims", 1):
        return ()
    if node.op == "GlobalAveragePool":
        return _last(rank - 2, rank)
    axes: Any = node.attributes.get("axes", ())
    if len(node.inputs) > 1:
        axes = draft.constants.get(node.inputs[1], ())
    return tuple(sorted(int(axis) % rank for axis in axes))


def _same_samples(one: Sizes, other: Sizes) -> bool:
    """Tell whether two layouts of the same elements have the same first axis."""
    rests = [[size for size in sizes[1:] if isinstance(size, int)] for sizes in (one, other)]
    known = len(rests[0]) == len(one) - 1 and len(rests[1]) == len(other) - 1
    if known:
        return math.prod(rests[0]) == math.prod(rests[1])
    return one[0] == other[0] and one[0] is not None


def _last(count: int, rank: int) -> tuple[int, ...]:
    """Return the last axes of a tensor."""
    return tuple(range(rank - count, rank))


def _shape(match: Match, draft: Draft) -> Sizes:
    """Return the shape of x; () if unknown."""
    return draft.shape(match.tensors["x"]) or ()


def _number(match: Match, place: str, draft: Draft) -> float:
    """Return the number at a place."""
    return float(draft.constants[match.tensors[place]].reshape(-1)[0])
