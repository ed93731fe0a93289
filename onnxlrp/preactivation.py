"""What a rule sees of a linear layer: its weights, its input, and what it divides by.

For weights V and an input seen as the pair (x⁺, x⁻),

    dⱼ = Σᵢ (xᵢ⁺·V⁺ᵢⱼ + xᵢ⁻·V⁻ᵢⱼ) + V(bⱼ)

No pass is made that is not needed: z is onnxruntime's own pre-activation where that will do, with
x = a measured from bounds too, and parts of the input that are all zero are left out.
"""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

import numpy as np

from onnxlrp.kernels import Denominator, Ratio, Share
from onnxlrp.maps import Maps
from onnxlrp.ops.base import Array, FusedMap, Linear, LinearMap, Shape
from onnxlrp.rules.frame import Branch, WeightMap, Where
from onnxlrp.seen import Parts, Seen

NO_BIAS = np.zeros(1, np.float32)
POSITIVE = WeightMap(1.0, 0.0)
NEGATIVE = WeightMap(0.0, 1.0)


class Piece(NamedTuple):
    """One of the terms x·V that a branch sums up.

    Attributes
    ----------
    xs : the arrays that the map reads
    linear : the map with weights V
    by : the arrays that its adjoint is multiplied by
    folded : bool
        The map reads x⁺ and x⁻ side by side, and its adjoint gives each of both its own.
    """

    xs: Parts
    linear: LinearMap
    by: Parts
    folded: bool = False


class Made(NamedTuple):
    """Ratios, and what was seen while they were made.

    Attributes
    ----------
    q : ndarray, float32
    nothing_left : bool
        No relevance stands where z < 0; said by branches that look at the sign of z only.
    asked : bool
        They looked at every element of z.
    finite : bool
        All of z is finite; said by these only.
    """

    q: Array
    nothing_left: bool
    asked: bool
    finite: bool


class _Terms(NamedTuple):
    """d = of_whole·whole + of_part·part + bias, the bias split by its sign.

    ``whole`` is z with or without its bias, or else the part itself; ``part`` are the contributions
    under a WeightMap, if any.
    """

    has_whole: bool
    of_whole: float
    part: WeightMap | None = None
    of_part: float = 0.0
    bias: Array | None = None


