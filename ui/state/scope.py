"""The layers that an edit of a rule is for, and the rule that they have now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from onnxlrp.graph.model import Model
from onnxlrp.rules import Rule

from .compact import given_rules
from .designs import Design, segments
from .segments import linear_layers, rules_of

Reach = Literal["selection", "type", "all"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Layers, and their rule.

    Attributes
    ----------
    layers : frozenset of int
        Those that take a rule and are meant.
    rule : Rule
        Of the first of them, bounds of z^B left open where the design leaves them so.
    rules : int
        How many different rules they have.
    title : str
        For people: "Segment 2, layers 3 to 26".
    """

    layers: frozenset[int]
    rule: Rule
    rules: int
    title: str


def scope_of(
    design: Design, model: Model, selection: Collection[int], reach: Reach = "selection"
) -> Scope | None:
    """Find what an edit is for.

    Parameters
    ----------
    design : Design
    model : Model
    selection : collection of int
        Layer indices.
    reach : "selection", "type" or "all"
        The selection itself (all layers if it is empty), every layer of its types, every layer.

    Returns
    -------
    Scope or None
        None if none of the layers takes a rule.
    """
    linear = linear_layers(model)
    layers, title = _meant(design, model, frozenset(selection), reach)
    chosen = layers & linear
    weighted = {i for i in chosen if model.layers[i].weighted}
    chosen = frozenset(weighted or chosen)
    if not chosen:
        return None
    rules = {**rules_of(design.composite, model), **given_rules(design.composite, model)}
    first = min(chosen)
    return Scope(chosen, rules[first], len({rules[i] for i in chosen}), title)


def _meant(
    design: Design, model: Model, selection: frozenset[int], reach: Reach
) -> tuple[frozenset[int], str]:
    """The layers that are meant, and what to call them."""
    everything = frozenset(range(len(model.layers)))
    if reach == "all" or not selection:
        return everything, "All layers"
    if reach == "type":
        linear = linear_layers(model)
        types = {model.layers[i].op for i in selection & linear}
        same = frozenset(layer.index for layer in model.layers if layer.op in types)
        return same, f"All {' and '.join(sorted(types))} layers" if types else ""
    for segment in segments(design, model):
        if selection == frozenset(segment.layers):
            first, last = segment.start, segment.stop - 1
            where = f"layers {first} to {last}" if last > first else f"layer {first}"
            return selection, f"Segment {segment.number}, {where}"
    if len(selection) == 1:
        return selection, f"{model.layers[min(selection)]}"
    return selection, f"{len(selection)} selected layers"
