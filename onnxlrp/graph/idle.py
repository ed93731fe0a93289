"""Nodes whose output is a tensor that is there already: what a node stands for, if so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.draft import Draft
from onnxlrp.graph.model import Node
from onnxlrp.graph.proto import dtype_of

Sizes = tuple[int | str | None, ...]

_FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
_RESHAPING = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})
_OF_ONE = frozenset({"Concat", "Max", "Mean", "Min", "Sum"})


_NEUTRAL = {"Add": 0.0, "Sub": 0.0, "Mul": 1.0, "Div": 1.0}
"""Operator → the constant that leaves the other operand, of Sub and Div the first, as it is."""


def stands_for(node: Node, draft: Draft, makers: Mapping[str, Node]) -> str | None:
    """Return the earlier tensor that a node's output equals, element by element and in its shape.

    1. Identity    2. Dropout (inference)    3. Cast from a float type to a float type
    4. Cast of a picture of whole numbers to a float type
    5. Reshape, Flatten, Squeeze, Unsqueeze, in any number, back to a shape that was there
    6. Transpose that takes another one back, or exchanges nothing
    7. Expand, Tile, Slice forwards, Pad to the same shape
    8. Concat, Sum, Mean, Max, Min of one tensor
    9. x + 0, 0 + x, x − 0, x·1, 1·x, x/1
    """
    if node.domain not in ("", "ai.onnx") or not node.inputs:
        return None
    source = node.inputs[0]
    if node.op in ("Identity", "Dropout") or (node.op in _OF_ONE and len(node.inputs) == 1):
        return source
    if node.op == "Cast":
        return source if _keeps_floats(node, draft) else None
    if node.op == "Transpose":
        return _untransposed(node, makers)
    if node.op in _RESHAPING:
        return _unreshaped(node, draft, makers)
    if node.op in ("Expand", "Tile", "Slice", "Pad") and _keeps_all(node, draft):
        return source
    return _unchanged(node, draft) if node.op in _NEUTRAL else None


def same_layout(one: Sizes | None, other: Sizes | None) -> bool:
    """Tell whether two shapes of the same elements are the same: all axes agree, but for one."""
    if one is None or other is None or len(one) != len(other):
        return False
    agree = [a == b and a is not None for a, b in zip(one, other, strict=True)]
    return sum(agree) >= len(other) - 1


def _keeps_floats(node: Node, draft: Draft) -> bool:
    """Tell whether a Cast changes the precision only, or reads a picture of whole numbers."""
    target = dtype_of(node.attributes.get("to", 0))
    source = node.inputs[0]
    if target is None or target.name not in _FLOATS:
        return False
    return draft.dtype(source) in _FLOATS or (source == draft.input and draft.dtype(source) != "")


def _untransposed(node: Node, makers: Mapping[str, Node]) -> str | None:
    """Follow Transposes upwards until together they exchange nothing."""
    order: NDArray[np.int64] | None = None
    behind: Node | None = node
    while behind is not None and behind.op == "Transpose" and "perm" in behind.attributes:
        permutation = np.array(behind.attributes["perm"])
        order = permutation if order is None else permutation[order]
        if (order == np.arange(len(order))).all():
            return behind.inputs[0]
        behind = makers.get(behind.inputs[0])
    return None


def _unreshaped(node: Node, draft: Draft, makers: Mapping[str, Node]) -> str | None:
    """Follow Reshapes upwards to a tensor of the shape that they end with."""
    shape = draft.shape(node.output)
    behind: Node | None = node
    while behind is not None and behind.op in _RESHAPING:
        if same_layout(draft.shape(behind.inputs[0]), shape):
            return behind.inputs[0]
        behind = makers.get(behind.inputs[0])
    return None


def _unchanged(node: Node, draft: Draft) -> str | None:
    """Return the operand that a neutral constant leaves as it is, in its shape, too."""
    pairs = [node.inputs] if node.op in ("Sub", "Div") else [node.inputs, node.inputs[::-1]]
    for operand, other in pairs:
        constant, rank = draft.constants.get(other), draft.rank(operand)
        if constant is None or rank is None or constant.ndim > rank:
            continue
        before, after = draft.shape(operand), draft.shape(node.output)
        grows = constant.size > 1 and (before is None or before != after or None in before)
        if not grows and (constant == _NEUTRAL[node.op]).all():
            return operand
    return None


def _keeps_all(node: Node, draft: Draft) -> bool:
    """Tell whether a node leaves every element where it is, since its shape stays the same."""
    before, after = draft.shape(node.inputs[0]), draft.shape(node.output)
    if before is None or before != after or None in before:
        return False
    if node.op == "Slice":
        steps: Any = draft.constants.get(node.inputs[4]) if len(node.inputs) > 4 else np.ones(1)
        return steps is not None and bool((steps > 0).all())
    if node.op == "Pad":  # what is put on at one side may be cut off at the other
        pads: Any = node.attributes.get("pads")
        pads = draft.constants.get(node.inputs[1]) if pads is None else pads
        return pads is not None and not np.any(pads)
    return True
