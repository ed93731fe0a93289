"""The layers of the network as rows of a table: rule, and where relevance went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from onnxlrp.books import LayerBooks
from onnxlrp.graph.model import Model
from onnxlrp.rules import Rule, Unified

from .designs import Design
from .labels import rule_label, rule_name
from .segments import linear_layers, rules_of

_SHARED = ("epsilon", "relative", "bias")  # what every rule has


@dataclass(frozen=True, slots=True)
class Row:
    """One layer.

    Attributes
    ----------
    index : int
    name, op : str
    rule : str
        Key of its rule's button; "" where relevance only moves.
    label : str
        The rule with its numbers.
    parameters : str
        As files and the command line write them: "gamma=0.25".
    entry : str
        Which entry of the design chose the rule, and which it overrode: "3 (over 1)".
    arrived, absorbed, share : float
        Σ R at its output; of it, what bias, ε and the rest kept; that as a share. NaN if unknown.
    merged : str
        Nodes of the file whose work it took over.
    """

    index: int
    name: str
    op: str
    rule: str
    label: str
    parameters: str
    entry: str
    arrived: float
    absorbed: float
    share: float
    merged: str


def layer_rows(design: Design, model: Model, books: Sequence[LayerBooks] = ()) -> list[Row]:
    """One row a layer, from the input to the output.

    Raises
    ------
    CompositeError
        The design does not fit the network.
    """
    linear = linear_layers(model)
    rules = rules_of(design.composite, model)
    entries = design.composite.assign(model, linear).entries
    kept = {book.layer.index: book for book in books}
    rows = []
    for layer in model.layers:
        rule = rules.get(layer.index)
        *beaten, winner = [str(i + 1) for i in entries.get(layer.index, ())] or [""]
        book = kept.get(layer.index)
        arrived = np.nan if book is None else float(book.arrived[0])
        handed = np.nan if book is None else float(book.handed[0])
        lost = arrived - handed
        rows.append(
            Row(
                index=layer.index,
                name=layer.name,
                op=layer.op,
                rule="" if rule is None else rule_name(rule),
                label="" if rule is None else rule_label(rule),
                parameters="" if rule is None else _parameters(rule),
                entry=_entry(winner, beaten) if rule is not None else "",
                arrived=arrived,
                absorbed=lost,
                share=lost / arrived if arrived else np.nan,
                merged=", ".join(layer.merged),
            )
        )
    return rows


def _parameters(rule: Rule) -> str:
    """The rule's numbers as files write them: its own, and of the others those off their defaults.

    Those that are lists, as bounds for each channel, are left to the rule editor.
    """
    shown = [
        (f.name, getattr(rule, f.name))
        for f in fields(rule)
        if f.name not in _SHARED or getattr(rule, f.name) != f.default
    ]
    if isinstance(rule, Unified):
        given = rule.to_dict()
        shown = [(name, value) for name, value in shown if name in given]
    return ", ".join(
        f"{name}={str(value).lower()}"
        for name, value in shown
        if value is not None and not isinstance(value, tuple)
    )


def _entry(winner: str, beaten: Sequence[str]) -> str:
    if not winner:
        return "default"
    return f"{winner} (over {', '.join(beaten)})" if beaten else winner
