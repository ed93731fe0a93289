"""Functions and normalisations that are spelled out in primitive nodes become one layer each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.graph.draft import Draft, readers
from onnxlrp.graph.functions import (
    EXACT,
    GRID,
    HALF,
    Function,
    Values,
    applied,
    is_elementwise,
    named,
)
from onnxlrp.graph.model import Change, Node

LARGEST = 24
"""Nodes in which a function is spelled at most."""


@dataclass
class Rewriting:
    """A draft in which groups of nodes become one node each.

    Attributes
    ----------
    draft : Draft
        As it was.
    makers : dict of str to Node
        Tensor → the node that makes it, as it is now.
    gone : set of str
        Names of the nodes that are part of another one now.
    merged : dict of str to tuple of str
        Node → the names of all that it stands for.
    constants : dict of str to ndarray
        New ones.
    """

    draft: Draft
    makers: dict[str, Node] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    merged: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constants: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.readers = readers(self.draft.nodes)
        self.position = {node.name: i for i, node in enumerate(self.draft.nodes)}
        self.makers |= {name: node for node in self.draft.nodes for name in node.outputs}

    def is_private(self, nodes: Mapping[str, Node], root: Node) -> bool:
        """Whether nothing but these nodes reads what they make, the root's output left aside."""
        for node in nodes.values():
            for name in node.outputs if node is not root else ():
                if name == self.draft.explained or name in self.draft.outputs:
                    return False
                behind = {reader.name for reader in self.readers.get(name, ())}
                if not behind <= nodes.keys() | self.gone:
                    return False
        return True

    def merge(self, nodes: Mapping[str, Node], root: Node, into: Node) -> None:
        """Let one node stand for all of these; it keeps the root's name and output."""
        others = [name for name in nodes if name != root.name]
        others.sort(key=self.position.__getitem__)
        earlier = (self.merged.pop(name, ()) for name in (*others, root.name))
        self.merged[root.name] = (*(name for names in earlier for name in names), *others)
        self.gone.update(others)
        self.makers[root.output] = into

    def add(self, name: str, values: NDArray[Any]) -> str:
        """Enter a new constant and return its name, a free one."""
        while name in self.draft.types or name in self.draft.constants or name in self.constants:
            name += "_merged"
        self.constants[name] = np.array(values, np.float32)
        self.constants[name].flags.writeable = False
        return name

    def result(self) -> Draft:
        """Return the draft as it is now."""
        kept = [n for n in self.draft.nodes if n.name not in self.gone]
        nodes = tuple(self.makers[node.output] for node in kept)
        changes = [
            Change("merged", name, node.name, _spelling(node, len(self.merged[node.name]) + 1))
            for node in nodes
            for name in self.merged.get(node.name, ())
        ]
        return replace(
            self.draft,
            nodes=nodes,
            constants={**self.draft.constants, **self.constants},
            merged={**self.draft.merged, **self.merged},
            changes=(*self.draft.changes, *changes),
        )


def _spelling(node: Node, count: int) -> str:
    """Say that a node was several."""
    return f"spelled-out {node.op} {node.name}: {count} nodes merged"


def recognise_functions(draft: Draft) -> Draft:
    """Make one node of each chain of element-wise nodes that computes a named function.

    See :func:`onnxlrp.graph.functions.named`. What the chain starts from may be read elsewhere;
    what it computes on its way may not.
    """
    rewriting = Rewriting(draft)
    for node in draft.nodes:
        if is_elementwise(node):
            _recognise(node, rewriting)
    return rewriting.result()


def _recognise(root: Node, rewriting: Rewriting) -> None:
    """Let the root stand for the largest group of nodes that is a named function.

    A larger group must be no farther from its function than a smaller one: f(x + c) is near f(x)
    where c is small, but then the sum is a layer of its own, whose constant absorbs relevance.
    """
    best: tuple[str, dict[str, Node], Function] | None = None
    closest, made = math.inf, rewriting.draft.types.get(root.output)
    tolerance = HALF if made is not None and made.dtype == "float16" else EXACT
    for source, region in _regions(root, rewriting):
        found = named(_evaluated(region, source, root, rewriting), tolerance)
        if found is None or found[1] > 1.05 * closest + EXACT:
            continue
        closest = min(closest, found[1])
        if len(region) > 1 and rewriting.is_private(region, root):
            best = source, region, found[0]
    if best is not None:
        source, region, function = best
        attributes = dict(function.attributes)
        into = replace(root, op=function.op, domain="", inputs=(source,), attributes=attributes)
        rewriting.merge(region, root, into)


def _regions(root: Node, rewriting: Rewriting) -> Iterator[tuple[str, dict[str, Node]]]:
    """Yield the element-wise nodes between one tensor and the root, from the nearest tensor on.

    The latest tensor that the nodes so far read is traced one node back, again and again; whenever
    they read one tensor only, they are a function of it.
    """
    region: dict[str, Node] = {}
    frontier: set[str] = set()
    latest = root
    while len(region) < LARGEST and is_elementwise(latest):
        numbers = rewriting.draft.constants
        fixed = [numbers[name] for name in latest.inputs if name in numbers]
        if any(number.size != 1 or number.dtype.kind != "f" for number in fixed):
            return
        region[latest.name] = latest
        frontier -= set(latest.outputs)
        frontier |= {name for name in latest.inputs if name and name not in numbers}
        if len(frontier) == 1:
            yield next(iter(frontier)), dict(region)
        makers = [rewriting.makers[name] for name in frontier if name in rewriting.makers]
        if len(makers) < len(frontier) or not makers:
            return
        latest = max(makers, key=lambda node: rewriting.position[node.name])


def _evaluated(region: Mapping[str, Node], source: str, root: Node, rewriting: Rewriting) -> Values:
    """Compute a region's root for every value of the grid."""
    values: dict[str, Values | None] = {"": None, source: GRID}
    for node in sorted(region.values(), key=lambda node: rewriting.position[node.name]):
        for name in node.inputs:
            if name in rewriting.draft.constants:
                values[name] = rewriting.draft.constants[name].reshape(-1)[0].astype(np.float64)
        values[node.output] = applied(node, [values[name] for name in node.inputs])
    return np.broadcast_to(np.asarray(values[root.output]), GRID.shape)
