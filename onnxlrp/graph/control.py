"""Control flow that is settled before anything runs: If by a constant, Loop by a known count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from onnxlrp.graph.constants import constant_names, constant_values
from onnxlrp.graph.inference import Weights
from onnxlrp.graph.model import Change
from onnxlrp.graph.proto import label, opset_of, reads, subgraphs

if TYPE_CHECKING:
    import onnx

LONGEST_LOOP = 100
"""Turns up to which a Loop is written out; longer ones are no networks."""


@dataclass
class Unfolded:
    """The graph with control flow written out, as it grows node by node.

    Attributes
    ----------
    nodes : list of NodeProto
    initializers : list of TensorProto
        Those of the sub-graphs that were written out, and turn numbers.
    changes : list of Change
    taken : set of str
        All names in use.
    """

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def fresh(self, name: str) -> str:
        """Return a name that nothing has, and take it."""
        candidates = (name if n == 0 else f"{name}_{n}" for n in count())
        free = next(candidate for candidate in candidates if candidate not in self.taken)
        self.taken.add(free)
        return free


def unfold_control(
    proto: onnx.ModelProto, weights: Weights
) -> tuple[onnx.ModelProto, tuple[Change, ...]]:
    """Write out the branch that an If takes and the turns of a Loop, where constants settle them.

    1. If whose condition is computed from constants
    2. Loop whose number of turns is: by a constant trip count, by a condition that every turn
       computes from constants, or by both

    All other control flow stays: the picture decides it.
    """
    if not any(node.op_type in ("If", "Loop") for node in proto.graph.node):
        return proto, ()
    done = Unfolded(taken=set(names_in(proto.graph)))
    for node in proto.graph.node:
        so_far = _Known(proto, weights, done)
        written = _if(node, so_far, done) or (node.op_type == "Loop" and _loop(node, so_far, done))
        if not written:
            done.nodes.append(node)
    if not done.changes:
        return proto, ()
    del proto.graph.node[:]
    proto.graph.node.extend(done.nodes)
    proto.graph.initializer.extend(done.initializers)
    return proto, tuple(done.changes)


@dataclass
class _Known:
    """Answers what is constant in the graph as far as it is written out."""

    proto: onnx.ModelProto
    weights: Weights
    done: Unfolded

    def value(self, name: str) -> int | None:
        """Return the number that a tensor holds; None if it is not constant."""
        import onnx

        part = onnx.ModelProto(
            ir_version=self.proto.ir_version, opset_import=self.proto.opset_import
        )
        part.graph.name = "constants"
        needed, nodes = {name}, []
        for node in reversed(self.done.nodes):
            if not needed.isdisjoint(node.output):
                nodes.append(node)
                needed.update(reads(node))
        part.graph.node.extend(reversed(nodes))
        for known in (self.proto.graph.initializer, self.done.initializers):
            part.graph.initializer.extend(tensor for tensor in known if tensor.name in needed)
        if name not in constant_names(part):
            return None
        return int(constant_values(part, self.weights, [name])[name].reshape(-1)[0])


def _if(node: onnx.NodeProto, known: _Known, done: Unfolded) -> bool:
    """Write out the branch that an If takes, if that is settled."""
    if node.op_type != "If":
        return False
    condition = known.value(node.input[0])
    if condition is None:
        return False
    branch = "then_branch" if condition else "else_branch"
    (body,) = (attribute.g for attribute in node.attribute if attribute.name == branch)
    name = node.name or node.output[0]
    _write(body, [], list(node.output), name, done)
    detail = f"{label(node)} always takes its {branch.replace('_', ' ')}, which stands in its place"
    done.changes.append(Change("folded", name, "", detail))
    return True


def _loop(node: onnx.NodeProto, known: _Known, done: Unfolded) -> bool:
    """Write out the turns of a Loop, if their number is settled; else leave everything as it was.

    The body's inputs are turn number, condition and states; its outputs condition, states, and what
    is stacked over the turns.
    """
    (body,) = (attribute.g for attribute in node.attribute if attribute.name == "body")
    limit = known.value(node.input[0]) if node.input[0] else LONGEST_LOOP + 1
    states = list(node.input[2:])
    going = known.value(node.input[1]) if len(node.input) > 1 and node.input[1] else 1
    marks = len(done.nodes), len(done.initializers)
    name = node.name or node.output[0]
    stacks: list[list[str]] = [[] for _ in range(len(node.output) - len(states))]
    turn, condition = 0, node.input[1] if len(node.input) > 1 else ""
    while limit is not None and going and turn < min(limit, LONGEST_LOOP + 1):
        condition = condition or _number(True, body.input[1], f"{name}/going", done)
        made = [done.fresh(f"{name}/turn_{turn}/{port.name}") for port in body.output]
        arguments = [_number(turn, body.input[0], f"{name}/turn_{turn}", done), condition, *states]
        _write(body, arguments, made, f"{name}/turn_{turn}", done)
        condition, states = made[0], made[1 : 1 + len(states)]
        for parts, part in zip(stacks, made[1 + len(states) :], strict=True):
            parts.append(part)
        going = known.value(condition)
        turn += 1
    if limit is None or going is None or turn > LONGEST_LOOP or (stacks and not turn):
        del done.nodes[marks[0] :], done.initializers[marks[1] :]
        return False
    _hand_out([*states], node.output[: len(states)], done)
    for parts, output in zip(stacks, node.output[len(states) :], strict=True):
        if output:
            stack(parts, output, 0, opset_of(known.proto), done)
    done.changes.append(
        Change("folded", name, "", f"{label(node)} always takes {turn} turns, written out")
    )
    return True


def _number(value: int | bool, port: onnx.ValueInfoProto, name: str, done: Unfolded) -> str:
    """Add a constant, a truth value or an integer, of a port's rank, and return its name."""
    import numpy as np
    from onnx import numpy_helper

    name = done.fresh(name)
    array = np.asarray(value, bool if isinstance(value, bool) else np.int64)
    array = array.reshape((1,) * len(port.type.tensor_type.shape.dim))
    done.initializers.append(numpy_helper.from_array(array, name))
    return name


