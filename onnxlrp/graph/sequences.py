"""Lists of tensors that are known before anything runs: what reads them reads the tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelError
from onnxlrp.graph.constants import constant_names, constant_values
from onnxlrp.graph.control import Unfolded, names_in, stack
from onnxlrp.graph.inference import Weights
from onnxlrp.graph.model import Change
from onnxlrp.graph.proto import attributes, inferred, label, opset_of, reads

if TYPE_CHECKING:
    import onnx


@dataclass
class _Lists:
    """The graph as it is written anew, and what is known of its lists.

    Attributes
    ----------
    done : Unfolded
    opset : int
    numbers : dict of str to ndarray
        Constants that say which element or how many.
    sizes : mapping of str to shape
        As far as they are known.
    held : dict of str to tuple of str
        List → the tensors in it.
    """

    done: Unfolded
    opset: int
    numbers: Mapping[str, NDArray[Any]]
    sizes: Mapping[str, tuple[int | str | None, ...]]
    held: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def place(self, node: onnx.NodeProto, at: int, last: int, count: int) -> int | None:
        """Return the place that an input names, ``last`` without one; None if it is not known."""
        if len(node.input) <= at or not node.input[at]:
            return last
        if node.input[at] not in self.numbers:
            return None
        place = int(self.numbers[node.input[at]].reshape(-1)[0])
        return place + count if place < 0 else place


def unpack_sequences(
    proto: onnx.ModelProto, weights: Weights
) -> tuple[onnx.ModelProto, tuple[Change, ...]]:
    """Replace what reads lists of tensors by nodes that read the tensors, where all is constant.

    1. SequenceAt → Identity    2. ConcatFromSequence → Concat    3. SequenceLength → a constant
    4. SplitToSequence → Split, whose outputs are the list

    PyTorch's older exporter writes ``split``, ``unbind`` and ``tensor_split`` so. What is decided
    by the picture, such as an element's place, stays.
    """
    present = {node.op_type for node in proto.graph.node if node.domain in ("", "ai.onnx")}
    if present.isdisjoint(_READ):
        return proto, ()
    done = Unfolded(taken=set(names_in(proto.graph)))
    lists = _Lists(done, opset_of(proto), _numbers(proto, weights), _sizes(proto))
    for node in proto.graph.node:
        read = _READ.get(node.op_type)
        if read is not None and read(node, lists):
            detail = f"{label(node)} reads tensors that are known"
            done.changes.append(Change("folded", node.name or node.output[0], "", detail))
            continue
        make = _MAKE.get(node.op_type)
        if make is not None and (made := make(node, lists)) is not None:
            lists.held[node.output[0]] = made
        done.nodes.append(node)
    if not done.changes:
        return proto, ()
    del proto.graph.node[:]
    wanted = {port.name for port in proto.graph.output}
    proto.graph.node.extend(_needed(done.nodes, lists.held, wanted))
    proto.graph.initializer.extend(done.initializers)
    return proto, tuple(done.changes)


def _needed(
    nodes: Iterable[onnx.NodeProto], lists: Iterable[str], wanted: set[str]
) -> list[onnx.NodeProto]:
    """Leave out the nodes that make lists which nothing reads any more."""
    held, needed, kept = set(lists), set(wanted), []
    for node in reversed(list(nodes)):
        if held.issuperset(node.output) and needed.isdisjoint(node.output):
            continue
        kept.append(node)
        needed.update(reads(node))
    return kept[::-1]


def _numbers(proto: onnx.ModelProto, weights: Weights) -> Mapping[str, NDArray[Any]]:
    """Compute the constants that say which elements and how many."""
    asked = {"SequenceAt": 1, "SequenceErase": 1, "SequenceInsert": 2, "SplitToSequence": 1}
    names = (
        node.input[asked[node.op_type]]
        for node in proto.graph.node
        if node.op_type in asked and len(node.input) > asked[node.op_type]
    )
    return constant_values(proto, weights, constant_names(proto) & set(names))


def _sizes(proto: onnx.ModelProto) -> Mapping[str, tuple[int | str | None, ...]]:
    """Infer the shapes of tensors; none where the graph is broken, which others tell."""
    try:
        found = inferred(proto)
    except ModelError:
        return {}
    return {name: tensor.shape for name, tensor in found.items() if tensor.shape is not None}


def _at(node: onnx.NodeProto, lists: _Lists) -> bool:
    """SequenceAt: one of them, under another name."""
    from onnx import helper

    held = lists.held.get(node.input[0])
    place = None if held is None else lists.place(node, 1, 0, len(held))
    if held is None or place is None or not 0 <= place < len(held):
        return False
    one = helper.make_node("Identity", [held[place]], list(node.output), name=node.name)
    lists.done.nodes.append(one)
    return True


def _length(node: onnx.NodeProto, lists: _Lists) -> bool:
    """SequenceLength: a number."""
    from onnx import numpy_helper

    held = lists.held.get(node.input[0])
    if held is None:
        return False
    number = numpy_helper.from_array(np.asarray(len(held), np.int64), node.output[0])
    lists.done.initializers.append(number)
    return True


def _concat(node: onnx.NodeProto, lists: _Lists) -> bool:
    """ConcatFromSequence: side by side, or on top of each other along a new axis."""
    from onnx import helper

    held, given = lists.held.get(node.input[0]), attributes(node)
    if not held:
        return False
    if given.get("new_axis", 0):
        stack(held, node.output[0], given["axis"], lists.opset, lists.done)
    else:
        ports = list(held), list(node.output)
        lists.done.nodes.append(
            helper.make_node("Concat", *ports, name=node.name, axis=given["axis"])
        )
    return True


_READ: Mapping[str, Callable[[onnx.NodeProto, _Lists], bool]] = {
    "ConcatFromSequence": _concat,
    "SequenceAt": _at,
    "SequenceLength": _length,
}
"""Operator → what writes nodes in its place, and whether it could."""


def _with(node: onnx.NodeProto, lists: _Lists) -> tuple[str, ...] | None:
    """SequenceInsert: one more, in front of a place or at the end."""
    held = lists.held.get(node.input[0])
    place = None if held is None else lists.place(node, 2, len(held), len(held))
    if held is None or place is None:
        return None
    return (*held[:place], node.input[1], *held[place:])


def _without(node: onnx.NodeProto, lists: _Lists) -> tuple[str, ...] | None:
    """SequenceErase: one less."""
    held = lists.held.get(node.input[0])
    place = None if held is None else lists.place(node, 1, len(held) - 1, len(held))
    if held is None or place is None:
        return None
    return held[:place] + held[place + 1 :]


def _split(node: onnx.NodeProto, lists: _Lists) -> tuple[str, ...] | None:
    """SplitToSequence: the outputs of a Split, each squeezed if its axis is not kept."""
    given, shape = attributes(node), lists.sizes.get(node.input[0], ())
    axis = given.get("axis", 0)
    whole = shape[axis] if -len(shape) <= axis < len(shape) else None
    parts = _parts(node, whole, lists)
    if parts is None:
        return None
    made = [lists.done.fresh(f"{node.output[0]}/{i}") for i in range(len(parts))]
    _call("Split", node.input[0], made, ("split", parts), lists, name=node.name, axis=axis)
    if len(node.input) < 2 and not given.get("keepdims", 1):
        made = [_squeezed(name, axis, lists) for name in made]
    return tuple(made)


def _parts(node: onnx.NodeProto, whole: int | str | None, lists: _Lists) -> list[int] | None:
    """Return the sizes into which an axis is split: of 1, of a number, or as they are given."""
    if len(node.input) > 1 and node.input[1] not in lists.numbers:
        return None
    sizes = lists.numbers[node.input[1]] if len(node.input) > 1 else np.asarray(1)
    if sizes.ndim:
        return [int(size) for size in sizes]
    if not isinstance(whole, int):
        return None
    size = int(sizes)
    return [min(size, whole - start) for start in range(0, whole, size)]


def _squeezed(name: str, axis: int, lists: _Lists) -> str:
    """Drop an axis of one tensor."""
    out = lists.done.fresh(f"{name}/squeezed")
    _call("Squeeze", name, [out], ("axes", [axis]), lists)
    return out


def _call(
    op: str, read: str, made: list[str], ints: tuple[str, list[int]], lists: _Lists, **rest: Any
) -> None:
    """Append a node with integers that are an attribute until opset 12, an input since."""
    from onnx import helper, numpy_helper

    inputs, (name, values) = [read], ints
    if lists.opset < 13:
        rest[name] = values
    else:
        inputs.append(lists.done.fresh(f"{made[0]}/{name}"))
        constant = numpy_helper.from_array(np.array(values, np.int64), inputs[1])
        lists.done.initializers.append(constant)
    lists.done.nodes.append(helper.make_node(op, inputs, made, **rest))


_MAKE: Mapping[str, Callable[[onnx.NodeProto, _Lists], tuple[str, ...] | None]] = {
    "Identity": lambda node, lists: lists.held.get(node.input[0]),
    "SequenceConstruct": lambda node, lists: tuple(node.input),
    "SequenceEmpty": lambda node, lists: (),
    "SequenceErase": _without,
    "SequenceInsert": _with,
    "SplitToSequence": _split,
}
"""Operator → what is in the list that it makes; None if that is not known."""
