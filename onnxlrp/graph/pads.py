"""A border of zeros put around a picture becomes the padding of the convolution behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from onnxlrp.graph.draft import Draft, readers
from onnxlrp.graph.model import Change, Node


def merge_pads(draft: Draft) -> Draft:
    """Merge Pad with the value 0 into the Conv that alone reads it: pads add up.

    The Conv must pad explicitly or not at all; the Pad must only put on, along spatial axes.
    """
    readers_of = readers(draft.nodes)
    padded: dict[str, Node] = {}
    nodes: list[Node] = []
    merged, changes = dict(draft.merged), list(draft.changes)
    for node in draft.nodes:
        pad = padded.get(node.inputs[0]) if node.op == "Conv" else None
        pads = None if pad is None else _zeros_put_on(pad, draft)
        own = _own_pads(node) if pads is not None else None
        if pad is not None and pads is not None and own is not None:
            total = tuple(int(p) for p in np.add(pads, own or 0))
            kept = {key: v for key, v in node.attributes.items() if key != "auto_pad"}
            inputs = (pad.inputs[0], *node.inputs[1:])
            node = replace(node, inputs=inputs, attributes={**kept, "pads": total})
            nodes = [other for other in nodes if other is not pad]
            merged[node.name] = (*merged.pop(pad.name, ()), pad.name, *merged.get(node.name, ()))
            detail = f"{pad.name} merged into {node.name}"
            changes.append(Change("merged", pad.name, node.name, detail))
        inner = node.output not in draft.outputs and node.output != draft.explained
        if node.op == "Pad" and inner and len(readers_of.get(node.output, ())) == 1:
            padded[node.output] = node
        nodes.append(node)
    return replace(draft, nodes=tuple(nodes), merged=merged, changes=tuple(changes))


def _own_pads(node: Node) -> tuple[int, ...] | None:
    """Return a Conv's pads, () for none; None if they follow from the size of the picture."""
    if node.attributes.get("auto_pad", "NOTSET") == "VALID":
        return ()
    if node.attributes.get("auto_pad", "NOTSET") != "NOTSET":
        return None
    return tuple(node.attributes.get("pads", ()))


def _zeros_put_on(pad: Node, draft: Draft) -> tuple[int, ...] | None:
    """Return the pads along the spatial axes; None if the Pad does anything else, too."""
    rank = draft.rank(pad.inputs[0]) or draft.rank(pad.output)
    value = _setting(pad, 2, "value", draft)
    pads = _setting(pad, 1, "pads", draft)
    axes = _setting(pad, 3, "", draft)
    if pad.attributes.get("mode", "constant") != "constant" or rank is None:
        return None
    if pads is None or value is None or np.any(value) or axes is None:
        return None
    along = [int(axis) % rank for axis in axes] if len(axes) else range(rank)
    before, after = np.split(np.asarray(pads, np.int64), 2)
    whole = np.zeros((2, rank), np.int64)
    whole[:, along] = before, after
    if whole[:, :2].any() or (whole < 0).any():
        return None
    return tuple(whole[:, 2:].reshape(-1).tolist())


def _setting(node: Node, position: int, attribute: str, draft: Draft) -> Any:
    """Return what an input or attribute says, () if there is neither, None if it is computed."""
    name = node.inputs[position] if position < len(node.inputs) else ""
    return draft.constants.get(name) if name else node.attributes.get(attribute, ())
