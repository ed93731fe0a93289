"""Which of the network's tensors sweeps read, and what onnxruntime may fuse away if none does."""

from __future__ import annotations

from collections.abc import Mapping

from onnxlrp.graph.model import Layer, Model
from onnxlrp.graph.proto import reads
from onnxlrp.ops import Linear, Operation
from onnxlrp.ops.pooling import MaxPool
from onnxlrp.rules import Rule

FUSED = ("Relu", "Clip")
"""Activations that onnxruntime computes within the convolution before them: the same bits."""

CARRIERS = (
    "Add", "Clip", "Concat", "Dropout", "GlobalMaxPool", "Identity", "MaxPool", "Relu",
)  # fmt: skip
"""Operators that give the same bits in any layout of memory, and hand the layout on."""

ENDS = ("Conv", "Flatten", "Reshape")
"""Operators whose output is the same bits in the same layout, whatever the layout of the input."""


def readable_tensors(model: Model, operations: Mapping[int, Operation]) -> frozenset[str]:
    """Every tensor that some composite's plan reads."""
    names = {model.explained}
    for op in operations.values():
        names.update(op.values())
        if isinstance(op, Linear):
            names.update((*op.signal_names, op.node.output))
        if isinstance(op, MaxPool):
            names.update((op.node.inputs[0], op.node.output))
    return frozenset(names - {model.input.name})


def fusable_tensors(model: Model) -> frozenset[str]:
    """Pre-activations that a forward pass need not give: no bit of another tensor hangs on them.

    onnxruntime on the CPU computes a convolution and the ReLU behind it as one, with channels in
    blocks, unless it has to hand out what lies between. A ReLU is the same bits either way, but an
    average of it may not be: it sums in the order of the layout.
    """
    readers: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for node in model.proto.graph.node:
        for name in reads(node):
            readers.setdefault(name, []).append((node.op_type, tuple(node.output)))
    exact: dict[str, bool] = {}
    fusable = set()
    for node in reversed(model.proto.graph.node):
        for name in node.output:
            found = readers.get(name, [])
            exact[name] = all(
                op in ENDS or (op in CARRIERS and all(exact[out] for out in outputs))
                for op, outputs in found
            )
            if len(found) == 1 and found[0][0] in FUSED and exact[name]:
                fusable.add(name)
    return frozenset(fusable - {model.explained})


def is_silent_below(op: Operation, rule: Rule | None, silent: bool) -> bool:
    """Whether a layer hands no relevance to a 0; ``silent``: none arrives where its output is 0.

    Rules that multiply by the activation hand none to a 0 in any case.
    """
    if isinstance(op, Linear) and rule is not None:
        return rule.input.is_plain and rule.bias != "spread" and not rule.passes
    return silent and op.passes_silence


def preactivation_tensor(model: Model, output: str, silent: Mapping[str, bool]) -> str:
    """The tensor in which a layer's pre-activation is read: ReLU(z), where that does for z.

    It does if relevance comes through the ReLU alone and is 0 wherever ReLU(z) is: then no neuron
    with z ≤ 0 is asked.

    Parameters
    ----------
    model : Model
    output : str
        The layer's output, z.
    silent : mapping of str to bool
        Tensor → whether its relevance is 0 wherever it is 0 itself, for all above the layer.
    """
    reader = silent_reader(model, output, silent)
    return reader.node.output if reader is not None and reader.op == "Relu" else output


def silent_reader(model: Model, tensor: str, silent: Mapping[str, bool]) -> Layer | None:
    """The only layer that reads a tensor, if no relevance stands where its own output is 0."""
    readers = model.consumers.get(tensor, ())
    if len(readers) == 1 and silent.get(readers[0].node.output):
        return readers[0]
    return None
