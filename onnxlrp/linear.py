"""How one linear layer hands relevance down: any rule on any linear operation.

This is the frame of `onnxlrp.rules.frame`, carried out: for every branch (c, V, where) of a rule,

    qⱼ = c·Rⱼ / stab(dⱼ)        Rᵢ += xᵢ⁺·Σⱼ V⁺ᵢⱼ qⱼ + xᵢ⁻·Σⱼ V⁻ᵢⱼ qⱼ

with dⱼ as in `onnxlrp.preactivation`. Branches without relevance are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from onnxlrp.errors import RuleError
from onnxlrp.kernels import Times, add_product, all_finite, product
from onnxlrp.ops.base import Array, FusedMap, Linear, Shape, SumMap
from onnxlrp.preactivation import Piece, Preactivation
from onnxlrp.ratio import Absorbed, BranchRatio
from onnxlrp.rules.base import Rule
from onnxlrp.rules.frame import Where
from onnxlrp.seen import Parts


class Handed(NamedTuple):
    """What a layer handed down: R of each input, whether all of it is finite, and what it kept.

    ``added``: what the input had from elsewhere is in it. ``asked``: ratios looked at all of z, and
    ``finite`` says so of it too.
    """

    parts: Parts
    finite: bool
    absorbed: Absorbed | None
    added: bool = False
    asked: bool = False


def redistribute(
    op: Linear,
    rule: Rule,
    z: Preactivation,
    relevance: Array,
    in_shapes: tuple[Shape, ...],
    keep_books: bool = False,
    keep_sums: bool = True,
    onto: Array | None = None,
) -> Handed:
    """Relevance of a linear layer's output → relevance of its inputs.

    Parameters
    ----------
    op : Linear
    rule : Rule
    z : Preactivation
        Under ``rule.input``.
    relevance : ndarray, float32, shape of the layer's output
    in_shapes : shapes of the signal inputs
    keep_books : bool
        Also say what bias and stabiliser absorbed.
    keep_sums : bool
        Leave z⁺ and z⁻ in ``z`` for the next rule; if not, they need not be written down at all.
    onto : ndarray, float32, shape of the one input, optional
        Relevance that the input has from elsewhere; added where that costs no pass of its own.

    Raises
    ------
    RuleError
        ``pass`` on a layer that changes the shape.
    """
    relevance = np.ascontiguousarray(relevance)
    if rule.passes:
        nothing = Absorbed.nothing(len(relevance))
        return Handed((_pass(op, relevance, in_shapes),), True, nothing)
    asks_for_d = keep_books or rule.relative or rule.bias == "spread"
    shared = None if asks_for_d else _share(op, rule, z, relevance, in_shapes)
    if shared is not None:
        return shared
    _, branches = rule.frame
    piece = z.together(branches)
    fused = not (keep_sums or asks_for_d)
    work = _Work(rule, z, relevance, in_shapes, keep_books, fused, onto)
    return _one_by_one(work) if piece is None else _together(work, piece)


class _Work(NamedTuple):
    """What is to be handed down; ``fused``: ratios need not leave behind what they divide by."""

    rule: Rule
    z: Preactivation
    relevance: Array
    in_shapes: tuple[Shape, ...]
    keep_books: bool
    fused: bool
    onto: Array | None


def _one_by_one(work: _Work) -> Handed:
    """Branch after branch."""
    rule, z, relevance, in_shapes, keep_books, fused, onto = work
    handed: list[Array | None] = [None] * len(in_shapes)
    finite, added, asked = True, False, False
    books = Absorbed.nothing(len(relevance)) if keep_books else None
    left = True  # relevance that stands where z < 0, and may not have been handed down
    _, branches = rule.frame
    for number, branch in enumerate(branches):
        if branch.where is Where.NEGATIVE and not left:
            continue  # what a ReLU cut off asks for nothing
        ratio = BranchRatio.fused(rule, branch, z, relevance) if fused else None
        ratio = ratio or BranchRatio.of(rule, branch, z, relevance)
        left = not ratio.all_positive
        if ratio.seen is not None and ratio.seen.asked:
            asked, finite = True, finite and ratio.seen.finite
        pieces = z.pieces(branch.weight)
        rest = [b for b in branches[number + 1 :] if left or b.where is not Where.NEGATIVE]
        alone = handed[0] is None and len(pieces) == 1 and not rest and rule.bias != "spread"
        for piece in pieces:
            if isinstance(piece.linear, FusedMap):
                added = alone and onto is not None
                before = onto if alone else handed[0]
                handed[0], fine = _hand_down(piece, ratio.q, in_shapes, before, handed[0])
                finite = finite and fine
                continue
            gs = piece.linear.adjoint(ratio.q, in_shapes)
            for k, (x, g) in enumerate(zip(piece.by, gs, strict=True)):
                owned = not any(np.may_share_memory(g, other) for other in (ratio.q, *gs[:k]))
                handed[k], fine = _accumulate(handed[k], x, g, owned)
                finite = finite and fine
        if rule.bias == "spread":
            shares = ratio.spread(z, in_shapes)
            handed = [s if r is None else r + s for r, s in zip(handed, shares, strict=True)]
            finite = finite and all(map(all_finite, shares))
        elif books is not None:
            books = books + ratio.absorbed()
    pairs = zip(handed, in_shapes, strict=True)
    parts = tuple([np.zeros(s, np.float32) if r is None else r for r, s in pairs])
    return Handed(parts, finite, books, added, asked)


def _together(work: _Work, piece: Piece) -> Handed:
    """All branches at once, the ratios of each neuron side by side."""
    rule, z, relevance, in_shapes, keep_books, fused, onto = work
    _, branches = rule.frame
    books = Absorbed.nothing(len(relevance)) if keep_books else None
    made = None
    if fused:
        made = z.ratio(branches, rule.bias != "drop", relevance, rule.epsilon, piece)
    ratios: list[BranchRatio] = []
    if made is not None:
        q = made.q
    else:
        ratios = [BranchRatio.of(rule, branch, z, relevance) for branch in branches]
        n, k, *size = relevance.shape
        q = np.stack([ratio.q for ratio in ratios], axis=2).reshape(n, k * len(ratios), *size)
    spreads = rule.bias == "spread"
    before = None if spreads else onto
    part, finite = _hand_down(piece, q, in_shapes, before, None)
    asked = False
    if made is not None and made.asked:
        asked, finite = True, finite and made.finite
    for ratio in ratios:
        if spreads:
            (share,) = ratio.spread(z, in_shapes)
            part, finite = part + share, finite and all_finite(share)
        elif books is not None:
            books = books + ratio.absorbed()
    return Handed((part,), finite, books, before is not None, asked)


def _share(
    op: Linear, rule: Rule, z: Preactivation, relevance: Array, in_shapes: tuple[Shape, ...]
) -> Handed | None:
    """The whole layer in one pass over memory, if it adds two tensors of the same shape."""
    if len(in_shapes) != 2 or in_shapes != (relevance.shape,) * 2:
        return None
    branch, *others = rule.frame[1]
    if others or branch.where is not Where.ALWAYS or branch.weight.is_signed:
        return None
    linear = z.maps.get(op, branch.weight)
    if not isinstance(linear, SumMap):
        return None
    d = z.known_denominator(branch, bias=rule.bias != "drop")
    if d is None:
        return None
    epsilon = np.full(d.samples, rule.epsilon, np.float32)
    x, y = z.seen.whole
    one, other = map(float, linear.factors)
    parts, finite = d.share(relevance, branch.coefficient, epsilon, (x, y), (one, other))
    return Handed(parts, finite, None)


def _pass(op: Linear, relevance: Array, in_shapes: tuple[Shape, ...]) -> Array:
    """R as it is, for a layer that keeps the shape."""
    if in_shapes != (relevance.shape,):
        raise RuleError(
            f"layer {op.layer}: rule 'pass' needs one input of the output's shape, but "
            f"{' and '.join(map(str, in_shapes))} → {relevance.shape}. Choose another rule for it."
        )
    return relevance


def _hand_down(
    piece: Piece, q: Array, in_shapes: tuple[Shape, ...], onto: Array | None, out: Array | None
) -> tuple[Array, bool]:
    """What is there already + x·(q·Vᵀ), in ``out`` or a new array, and whether it is finite."""
    assert isinstance(piece.linear, FusedMap)
    then = Times(piece.by[0], onto, piece.folded)
    (made,) = piece.linear.adjoint(q, in_shapes, then, out)
    return made, then.finite


def _accumulate(relevance: Array | None, x: Array, g: Array, owned: bool) -> tuple[Array, bool]:
    """Relevance + x·g, and whether it is finite; in place where there is something already.

    ``owned``: nobody else reads g, so that x·g may take its place.
    """
    owned = owned and g.flags.writeable and g.flags.c_contiguous
    g = np.ascontiguousarray(g)
    if x.shape != g.shape:  # one sample stands for all
        x = np.ascontiguousarray(np.broadcast_to(x, g.shape))
    if relevance is not None:
        return relevance, add_product(x, g, relevance)
    out = g if owned else np.empty(x.shape, np.float32)
    return out, product(x, g, out)
