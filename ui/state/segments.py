"""The ruler: which rule each layer gets under a design, and the runs of layers that share one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from onnxlrp.composites import Composite
from onnxlrp.errors import RuleError
from onnxlrp.explainer import Workspace
from onnxlrp.graph.model import Model
from onnxlrp.graph.proto import inferred
from onnxlrp.ops import Linear
from onnxlrp.rules import RULES, Rule

from .labels import rule_label

Shape = tuple[int | str | None, ...]

COLOURS = (
    *("#f6a6a1", "#a9c7e8", "#bfe3b4", "#d3bfe6", "#f9cf9c", "#a5ded6", "#f4b8d4", "#d9d48f"),
    *("#b7c3d9", "#e0bba4", "#b5e0c8", "#cfcfcf"),
)
"""Colours of segments from the input up, dark text readable on each; deeper nets begin again."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of neighbouring layers on the ruler that hand relevance down by one rule.

    Attributes
    ----------
    number : int
        Counted from 1 at the input.
    start, stop : int
        Layer indices, ``stop`` left out.
    rule : Rule
    label : str
        Short name with its numbers: "LRP-γ 0.25".
    colour : str
        "#rrggbb".
    """

    number: int
    start: int
    stop: int
    rule: Rule
    label: str
    colour: str

    @property
    def layers(self) -> range:
        """The indices of its layers."""
        return range(self.start, self.stop)


def linear_layers(model: Model) -> frozenset[int]:
    """Indices of the layers that take a rule.

    Raises
    ------
    UnsupportedOperationError
        The model cannot be explained; names every node without a treatment.
    """
    operations = Workspace.of(model).operations
    return frozenset(i for i, op in operations.items() if isinstance(op, Linear))


def ruled_layers(model: Model) -> tuple[int, ...]:
    """The layers that make the ruler's segments: the weighted ones, or else all that take a rule.

    Affine layers that stay in the network (a BatchNormalization that could not be merged) keep
    the rule of their own and lie within a segment.
    """
    linear = linear_layers(model)
    weighted = tuple(i for i in sorted(linear) if model.layers[i].weighted)
    return weighted or tuple(sorted(linear))


def rules_of(composite: Composite, model: Model) -> Mapping[int, Rule]:
    """Layer index → the rule that it hands relevance down by, for every layer that takes one.

    Raises
    ------
    CompositeError
        An entry matches no layer, or a z^B rule lacks its bounds.
    RuleError
        "pass" on a layer that changes the shape.
    """
    linear = linear_layers(model)
    given = composite.assign(model, linear).rules
    operations = Workspace.of(model).operations
    rules = {i: given.get(i) or _default(operations[i]) for i in sorted(linear)}
    _check_passes(rules, model)
    return rules


def _check_passes(rules: Mapping[int, Rule], model: Model) -> None:
    """Refuse "pass" where shapes are known to differ: an edit says so, not the sweep long after."""
    wrong = []
    for index in (i for i, rule in rules.items() if rule.passes):
        layer = model.layers[index]
        names = [layer.node.inputs[i] for i in layer.signals]
        shapes = [_shapes(model).get(name) for name in (*names, layer.node.output)]
        known = [shape for shape in shapes if shape is not None]
        if len(names) != 1 or (len(known) == 2 and known[0] != known[1]):
            wrong.append(f"{layer} ({' → '.join(map(_written, known))})" if known else str(layer))
    if wrong:
        which = f"{wrong[0]} and {len(wrong) - 1} more do" if len(wrong) > 1 else f"{wrong[0]} does"
        raise RuleError(
            f"rule 'pass' needs a layer of one input that keeps its shape, which {which} not. "
            "Choose another rule."
        )


def _shapes(model: Model) -> Mapping[str, Shape]:
    """Tensor name → its shape without the batch, as far as the file tells."""
    found: Mapping[str, Shape] | None = model.derived.get("shapes")
    if found is None:
        told = inferred(model.proto)
        found = {n: t.shape[1:] for n, t in told.items() if t.shape and None not in t.shape[1:]}
        model.derived["shapes"] = found
    return found


def _written(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a number"


def _default(operation: object) -> Rule:
    """The rule of an operation that no entry speaks of."""
    assert isinstance(operation, Linear)
    return RULES[operation.default_rule]()


def bounds_of(model: Model) -> tuple[int, ...]:
    """Where one segment may end and the next begin: at each ruled layer but the first."""
    return ruled_layers(model)[1:]


def segments(composite: Composite, model: Model, cuts: Iterable[int] = ()) -> tuple[Segment, ...]:
    """Cut the ruler into runs of one rule, and at ``cuts``; empty if no layer takes a rule.

    Layers that take no rule (ReLU, pooling) belong to the segment of the ruled layer before them.

    Raises
    ------
    CompositeError
        As :func:`rules_of`.
    """
    rules = rules_of(composite, model)
    ruled = ruled_layers(model)
    kept = set(cuts)
    changes = [b for a, b in pairwise(ruled) if rules[a] != rules[b] or b in kept]
    starts = [0, *changes] if ruled else []
    ends = [*changes, len(model.layers)]
    firsts = [ruled[0], *changes] if ruled else []
    return tuple(
        Segment(number, start, stop, rule, rule_label(rule), COLOURS[(number - 1) % len(COLOURS)])
        for number, (start, stop, rule) in enumerate(
            zip(starts, ends, (rules[i] for i in firsts), strict=False), 1
        )
    )