class Preactivation:
    """What a rule divides by at one layer: z, and its parts z⁺ and z⁻, each computed once.

    z⁺ and z⁻ (sums of the positive and of the negative contributions, without bias) depend on the
    picture and not on γ, ε, α, β: kept with the picture, they make a change of a rule cheap.

    Parameters
    ----------
    op : Linear
    maps : Maps
    seen : Seen
    out_shape : tuple of int
        Shape of the layer's output.
    """

    def __init__(self, op: Linear, maps: Maps, seen: Seen, out_shape: Shape) -> None:
        self.op = op
        self.maps = maps
        self.seen = seen
        self.shape = out_shape
        self._z: Array | None = None
        self._below_zero = True
        self._sums: dict[WeightMap, Array] = {}
        self._pieces: dict[WeightMap, list[Piece]] = {}

    def taking(self, z: Array | None, below_zero: bool = True) -> Preactivation:
        """The same, for one sweep, with the network's own pre-activation, bias included, if known.

        The input is seen as it is, or measured from bounds. ``below_zero``: relevance may stand
        where z < 0. What is computed is kept for both: other threads may sweep meanwhile.
        """
        one = copy(self)
        one._z = None if z is None else np.ascontiguousarray(z)
        one._below_zero = below_zero
        return one

    @property
    def nbytes(self) -> int:
        """Memory held beyond the network's own tensors."""
        return self.seen.nbytes + sum(z.nbytes for z in list(self._sums.values()))

    def contributions(self, weight: WeightMap) -> Array:
        """Σᵢ (xᵢ⁺·V⁺ᵢⱼ + xᵢ⁻·V⁻ᵢⱼ), without bias; kept."""
        if weight not in self._sums:
            if self.seen.constant is None:
                self._sums[weight] = self._sum(weight, self.shape)
            else:
                key = (self.op.layer.index, self.seen.constant, weight, self.shape[1:])
                one = (1, *self.shape[1:])
                (sums,) = self.maps.constants(key, lambda: (self._sum(weight, one),))
                self._sums[weight] = np.ascontiguousarray(np.broadcast_to(sums, self.shape))
        return self._sums[weight]

    def pieces(self, weight: WeightMap) -> list[Piece]:
        """The terms x·V whose sum are a branch's contributions."""
        pieces = self._pieces.get(weight)
        if pieces is None:
            pieces = self._pieces[weight] = self._make_pieces(weight)
        return pieces

    def together(self, branches: tuple[Branch, ...]) -> Piece | None:
        """The terms of several branches, side by side for each neuron; None if they have none.

        They share what is read and what is written. Branches for neurons of one sign do if both
        have relevance to hand down, as far as the network's structure tells.
        """
        seen = self.seen
        if len(branches) < 2 or not self.op.interleaves or seen.box is not None:
            return None
        wheres = tuple([b.where for b in branches])
        alike = set(wheres) == {Where.ALWAYS}
        signed = all([b.weight.is_signed for b in branches])
        if not (signed and (alike or self._parts_all(wheres))):
            return None
        views = tuple([(b.weight, b.weight.mirrored)[: 1 + seen.has_negative] for b in branches])
        linear = self.maps.interleaved(self.op, views)
        xs = (seen.split,) if seen.has_negative else seen.whole
        return Piece(xs, linear, seen.whole, folded=seen.has_negative)

    def _parts_all(self, wheres: tuple[Where, ...]) -> bool:
        """Whether branches part the neurons by the sign of the network's own z."""
        known = self._z is not None and self._below_zero
        return known and wheres == (Where.POSITIVE, Where.NEGATIVE)

    def forget_maps(self) -> None:
        """Let go of the maps that the terms refer to: they are the model's to keep or to drop."""
        self._pieces.clear()

    def _make_pieces(self, weight: WeightMap) -> list[Piece]:
        seen, op = self.seen, self.op
        if not (weight.is_signed and seen.has_negative):
            return [Piece(seen.whole, self.maps.get(op, weight), seen.whole)]
        views = weight, weight.mirrored
        if op.interleaves and seen.box is None:
            linear = self.maps.interleaved(op, (views,))
            return [Piece((seen.split,), linear, seen.whole, folded=True)]
        positive, negative = seen.pair
        assert negative is not None
        return [
            Piece(xs, self.maps.get(op, view), xs)
            for xs, view in zip((positive, negative), views, strict=True)
        ]

    def _sum(self, weight: WeightMap, shape: Shape) -> Array:
        return self._sum_of(self.pieces(weight), shape)

    def _sum_of(self, pieces: list[Piece], shape: Shape) -> Array:
        """Σ x·V of some pieces."""
        total: Array | None = None
        for piece in pieces:
            z = piece.linear.forward(piece.xs, shape)
            total = z if total is None else np.add(total, z, dtype=np.float32)
        assert total is not None
        return np.ascontiguousarray(total)

    def whole(self, bias: bool) -> Array:
        """Z with or without the layer's bias."""
        b = self.op.bias_at(len(self.shape))
        if self._z is None:
            z = self.contributions(WeightMap())
            return z if b is None or not bias else z + b
        return self._z if bias or b is None else self._z - b

    @property
    def _is_measured(self) -> bool:
        """Whether x is measured from bounds, and a·w is known: no pass is needed for their sum."""
        return self._z is not None and self.seen.box is not None

    def _of_bounds(self) -> Array:
        """Σᵢ (lᵢ·w⁺ᵢⱼ + hᵢ·w⁻ᵢⱼ), which a·w less it is what z^B divides by."""
        assert self.seen.box is not None
        view, *bounds = self.seen.box
        one = (1, *self.shape[1:])

        def compute() -> tuple[Array]:
            maps = [self.maps.get(self.op, weight) for weight in (POSITIVE, NEGATIVE)]
            sums = [of.forward(xs, one) for of, xs in zip(maps, bounds, strict=True)]
            return (np.ascontiguousarray(np.add(*sums, dtype=np.float32)),)

        (sums,) = self.maps.constants((self.op.layer.index, view, self.shape[1:]), compute)
        return np.ascontiguousarray(np.broadcast_to(sums, self.shape))

    def denominator(self, branch: Branch, bias: bool) -> Denominator:
        """dⱼ of a branch, bias included or not."""
        if self._is_measured:
            assert self._z is not None
            b = self.op.bias_at(len(self.shape))
            return _with_bias(self._z, 1.0, self._of_bounds(), -1.0, None if b is None else -b)
        terms = self._terms(branch, bias)
        if terms.part is None:
            return Denominator(self.whole(bias), terms.of_whole)
        part = self.contributions(terms.part)
        whole = self.whole(bias) if terms.has_whole else part
        return _with_bias(whole, terms.of_whole, part, terms.of_part, terms.bias)

    def known_denominator(self, branch: Branch, bias: bool) -> Denominator | None:
        """dⱼ of a branch if it is a multiple of the network's own pre-activation, else None."""
        terms = self._terms(branch, bias)
        return Denominator(self.whole(bias), terms.of_whole) if terms.part is None else None

    def ratio(
        self,
        branches: tuple[Branch, ...],
        bias: bool,
        relevance: Array,
        epsilon: float,
        together: Piece | None = None,
    ) -> Made | None:
        """Q of a branch as :meth:`Denominator.ratio` gives it, made while dⱼ is in the cache.

        Of several branches, whose terms are :meth:`together`, they lie side by side.

        Returns
        -------
        Made or None
            None where there is no such way; dⱼ itself is not kept.
        """
        terms = [self._terms(branch, bias) for branch in branches]
        part, shares_z = terms[0].part, False
        is_known = part in self._sums or self.seen.constant is not None or self._is_measured
        if part is None or is_known:
            return None
        if len(terms) > 1:
            shares_z = all([t.has_whole and t.part == part for t in terms])
            own = not any([t.has_whole or t.part in self._sums for t in terms])
            if not (shares_z or own):
                return None
        pieces = self.pieces(part) if together is None or shares_z else [together]
        *others, (xs, linear, _, _) = pieces
        biases = _side_by_side([t.bias for t in terms], self.shape)
        if not isinstance(linear, FusedMap) or biases is None or (others and terms[0].has_whole):
            return None
        whole = self.whole(bias) if terms[0].has_whole else None
        if others:
            whole = self._sum_of(others, self.shape)
            terms = [terms[0]._replace(of_whole=1.0, of_part=1.0)]
        asks = any([branch.where is not Where.ALWAYS for branch in branches])
        shares = [
            Share(b.coefficient, t.of_whole, t.of_part, b.where.value)
            for b, t in zip(branches, terms, strict=True)
        ]
        then = Ratio(
            relevance, epsilon, *shares, sign=self.whole(bias=True) if asks else None,
            whole=whole, bias=biases, spread=shares_z,
        )  # fmt: skip
        q = linear.forward(xs, self.shape, then)
        return Made(q, then.nothing_left, asks, then.sign_is_finite)

    def _terms(self, branch: Branch, bias: bool) -> _Terms:
        """What dⱼ is the sum of."""
        weight = branch.weight
        p, m = weight.positive, weight.negative
        if not weight.is_plain or self._z is None or p == 0 or m == 0:
            return _Terms(False, 1.0, weight, 0.0, self.mapped_bias(weight) if bias else None)
        if p == m:
            return _Terms(True, p)
        # d = m·z + (p − m)·z⁺ = p·z + (m − p)·z⁻; where z < 0 the first adds numbers of one sign,
        # as it does everywhere if p > m.
        of_whole, of_part, part = m, p - m, POSITIVE
        if branch.where is Where.ALWAYS and p < m:
            of_whole, of_part, part = p, m - p, NEGATIVE
        b = self.mapped_bias(part) if bias else None
        return _Terms(True, of_whole, part, of_part, None if b is None else np.float32(of_part) * b)

    def mapped_bias(self, weight: WeightMap) -> Array | None:
        """V(b), broadcasting over the output; None if the layer has no bias."""
        return self.maps.bias(self.op, len(self.shape), weight)


