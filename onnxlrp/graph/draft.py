"""The graph while it is being canonised: a frozen value that every pass replaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from onnxlrp.graph.model import Change, Node, Tensor


@dataclass(frozen=True, slots=True)
class Draft:
    """What lies between the picture and the explained tensor.

    Attributes
    ----------
    nodes : tuple of Node
        In topological order, names unique.
    constants : mapping of str to ndarray
        Constant tensors that the nodes read.
    input, explained : str
    signals : frozenset of str
        The tensors that change with the picture's values and carry relevance.
    outputs : frozenset of str
        The outputs of the user's graph: no merged layer may hide them.
    types : mapping of str to Tensor
        What shape inference found.
    merged : mapping of str to tuple of str
        Layer → the nodes whose work it took over.
    changes : tuple of Change
        The report so far.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[Any]]
    input: str
    explained: str
    signals: frozenset[str]
    outputs: frozenset[str]
    types: Mapping[str, Tensor]
    merged: Mapping[str, tuple[str, ...]]
    changes: tuple[Change, ...] = ()

    def dtype(self, name: str) -> str:
        """Return the NumPy name of a tensor's element type; "" if unknown."""
        return self.types[name].dtype if name in self.types else ""

    def shape(self, name: str) -> tuple[int | str | None, ...] | None:
        """Return a tensor's shape as far as it is known; None if not even its rank is."""
        return self.types[name].shape if name in self.types else None

    def rank(self, name: str) -> int | None:
        """Return the number of a tensor's axes; None if unknown."""
        shape = self.shape(name)
        return None if shape is None else len(shape)


def leading_to(nodes: Sequence[Node], target: str) -> tuple[Node, ...]:
    """Return the nodes without which ``target`` cannot be computed, in their order."""
    needed = {target}
    kept: list[Node] = []
    for node in reversed(nodes):
        if not needed.isdisjoint(node.outputs):
            kept.append(node)
            needed.update(node.inputs)
    return tuple(reversed(kept))


def readers(nodes: Iterable[Node]) -> Mapping[str, tuple[Node, ...]]:
    """Map every tensor name to the nodes that read it, each once."""
    found: dict[str, list[Node]] = {}
    for node in nodes:
        for name in dict.fromkeys(node.inputs):
            found.setdefault(name, []).append(node)
    return {name: tuple(nodes) for name, nodes in found.items()}
