"""From the picture to the explained output: which input, which output, the nodes between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from onnxlrp.errors import ModelError, did_you_mean
from onnxlrp.graph.constants import constant_names, constant_values
from onnxlrp.graph.draft import Draft
from onnxlrp.graph.inference import Weights
from onnxlrp.graph.model import Change, Node, Tensor
from onnxlrp.graph.proto import attributes, extracted, label, reads, tensor
from onnxlrp.graph.refusals import listed

if TYPE_CHECKING:
    import onnx

_FLOATS = frozenset({"float16", "float32", "float64"})
_PICTURES = _FLOATS | {"uint8"}
_SHAPE_READERS = frozenset({"Shape", "Size"})
_INDICES = frozenset({"bool", "int32", "int64"})
"""Types of masks, indices and shapes: they steer the signal and are held fixed, they carry none."""

_ARITHMETIC = frozenset({"ConvInteger", "MatMulInteger"})
"""Operators whose whole numbers are the signal itself."""


def find_ports(proto: onnx.ModelProto, output: str | None) -> tuple[Tensor, Tensor]:
    """Choose the picture's input and the explained output.

    The output is the one named, else the first floating-point one that depends on a picture. The
    input is the only float or uint8 input on which that output depends.

    Raises
    ------
    ModelError
        No such output, no picture, several inputs, or a broken graph.
    """
    inputs = {port.name: tensor(port) for port in proto.graph.input}
    pictures = {name: t for name, t in inputs.items() if t is not None and t.dtype in _PICTURES}
    if not pictures:
        raise ModelError(
            f"the model has no floating-point or uint8 input to explain (inputs: {_list(inputs)})."
        )
    sources = _sources(proto)
    explained = _explained(proto, output, pictures, sources)
    needed = [name for name in inputs if name in sources[explained.name]]
    if len(needed) > 1 or needed[0] not in pictures:
        raise ModelError(
            f"output {explained.name!r} depends on the inputs {_list(needed)}; only models with "
            "one input, the picture, can be explained: make the others constants."
        )
    return pictures[needed[0]], explained


def trace(
    proto: onnx.ModelProto,
    weights: Weights,
    types: Mapping[str, Tensor],
    picture: Tensor,
    output: Tensor,
) -> Draft:
    """Collect the nodes that carry the picture's signal to the output, and their constants.

    Shape and Size, and what hangs on them, are plumbing; comparisons, masks and indices are held
    fixed. Neither becomes a layer.

    Raises
    ------
    ModelError
        No signal reaches the output, or a node is in training mode.
    UnsupportedOperationError
        The signal ends on its way; the nodes where it does are named.
    """
    signals = _signals(proto, types, picture.name)
    if output.name not in signals or output.name == picture.name:
        message = (
            f"output {output.name!r} does not depend on the values of input {picture.name!r}; name "
            "another output with output=."
        )
        ends = list(_ends(extracted(proto, [output.name]).graph.node, signals, types))
        raise listed(ends, message) if ends else ModelError(message)
    nodes = _named(_path(proto, output.name, signals))
    constant = constant_names(proto)
    names = [name for node in nodes for name in node.inputs if name in constant]
    draft = Draft(
        nodes=nodes,
        constants=constant_values(proto, weights, names),
        input=picture.name,
        explained=output.name,
        signals=signals,
        outputs=frozenset(port.name for port in proto.graph.output),
        types=types,
        merged={},
        changes=tuple(_folded(proto, constant, nodes)),
    )
    _refuse_training(nodes, draft.constants)
    return draft


def _sources(proto: onnx.ModelProto) -> Mapping[str, frozenset[str]]:
    """Map every tensor to the graph inputs on which it depends.

    Raises
    ------
    ModelError
        A node reads a tensor that nothing before it makes.
    """
    sources = {port.name: frozenset([port.name]) for port in proto.graph.input}
    sources |= {t.name: frozenset() for t in proto.graph.initializer}
    for node in proto.graph.node:
        found: frozenset[str] = frozenset()
        for name in reads(node):
            if name not in sources:
                raise ModelError(
                    f"node {label(node)} reads {name!r}, which nothing before it makes: the graph "
                    "is broken or not sorted, see onnx.checker."
                )
            found |= sources[name]
        sources |= {name: found for name in node.output if name}
    return sources


def _explained(
    proto: onnx.ModelProto,
    wanted: str | None,
    pictures: Iterable[str],
    sources: Mapping[str, frozenset[str]],
) -> Tensor:
    """Choose the output that is explained."""
    outputs = {port.name: tensor(port) for port in proto.graph.output}
    if wanted is not None and wanted not in outputs:
        hint = did_you_mean(wanted, outputs)
        raise ModelError(f"output {wanted!r}: the model has {_list(outputs)}.{hint}")
    reached = {name for name, inputs in sources.items() if not inputs.isdisjoint(pictures)}
    for name in outputs if wanted is None else [wanted]:
        found = outputs[name]
        if found is not None and found.dtype in _FLOATS and name in reached:
            return found
    raise ModelError(
        f"output {wanted or _list(outputs)}: no floating-point tensor that depends on the "
        "picture, so there is nothing to explain."
    )


def _signals(proto: onnx.ModelProto, types: Mapping[str, Tensor], picture: str) -> frozenset[str]:
    """Name the tensors that change with the picture's values and can carry relevance."""
    signals = {picture}
    for node in proto.graph.node:
        if node.op_type in _SHAPE_READERS or signals.isdisjoint(reads(node)):
            continue
        signals.update(
            name
            for name in node.output
            if name
            and (
                node.op_type in _ARITHMETIC
                or name not in types
                or types[name].dtype not in _INDICES
            )
        )
    return frozenset(signals)