def stack(parts: Sequence[str], output: str, axis: int, opset: int, done: Unfolded) -> None:
    """Put tensors on top of each other along a new axis."""
    import numpy as np
    from onnx import helper, numpy_helper

    rows = [done.fresh(f"{part}/row") for part in parts]
    axes = done.fresh(f"{output}/axes")
    if opset >= 13:
        done.initializers.append(numpy_helper.from_array(np.array([axis], np.int64), axes))
    for part, row in zip(parts, rows, strict=True):
        given = {"inputs": [part, axes]} if opset >= 13 else {"inputs": [part], "axes": [axis]}
        done.nodes.append(helper.make_node("Unsqueeze", outputs=[row], **given))
    done.nodes.append(helper.make_node("Concat", rows, [output], axis=axis))


def _hand_out(made: Sequence[str], wanted: Sequence[str], done: Unfolded) -> None:
    """Give tensors the names under which others read them."""
    from onnx import helper

    pairs = (pair for pair in zip(made, wanted, strict=True) if pair[1])
    done.nodes.extend(helper.make_node("Identity", [old], [new]) for old, new in pairs)


def _write(
    graph: onnx.GraphProto,
    arguments: Sequence[str],
    results: Sequence[str],
    prefix: str,
    done: Unfolded,
) -> None:
    """Write a sub-graph's nodes out: its ports get the names given, all inside get new ones."""
    import onnx

    names = dict(zip((port.name for port in graph.input), arguments, strict=True))
    inside = [t.name for t in graph.initializer]
    inside += [output for node in graph.node for output in node.output if output]
    names |= {name: done.fresh(f"{prefix}/{name}") for name in inside}
    for tensor in graph.initializer:
        copy = onnx.TensorProto()
        copy.CopyFrom(tensor)
        copy.name = names[tensor.name]
        done.initializers.append(copy)
    for node in graph.node:
        copied = _renamed(node, names)
        copied.name = done.fresh(f"{prefix}/{node.name}") if node.name else ""
        done.nodes.append(copied)
    _hand_out([names.get(port.name, port.name) for port in graph.output], results, done)


def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    """Copy a node under new names of tensors, also where its own sub-graphs read them."""
    import onnx

    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    copy.output[:] = [names.get(name, name) for name in node.output]
    for graph in subgraphs(copy):
        own = {port.name for port in graph.input} | {t.name for t in graph.initializer}
        own.update(output for inner in graph.node for output in inner.output)
        outside = {old: new for old, new in names.items() if old not in own}
        renamed = [_renamed(inner, outside) for inner in graph.node]
        del graph.node[:]
        graph.node.extend(renamed)
        for port in graph.output:
            port.name = outside.get(port.name, port.name)
    return copy


def names_in(graph: onnx.GraphProto) -> Iterator[str]:
    """Yield the names of all nodes and tensors of a graph."""
    yield from (port.name for port in (*graph.input, *graph.output))
    yield from (tensor.name for tensor in graph.initializer)
    for node in graph.node:
        yield node.name
        yield from node.output
