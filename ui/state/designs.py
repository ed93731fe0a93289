"""A design: a named composite on the screen, as a value, and the edits that make new ones."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from onnxlrp.composites import Composite
from onnxlrp.errors import CompositeError, InputError
from onnxlrp.graph.model import Model
from onnxlrp.rules import Rule

from . import segments as ruler
from .compact import given_rules, recomposed
from .segments import Segment, bounds_of, linear_layers, ruled_layers


def _new_id() -> str:
    """A name that no other design has."""
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True)
class Design:
    """One LRP model on the screen: which rule each layer gets, under a name.

    Attributes
    ----------
    composite : Composite
        Its ``name`` is the design's.
    cuts : tuple of int
        Layer indices where a segment begins though the rule goes on.
    id : str
        Stays through all edits; a copy gets another one.
    """

    composite: Composite
    cuts: tuple[int, ...] = ()
    id: str = field(default_factory=_new_id)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.composite.name


def segments(design: Design, model: Model) -> tuple[Segment, ...]:
    """The segments of the ruler under a design; see :func:`.segments.segments`."""
    return ruler.segments(design.composite, model, design.cuts)


def with_rule(design: Design, model: Model, layers: Collection[int], rule: Rule) -> Design:
    """Give these layers a rule.

    Of layers with and without weights only those with weights take it, so that a run of the ruler
    can be given as it stands; affine layers that stay in the network take it when named alone.

    Raises
    ------
    InputError
        None of the layers takes a rule.
    CompositeError
        z^B without bounds on a layer whose range is not known.
    """
    linear = linear_layers(model) & set(layers)
    weighted = {i for i in linear if model.layers[i].weighted}
    chosen = weighted or linear
    if not chosen:
        names = ", ".join(str(model.layers[i]) for i in sorted(layers)[:3]) or "no layer"
        raise InputError(
            f"{names}: relevance only moves there, no rule applies. Select a layer with weights."
        )
    wanted = {**given_rules(design.composite, model), **dict.fromkeys(chosen, rule)}
    return replace(design, composite=recomposed(design.composite, model, wanted))


def with_composite(design: Design, composite: Composite) -> Design:
    """Give the whole network the rules of a composite, under the design's own name."""
    return Design(replace(composite, name=design.name), (), design.id)


def with_option(design: Design, option: str, value: str) -> Design:
    """Choose how max-pools ("max_pool") or products of activations ("product") hand down.

    Raises
    ------
    CompositeError
        No such option or value.
    """
    if option not in design.composite.options:
        known = ", ".join(design.composite.options)
        raise CompositeError(f"there is no option {option!r}; options: {known}.")
    return replace(design, composite=replace(design.composite, **{option: value}))  # type: ignore[arg-type]  # checked by Composite


def rename(design: Design, name: str) -> Design:
    """Call it otherwise.

    Raises
    ------
    CompositeError
        An empty name.
    """
    return replace(design, composite=replace(design.composite, name=name.strip()))


def duplicate(design: Design, name: str) -> Design:
    """Make a copy with an identity of its own."""
    return Design(replace(design.composite, name=name), design.cuts)


# ----------------------------------------------------------------------------------- the bounds
def split(design: Design, model: Model, at: int) -> Design:
    """Let a segment begin at the ruled layer at or after ``at``; the rules stay.

    Raises
    ------
    InputError
        No layer that takes a rule lies there.
    """
    bound = next((b for b in bounds_of(model) if b >= at), None)
    if bound is None:
        raise InputError(f"layer {at}: no later layer takes a rule, so no segment can begin there.")
    if any(s.start == bound for s in segments(design, model)):
        raise InputError(f"a segment begins at {model.layers[bound]} already.")
    return replace(design, cuts=tuple(sorted({*design.cuts, bound})))


def merge(
    design: Design, model: Model, bound: int, keep: Literal["below", "above"] = "below"
) -> Design:
    """Make one segment of the two that meet at a bound, under the rule of one of them.

    Raises
    ------
    InputError
        No segment begins there.
    CompositeError
        The rule does not suit the other's layers.
    """
    below, above = _neighbours(segments(design, model), bound)
    kept, gone = (below, above) if keep == "below" else (above, below)
    merged = replace(design, cuts=tuple(c for c in design.cuts if c != bound))
    return _given(merged, model, gone.layers, kept)


def move_bound(design: Design, model: Model, bound: int, to: int) -> Design:
    """Move the bound between two segments; each keeps at least one layer that takes a rule.

    Parameters
    ----------
    bound : int
        Where the upper of the two segments begins now.
    to : int
        Where it should begin; the nearest place that is possible is taken.

    Raises
    ------
    InputError
        No segment begins at ``bound``.
    CompositeError
        A rule does not suit the layers that it would get.
    """
    below, above = _neighbours(segments(design, model), bound)
    ruled = ruled_layers(model)
    first = next(i for i in ruled if i >= below.start)
    places = [b for b in bounds_of(model) if first < b < above.stop]
    place = min(places, key=lambda b: (abs(b - to), b))
    if place == bound:
        return design
    cuts = {place if c == bound else c for c in design.cuts}
    if below.rule == above.rule:
        cuts.add(place)
    moved = replace(design, cuts=tuple(sorted(cuts)))
    if place > bound:
        return _given(moved, model, range(bound, place), below)
    return _given(moved, model, range(place, bound), above)


def _given(design: Design, model: Model, layers: range, segment: Segment) -> Design:
    """Give a run of layers the rule of a segment, as its entry spells it."""
    source = next(i for i in ruled_layers(model) if i >= segment.start)
    rules = given_rules(design.composite, model)
    return with_rule(design, model, layers, rules.get(source, segment.rule))


def _neighbours(cut: tuple[Segment, ...], bound: int) -> tuple[Segment, Segment]:
    """The segments below and above a bound."""
    for below, above in pairwise(cut):
        if above.start == bound:
            return below, above
    raise InputError(f"no segment begins at layer {bound}.")
