"""Patterns of nodes, written like the equations they stand for, and how they are found.

mean = Call("ReduceMean", X)
deviation = Call("Sub", X, mean)          # x − mean(x), with the same x
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, Protocol

from numpy.typing import NDArray

from onnxlrp.graph.model import Node

COMMUTATIVE = frozenset({"Add", "Max", "Min", "Mul"})


@dataclass(frozen=True, slots=True)
class Scene:
    """Where patterns are looked for: who makes which tensor, and which are constant."""

    makers: Mapping[str, Node]
    constants: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Match:
    """What a pattern has found so far.

    Attributes
    ----------
    tensors : mapping of str to str
        What each named place of the pattern is: a tensor.
    nodes : mapping of str to Node
        The nodes that the pattern has passed, by name.
    """

    tensors: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)

    def bound(self, place: str, tensor: str) -> Match | None:
        """Let a place be a tensor; None if it is another one already."""
        if self.tensors.get(place, tensor) != tensor:
            return None
        return Match({**self.tensors, place: tensor}, self.nodes)


class Pattern(Protocol):
    """Something that a tensor may be."""

    def find(self, tensor: str, scene: Scene, so_far: Match) -> Iterator[Match]:
        """Yield every way in which the tensor is it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Any tensor that is no constant, the same one wherever this place occurs."""

    name: str

    def find(self, tensor: str, scene: Scene, so_far: Match) -> Iterator[Match]:
        """Yield the match in which this place is the tensor."""
        match = None if tensor in scene.constants else so_far.bound(self.name, tensor)
        if match is not None:
            yield match


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant; ``scalar``: of one element; ``value``: with this value."""

    name: str = ""
    scalar: bool = False
    value: float | None = None

    def find(self, tensor: str, scene: Scene, so_far: Match) -> Iterator[Match]:
        """Yield the match in which this place is the tensor."""
        found = scene.constants.get(tensor)
        if found is None or (self.scalar and found.size != 1):
            return
        if self.value is not None and not (found == self.value).all():
            return
        match = so_far.bound(self.name, tensor) if self.name else so_far
        if match is not None:
            yield match


@dataclass(frozen=True, slots=True)
class Call:
    """The output of a standard operator whose first inputs are these; sums, products in any order.

    Inputs beyond those given, such as axes, are left to whoever reads the match.
    """

    op: str
    inputs: tuple[Pattern, ...]

    def __init__(self, op: str, *inputs: Pattern) -> None:
        object.__setattr__(self, "op", op)
        object.__setattr__(self, "inputs", inputs)

    def find(self, tensor: str, scene: Scene, so_far: Match) -> Iterator[Match]:
        """Yield every way in which the tensor's maker is such a call."""
        node = scene.makers.get(tensor)
        if node is None or node.op != self.op or node.domain not in ("", "ai.onnx"):
            return
        passed = Match(so_far.tensors, {**so_far.nodes, node.name: node})
        orders = permutations(self.inputs) if self.op in COMMUTATIVE else [self.inputs]
        for patterns in orders:
            yield from _all(patterns, node.inputs, scene, passed)


@dataclass(frozen=True, slots=True)
class Either:
    """Any of several patterns."""

    patterns: tuple[Pattern, ...]

    def __init__(self, *patterns: Pattern) -> None:
        object.__setattr__(self, "patterns", patterns)

    def find(self, tensor: str, scene: Scene, so_far: Match) -> Iterator[Match]:
        """Yield what each of them finds."""
        for pattern in self.patterns:
            yield from pattern.find(tensor, scene, so_far)


def _all(
    patterns: tuple[Pattern, ...], tensors: tuple[str, ...], scene: Scene, so_far: Match
) -> Iterator[Match]:
    """Yield every way in which all patterns are found, each at its tensor."""
    if not patterns:
        yield so_far
        return
    if not tensors:
        return
    for match in patterns[0].find(tensors[0], scene, so_far):
        yield from _all(patterns[1:], tensors[1:], scene, match)
