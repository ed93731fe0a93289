"""Cutting out what follows some tensors of a network, so that it can run again without the rest.

Each of those tensors T is replaced by T·keep + value, with arrays that are given at every run:
keep = 1 and value = 0 leave it as it is, keep = 0 puts the value in its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import ModelError
from onnxlrp.graph.proto import attributes, inferred, reads

if TYPE_CHECKING:
    import onnx

_SHAPE_READERS = frozenset({"Shape", "Size"})
_FLOATS = frozenset({"float16", "float32", "float64"})
_UNKNOWN = "float32"
"""What a tensor of unknown type is taken for: the outputs of custom operators."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The names under which the arrays of a replaced tensor T come in.

    Attributes
    ----------
    raw, keep, value : str
    inner : bool
        T follows another replaced tensor: the tail computes ``raw`` itself.
    dtype : str
        NumPy name of T's element type, which all three share.
    """

    raw: str
    keep: str
    value: str
    inner: bool
    dtype: str


@dataclass(frozen=True, slots=True)
class ShapeOf:
    """What a Shape or Size node outside of the tail says; it may change with the batch."""

    tensor: str
    start: int | None = None
    end: int | None = None
    is_size: bool = False

    def of(self, shape: Sequence[int]) -> NDArray[np.int64]:
        """Return the node's output for a tensor of this shape."""
        if self.is_size:
            return np.asarray(math.prod(shape), np.int64)
        return np.asarray(shape[self.start : self.end], np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Tail:
    """The part of a network that follows some tensors, as a network of its own.

    Attributes
    ----------
    proto : onnx.ModelProto
        Its inputs are the arrays of ``replaced``, ``fed`` and ``shapes``.
    wanted : str
        Its output.
    replaced : mapping of tensor name to Replaced
    fed : mapping of tensor name to NumPy type
        Tensors that it reads besides and that the replaced ones do not change: shortcuts.
    shapes : mapping of tensor name to ShapeOf
        Shapes that it reads of tensors that are not in it.
    """

    proto: onnx.ModelProto
    wanted: str
    replaced: Mapping[str, Replaced]
    fed: Mapping[str, str]
    shapes: Mapping[str, ShapeOf]

    @property
    def tensors(self) -> tuple[str, ...]:
        """Every tensor that the tail computes."""
        return tuple(name for node in self.proto.graph.node for name in node.output if name)


def tail_of(proto: onnx.ModelProto, tensors: Iterable[str], wanted: str) -> Tail:
    """Cut out what computes one tensor from others, which are replaced.

    Parameters
    ----------
    proto : onnx.ModelProto
    tensors : iterable of str
        Names of the tensors that are replaced.
    wanted : str
        Name of the tensor to compute.

    Raises
    ------
    ModelError
        A tensor does not change with the picture, holds no floating-point numbers, or does not lead
        to ``wanted``.
    """
    types = {name: found.dtype for name, found in inferred(proto).items()}
    names = tuple(dict.fromkeys(tensors))
    picture = _dependents(proto, (port.name for port in proto.graph.input), by_shape=False)
    for name in names:
        _check(name, wanted, picture, types, leads=wanted in _dependents(proto, [name]))
    after = _dependents(proto, names)
    replaced = _replaced(proto, names, after, types)
    nodes, needed, shapes = _backwards(proto, wanted, after, picture)
    fed = {name: types.get(name, _UNKNOWN) for name in sorted(needed & picture - after)}
    part = _assembled(proto, needed, _with_replacements(nodes, replaced))
    part.graph.input.extend(_inputs(replaced, fed, shapes))
    part.graph.output.add(name=wanted)
    return Tail(part, wanted, replaced, fed, shapes)


def _dependents(
    proto: onnx.ModelProto, names: Iterable[str], by_shape: bool = True
) -> frozenset[str]:
    """Name the tensors that depend on these, themselves included; by shape alone only if asked."""
    found = set(names)
    for node in proto.graph.node:
        if node.op_type in _SHAPE_READERS and not by_shape:
            continue
        if not found.isdisjoint(reads(node)):
            found.update(name for name in node.output if name)
    return frozenset(found)


def _check(
    name: str, wanted: str, picture: frozenset[str], types: Mapping[str, str], leads: bool
) -> None:
    """Refuse a tensor whose replacement would mean nothing."""
    if name not in picture:
        raise ModelError(f"tensor {name!r} does not change with the picture: choose one that does.")
    if types.get(name, _UNKNOWN) not in _FLOATS:
        raise ModelError(
            f"tensor {name!r} holds {types[name]} values: choose one of floating-point numbers."
        )
    if not leads:
        raise ModelError(f"tensor {name!r} does not lead to {wanted!r}: choose one that does.")


def _replaced(
    proto: onnx.ModelProto, names: Sequence[str], after: frozenset[str], types: Mapping[str, str]
) -> dict[str, Replaced]:
    """Name the arrays of every replaced tensor, by names that the network does not use."""
    taken = {name for node in proto.graph.node for name in (*node.input, *node.output)}
    prefix = "tail"
    while any(name.startswith(prefix) for name in taken):
        prefix += "_"
    followers = (node for node in proto.graph.node if not after.isdisjoint(reads(node)))
    made = {name for node in followers for name in node.output}
    return {
        name: Replaced(
            raw=f"{prefix}/raw/{name}",
            keep=f"{prefix}/keep/{name}",
            value=f"{prefix}/value/{name}",
            inner=name in made,
            dtype=types.get(name, _UNKNOWN),
        )
        for name in names
    }


def _backwards(
    proto: onnx.ModelProto, wanted: str, after: frozenset[str], picture: frozenset[str]
) -> tuple[list[onnx.NodeProto], set[str], dict[str, ShapeOf]]:
    """Collect, in order, the nodes that lead to a tensor, all that they read, and outer shapes.

    The walk ends at tensors that the picture determines and no replaced tensor does, and at shapes
    of such tensors; what hangs on constants and shapes alone is taken along.
    """
    needed = {wanted}
    nodes: list[onnx.NodeProto] = []
    shapes: dict[str, ShapeOf] = {}
    for node in reversed(proto.graph.node):
        made = needed.intersection(node.output)
        if not made:
            continue
        follows = not after.isdisjoint(reads(node))
        if not follows and made <= picture:
            continue
        if not follows and node.op_type in _SHAPE_READERS and node.input[0] in picture:
            shapes[node.output[0]] = _shape_of(node)
            continue
        nodes.append(node)
        needed.update(reads(node))
    return nodes[::-1], needed, shapes


def _shape_of(node: onnx.NodeProto) -> ShapeOf:
    """Read a Shape or Size node."""
    given = attributes(node)
    start, end = given.get("start"), given.get("end")
    return ShapeOf(node.input[0], start, end, is_size=node.op_type == "Size")


def _with_replacements(
    nodes: Iterable[onnx.NodeProto], replaced: Mapping[str, Replaced]
) -> Iterator[onnx.NodeProto]:
    """Put T = raw·keep + value where T is made, or in front of all if it comes from outside."""
    for name, arrays in replaced.items():
        if not arrays.inner:
            yield from _replacement(name, arrays)
    for node in nodes:
        inner = [name for name in node.output if name in replaced and replaced[name].inner]
        yield _renamed(node, {name: replaced[name].raw for name in inner})
        for name in inner:
            yield from _replacement(name, replaced[name])


def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    """Copy a node, some of its outputs under other names."""
    import onnx

    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.output[:] = [names.get(name, name) for name in node.output]
    return copy


def _replacement(name: str, arrays: Replaced) -> Iterator[onnx.NodeProto]:
    """Yield the nodes of T = raw·keep + value; operator set 7 has no Where."""
    from onnx import helper

    product = f"{arrays.raw}/kept"
    yield helper.make_node("Mul", [arrays.raw, arrays.keep], [product])
    yield helper.make_node("Add", [product, arrays.value], [name])


def _assembled(
    proto: onnx.ModelProto, needed: set[str], nodes: Iterable[onnx.NodeProto]
) -> onnx.ModelProto:
    """Make a model of nodes and the constants they need; without inputs and outputs yet."""
    import onnx

    part = onnx.ModelProto(ir_version=proto.ir_version, opset_import=proto.opset_import)
    part.graph.name = proto.graph.name
    part.graph.node.extend(nodes)
    part.graph.initializer.extend(t for t in proto.graph.initializer if t.name in needed)
    return part


def _inputs(
    replaced: Mapping[str, Replaced], fed: Mapping[str, str], shapes: Iterable[str]
) -> Iterator[onnx.ValueInfoProto]:
    """Declare the inputs by type; their shapes are left open."""
    types = dict(fed) | dict.fromkeys(shapes, "int64")
    for arrays in replaced.values():
        outer = () if arrays.inner else (arrays.raw,)
        types |= dict.fromkeys((*outer, arrays.keep, arrays.value), arrays.dtype)
    for name, dtype in types.items():
        yield _declared(name, dtype)


def _declared(name: str, dtype: str) -> onnx.ValueInfoProto:
    """Declare a tensor of a type and any shape."""
    from onnx import helper

    element_type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, element_type, None)