def _ends(
    nodes: Iterable[onnx.NodeProto], signals: frozenset[str], types: Mapping[str, Tensor]
) -> Iterator[str]:
    """Say, a line each, at which nodes the picture's signal ends in numbers that carry none."""
    for node in nodes:
        if node.op_type in _SHAPE_READERS or signals.isdisjoint(reads(node)):
            continue
        if signals.isdisjoint(node.output):
            yield (
                f"node {label(node)}: it makes {types[node.output[0]].dtype} values of the signal, "
                "which carry no relevance."
            )


def _path(proto: onnx.ModelProto, output: str, signals: frozenset[str]) -> Sequence[onnx.NodeProto]:
    """Collect the nodes through which signal reaches the output, in order."""
    wanted = {output}
    found: list[onnx.NodeProto] = []
    for node in reversed(proto.graph.node):
        if not wanted.isdisjoint(node.output):
            found.append(node)
            wanted.update(signals.intersection(reads(node)))
    return found[::-1]


def _named(path: Sequence[onnx.NodeProto]) -> tuple[Node, ...]:
    """Turn nodes into values; each gets a name of its own, unnamed ones "Conv_3" by number."""
    taken = {node.name for node in path}
    used: set[str] = set()
    nodes: list[Node] = []
    for node in path:
        name = node.name
        if not name or name in used:
            numbered = (f"{node.name or node.op_type}_{number}" for number in count())
            name = next(free for free in numbered if free not in taken)
        used.add(name)
        taken.add(name)
        ports = tuple(node.input), tuple(node.output)
        nodes.append(Node(name, node.op_type, *ports, attributes(node), node.domain))
    return tuple(nodes)


def _folded(
    proto: onnx.ModelProto, constant: frozenset[str], nodes: Iterable[Node]
) -> Iterator[Change]:
    """Report every node that was computed once because it depends on constants only."""
    readers = {name: node.name for node in reversed(tuple(nodes)) for name in node.inputs}
    for node in reversed(proto.graph.node):
        makes = next((name for name in node.output if name in constant and name in readers), None)
        if makes is None:
            continue
        layer = readers[makes]
        readers |= {name: layer for name in node.input if name not in readers}
        if node.op_type not in ("Constant", "Identity"):
            name = node.name or node.output[0]
            yield Change("folded", name, layer, f"{node.op_type} {name} computed once for {layer}")


def _refuse_training(nodes: Iterable[Node], constants: Mapping[str, NDArray[Any]]) -> None:
    """Refuse BatchNormalization and Dropout that would behave as in training."""
    for node in nodes:
        training = node.op == "BatchNormalization" and node.attributes.get("training_mode", 0)
        if node.op == "Dropout" and len(node.inputs) > 2 and node.inputs[2] in constants:
            training = constants[node.inputs[2]].any()
        if training:
            raise ModelError(
                f"node {node.name!r} ({node.op}) is in training mode; export the model in "
                "evaluation mode, model.eval()."
            )


def _list(names: Iterable[str]) -> str:
    """Write names for a message."""
    return ", ".join(map(repr, names))