def _with_bias(
    whole: Array, of_whole: float, part: Array, of_part: float, bias: Array | None
) -> Denominator:
    """The denominator with a bias, which broadcasts over the samples; most are one a channel."""
    if bias is None:
        return Denominator(whole, of_whole, part, of_part)
    flat = _per_channel(bias, whole.shape)
    if flat is not None:
        return Denominator(whole, of_whole, part, of_part, flat)
    d = Denominator(whole, of_whole, part, of_part).array()
    return Denominator(np.add(d, bias, dtype=np.float32))


def _side_by_side(biases: list[Array | None], shape: Shape) -> Array | None:
    """One number for each channel and branch in turn; none at all if there is no bias.

    None if one of them is not one number a channel.
    """
    rows = [_per_channel(bias, shape) for bias in biases if bias is not None]
    found = [row for row in rows if row is not None]
    if len(found) < len(rows):
        return None
    if len(found) == 1:
        return found[0]
    return np.stack(found, axis=1).reshape(-1) if found else NO_BIAS


def _per_channel(bias: Array, shape: Shape) -> Array | None:
    """The bias as one number a channel (axis 1), if it is that."""
    if bias.ndim == len(shape) - 1 and bias.size == bias.shape[0] == shape[1]:
        return np.ascontiguousarray(bias.reshape(-1), np.float32)
    return None
