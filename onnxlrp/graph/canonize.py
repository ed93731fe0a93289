"""Canonisation: how LRP walks the graph. One function a pass; the network itself never changes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from onnxlrp.graph.affine import affine, identity
from onnxlrp.graph.draft import Draft, leading_to, readers
from onnxlrp.graph.idle import stands_for
from onnxlrp.graph.merge import Array, fold, kernel
from onnxlrp.graph.model import Change, Node
from onnxlrp.graph.norms import recognise_norms
from onnxlrp.graph.pads import merge_pads
from onnxlrp.graph.quantised import merge_quantisation
from onnxlrp.graph.spelled import recognise_functions

_MOVES = frozenset({"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
_FINAL = frozenset({"LogSoftmax", "Sigmoid", "Softmax"})


def canonize(draft: Draft) -> Draft:
    """Apply every pass, in the order in which each makes the next one's work visible."""
    for transform in (
        remove_idle,
        recognise_functions,
        recognise_norms,
        cut_final_activation,
        merge_quantisation,
        merge_pads,
        merge_affine,
    ):
        draft = transform(draft)
    return draft


def remove_idle(draft: Draft) -> Draft:
    """Drop nodes that make a tensor which is there already; their readers read that one instead.

    See :func:`onnxlrp.graph.idle.stands_for`. Where that leaves nodes that nothing reads any more,
    such as the first one of two Transposes, they are dropped, too.
    """
    renamed: dict[str, str] = {}
    makers: dict[str, Node] = {}
    nodes: list[Node] = []
    changes: list[Change] = []
    for node in draft.nodes:
        node = replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        same = stands_for(node, draft, makers)
        if same is None:
            nodes.append(node)
            makers |= dict.fromkeys(node.outputs, node)
        else:
            renamed[node.output] = same
            detail = f"{node.op} {node.name} changes nothing"
            if same != node.inputs[0]:
                detail = f"{node.op} {node.name} takes back what was done before it"
            changes.append(Change("removed", node.name, "", detail))
    explained = renamed.get(draft.explained, draft.explained)
    kept = leading_to(nodes, explained)
    names = {node.name for node in kept}
    changes += [
        Change("removed", node.name, "", f"{node.op} {node.name} is taken back behind it")
        for node in nodes
        if node.name not in names
    ]
    return replace(draft, nodes=kept, explained=explained, changes=(*draft.changes, *changes))


def cut_final_activation(draft: Draft) -> Draft:
    """Explain logits: end before a Softmax, LogSoftmax or Sigmoid that only moves follow."""
    makers = {name: node for node in draft.nodes for name in node.outputs}
    node = makers.get(draft.explained)
    while node is not None and node.op in _MOVES:
        node = makers.get(node.inputs[0])
    if node is None or node.op not in _FINAL or node.inputs[0] not in makers:
        return draft
    logits = node.inputs[0]
    kept = leading_to(draft.nodes, logits)
    names = {kept_node.name for kept_node in kept}
    detail = f"{node.op} {node.name} cut off: logits are explained"
    cut = [Change("cut", node.name, "", detail)]
    cut += [
        Change("cut", gone.name, "", f"{gone.op} {gone.name} lies behind {node.name}")
        for gone in draft.nodes
        if gone.name not in names and gone is not node
    ]
    return replace(draft, nodes=kept, explained=logits, changes=(*draft.changes, *cut))


def merge_affine(draft: Draft) -> Draft:
    """Fold affine nodes into the linear layer before them.

    Layers: Conv, ConvTranspose, Gemm, MatMul with constant weights; BatchNormalization that has
    none before it, LayerNormalization and its kin, with a constant scale. Nodes behind them, in any
    number and order: see :func:`onnxlrp.graph.affine.affine`; MatMul's bias Add is one of them.
    A node stays if something else reads what stands before it, or if that is an output.
    """
    readers_of = readers(draft.nodes)
    taken = {*draft.types, *draft.constants, *readers_of}
    gone: set[str] = set()
    nodes: list[Node] = []
    constants = dict(draft.constants)
    merged = dict(draft.merged)
    changes: list[Change] = []
    for node in draft.nodes:
        if node.name in gone:
            continue
        layer, made, followers = _absorbed(node, draft, readers_of, taken)
        nodes.append(layer)
        constants |= made
        taken.update(made)
        gone.update(followers)
        if followers:
            merged[node.name] = (*merged.get(node.name, ()), *followers)
        changes += [
            Change("merged", name, node.name, f"{name} merged into {node.name}")
            for name in followers
        ]
    return replace(
        draft,
        nodes=tuple(nodes),
        constants=constants,
        merged=merged,
        changes=(*draft.changes, *changes),
    )


def _absorbed(
    node: Node, draft: Draft, readers_of: Mapping[str, tuple[Node, ...]], taken: Container[str]
) -> tuple[Node, dict[str, Array], tuple[str, ...]]:
    """Return the layer with all that folds into it, its new constants, and what is gone."""
    weights = kernel(node, draft)
    if weights is None:
        return node, {}, ()
    total, tail, followers = identity(weights.channels), node.output, []
    while (behind := _only_reader(tail, draft, readers_of)) is not None:
        step = affine(behind, tail, weights.channels, draft.constants)
        if step is None or not step.is_finite or (step.shift.any() and not weights.takes_bias):
            break
        total, tail = total.then(step), behind.output
        followers.append(behind.name)
    folded = fold(replace(node, outputs=(tail,)), weights, total, taken) if followers else None
    if folded is None:
        return node, {}, ()
    return *folded, tuple(followers)


def _only_reader(
    name: str, draft: Draft, readers_of: Mapping[str, tuple[Node, ...]]
) -> Node | None:
    """Return the one node that reads a tensor which nobody outside may miss."""
    behind = readers_of.get(name, ())
    inner = name != draft.explained and name not in draft.outputs
    return behind[0] if inner and len(behind) == 1 else None
