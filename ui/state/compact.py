"""From "these layers get these rules" back to a short composite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.graph.model import Model
from onnxlrp.rules import Rule

from .segments import linear_layers, ruled_layers


def given_rules(composite: Composite, model: Model) -> Mapping[int, Rule]:
    """Layer index → the rule of the entry that wins it, open z^B bounds left open.

    Raises
    ------
    SelectorError
        An entry matches no layer.
    """
    entries = composite.assign(model, linear_layers(model)).entries
    return {i: composite.entries[found[-1]].rule for i, found in entries.items()}


def recomposed(composite: Composite, model: Model, wanted: Mapping[int, Rule]) -> Composite:
    """The composite that gives every layer in ``wanted`` that rule, as short as it can be.

    Entries that say more than positions (a preset's) stay as long as they win a layer; what they do
    not give is said behind them by position, one entry for each run of neighbours with one rule.

    Parameters
    ----------
    composite : Composite
        Its options, name and general entries are kept.
    model : Model
    wanted : mapping of int to Rule
        For every layer whose rule is not its operation's default.

    Raises
    ------
    CompositeError
        A rule does not suit its layer: z^B without bounds where the range is not known.
    """
    if wanted == given_rules(composite, model):
        return composite
    general = replace(composite, entries=tuple(e for e in composite.entries if not _placed(e)))
    base = given_rules(general, model)
    placed = tuple(_by_position(model, base, wanted))
    made = _without_losers(replace(general, entries=(*general.entries, *placed)), model)
    made.assign(model, linear_layers(model))  # says where a rule does not suit its layer
    return made


def _placed(entry: Entry) -> bool:
    """Whether an entry chooses layers by nothing but their position (and their operator)."""
    selector = entry.selector
    return selector.index is not None and selector == Selector(
        index=selector.index, op=selector.op if isinstance(selector.index, int) else None
    )


def _by_position(
    model: Model, base: Mapping[int, Rule], wanted: Mapping[int, Rule]
) -> Iterator[Entry]:
    """One entry for each run of one rule that the base does not give already."""
    ruled = [i for i in ruled_layers(model) if model.layers[i].weighted]
    for rule, run in groupby(ruled, key=wanted.get):
        layers = list(run)
        if rule is None or all(base.get(i) == rule for i in layers):
            continue
        ends = (layers[0], layers[-1])
        yield Entry(Selector(index=ends[0] if ends[0] == ends[1] else ends), rule)
    for index in sorted(wanted.keys() - set(ruled)):
        if base.get(index) != wanted[index]:
            yield Entry(Selector(op=model.layers[index].op, index=index), wanted[index])


def _without_losers(composite: Composite, model: Model) -> Composite:
    """Leave out every entry that wins no layer."""
    entries = composite.assign(model, linear_layers(model)).entries
    winners = {found[-1] for found in entries.values()}
    kept = tuple(e for i, e in enumerate(composite.entries) if i in winners)
    return replace(composite, entries=kept)
