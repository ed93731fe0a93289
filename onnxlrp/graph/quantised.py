"""QuantizeLinear and the DequantizeLinear behind it: one layer, which rounds."""

from __future__ import annotations

from dataclasses import replace

from onnxlrp.graph.draft import Draft, readers
from onnxlrp.graph.model import Change, Node


def merge_quantisation(draft: Draft) -> Draft:
    """Merge QuantizeLinear into the one DequantizeLinear that alone reads it."""
    readers_of = readers(draft.nodes)
    rounded: dict[str, Node] = {}
    gone: set[str] = set()
    nodes: list[Node] = []
    merged, changes = dict(draft.merged), list(draft.changes)
    for node in draft.nodes:
        first = rounded.get(node.inputs[0]) if node.op == "DequantizeLinear" else None
        if first is not None:
            node = replace(node, inputs=(first.inputs[0], *node.inputs[1:]))
            gone.add(first.name)
            merged[node.name] = (*merged.pop(first.name, ()), first.name)
            detail = f"{first.name} merged into {node.name}: together they round"
            changes.append(Change("merged", first.name, node.name, detail))
        inner = node.output not in draft.outputs and node.output != draft.explained
        if node.op == "QuantizeLinear" and inner and len(readers_of.get(node.output, ())) == 1:
            rounded[node.output] = node
        nodes.append(node)
    kept = tuple(node for node in nodes if node.name not in gone)
    return replace(draft, nodes=kept, merged=merged, changes=tuple(changes))
