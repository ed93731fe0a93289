"""What a rule sees of a linear layer: its weights, its input, and what it divides by.

For weights V and an input seen as the pair (x⁺, x⁻),

    dⱼ = Σᵢ (xᵢ⁺·V⁺ᵢⱼ + xᵢ⁻·V⁻ᵢⱼ) + V(bⱼ)

No pass is made that is not needed: z is onnxruntime's own pre-activation where that will do, and
parts of the input that are all zero are left out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

import numpy as np

from onnxlrp.kernels import Denominator, Ratio, Share
from onnxlrp.ops.base import Array, FusedMap, Linear, LinearMap, Shape
from onnxlrp.rules.frame import Branch, WeightMap, Where, root_mean_square
from onnxlrp.seen import Parts, Seen

POSITIVE = WeightMap(1.0, 0.0)
NEGATIVE = WeightMap(0.0, 1.0)


MAPS_BUDGET = 3 * 2**30
"""Bytes of weights, as rules see them, that a model keeps unless told otherwise: 3 GiB.

Below what two designs need that are used in turn, each would make its weights anew every time: W⁺
of VGG-16, transformed for both directions, takes 0.5 GiB, and so does W⁻.
"""


class Maps:
    """The linear maps of a model with the weights that rules see: made once, kept within a budget.

    One home for W⁺, W + γW⁺, w² and what kernels derive from them, keyed by layer and WeightMap,
    and for the sums of rules that do not look at the picture (w², flat). Several threads may ask at
    once; what was not asked for longest is dropped first.

    Parameters
    ----------
    budget : int
        Bytes.
    """

    def __init__(self, budget: int = MAPS_BUDGET) -> None:
        self.budget = budget
        self._maps: OrderedDict[Hashable, LinearMap] = OrderedDict()
        self._constant_sums: dict[Hashable, Array] = {}
        self._biases: dict[tuple[int, int, WeightMap], Array | None] = {}
        self._lock = threading.Lock()

    def get(self, op: Linear, weight: WeightMap) -> LinearMap:
        """The layer's map with weights V(w)."""
        return self._kept((op.layer.index, weight), lambda: op.prepare(weight))

    def interleaved(self, op: Linear, views: tuple[tuple[WeightMap, ...], ...]) -> FusedMap:
        """The layer's map of several weights, whose channels lie side by side.

        ``views[b][s]`` are the weights from copy s of an input channel to copy b of an output's.
        """
        linear = self._kept((op.layer.index, views), lambda: op.prepare_interleaved(views))
        assert isinstance(linear, FusedMap)
        return linear

    def _kept(self, key: Hashable, make: Callable[[], LinearMap]) -> LinearMap:
        with self._lock:
            if key not in self._maps:
                self._maps[key] = make()
                self._forget()
            self._maps.move_to_end(key)
            return self._maps[key]

    def bias(self, op: Linear, rank: int, weight: WeightMap) -> Array | None:
        """V(b), broadcasting over an output of that rank; None if the layer has no bias."""
        key = (op.layer.index, rank, weight)
        if key not in self._biases:
            b = op.bias_at(rank)
            scale = root_mean_square(op.weight) if weight.rms else 0.0
            self._biases.setdefault(key, None if b is None else weight(b, scale))
        return self._biases[key]

    def constant_sums(self, key: Hashable, compute: Callable[[], Array]) -> Array:
        """What was computed under a key once."""
        if key not in self._constant_sums:
            self._constant_sums.setdefault(key, compute())
        return self._constant_sums[key]

    @property
    def nbytes(self) -> int:
        """Memory held by all maps and sums."""
        sums = sum(z.nbytes for z in list(self._constant_sums.values()))
        return sums + sum(m.nbytes for m in list(self._maps.values()))

    def _forget(self) -> None:
        """Drop the oldest maps until the others fit; what they derive grows after they are made."""
        held = sum(m.nbytes for m in self._maps.values())
        while held > self.budget and len(self._maps) > 1:
            held -= self._maps.popitem(last=False)[1].nbytes


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

    def take(self, z: Array, below_zero: bool = True) -> None:
        """Use the network's own pre-activation, bias included: the input is seen as it is.

        ``below_zero``: relevance may stand where z < 0.
        """
        self._z = np.ascontiguousarray(z)
        self._below_zero = below_zero

    @property
    def nbytes(self) -> int:
        """Memory held beyond the network's own tensors."""
        return self.seen.nbytes + sum(z.nbytes for z in self._sums.values())

    def contributions(self, weight: WeightMap) -> Array:
        """Σᵢ (xᵢ⁺·V⁺ᵢⱼ + xᵢ⁻·V⁻ᵢⱼ), without bias; kept."""
        if weight not in self._sums:
            if self.seen.constant is None:
                self._sums[weight] = self._sum(weight, self.shape)
            else:
                key = (self.op.layer.index, self.seen.constant, weight, self.shape[1:])
                one = (1, *self.shape[1:])
                sums = self.maps.constant_sums(key, lambda: self._sum(weight, one))
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
        seen, wheres = self.seen, tuple([b.where for b in branches])
        alike = set(wheres) == {Where.ALWAYS}
        signed = all([b.weight.is_signed for b in branches])
        offered = self.op.interleaves and len(branches) > 1 and not seen.is_box
        if not (offered and signed and (alike or self._parts_all(wheres))):
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
        if op.interleaves and not seen.is_box:
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

    def denominator(self, branch: Branch, bias: bool) -> Denominator:
        """dⱼ of a branch, bias included or not."""
        terms = self._terms(branch, bias)
        if terms.part is None:
            return Denominator(self.whole(bias), terms.of_whole)
        part = self.contributions(terms.part)
        whole = self.whole(bias) if terms.has_whole else part
        return _with_bias(whole, terms.of_whole, part, terms.of_part, terms.bias)

    def knows(self, branch: Branch) -> bool:
        """Whether dⱼ of a branch is a multiple of the network's own pre-activation."""
        return self._terms(branch, bias=False).part is None

    def ratio(
        self, branch: Branch, bias: bool, relevance: Array, epsilon: float
    ) -> tuple[Array, bool] | None:
        """Q of a branch as :meth:`Denominator.ratio` gives it, made while dⱼ is in the cache.

        Returns
        -------
        (q, nothing left) or None
            None where there is no such way; dⱼ itself is not kept.
        """
        terms = self._terms(branch, bias)
        if terms.part is None or terms.part in self._sums or self.seen.constant is not None:
            return None
        *others, (xs, linear, _, _) = self.pieces(terms.part)
        b = None if terms.bias is None else _per_channel(terms.bias, self.shape)
        alone = terms.bias is None or b is not None
        if not (alone and isinstance(linear, FusedMap)) or (others and terms.has_whole):
            return None
        whole, of_whole, of_part = None, terms.of_whole, terms.of_part
        if terms.has_whole:
            whole = self.whole(bias)
        elif others:
            whole, of_whole, of_part = self._sum_of(others, self.shape), 1.0, 1.0
        sign = None if branch.where is Where.ALWAYS else self.whole(bias=True)
        share = Share(branch.coefficient, of_whole, of_part, branch.where.value)
        then = Ratio(relevance, epsilon, share, sign=sign, whole=whole, bias=b)
        return linear.forward(xs, self.shape, then), then.nothing_left

    def ratios(
        self,
        branches: tuple[Branch, ...],
        piece: Piece,
        bias: bool,
        relevance: Array,
        epsilon: float,
    ) -> Array | None:
        """Q of several branches side by side, (N, K·branches, …); None as in :meth:`ratio`."""
        terms = [self._terms(branch, bias) for branch in branches]
        parts = list(dict.fromkeys([t.part for t in terms if t.part is not None]))
        of_whole = [t.has_whole for t in terms]
        alike = not any(of_whole) or (all(of_whole) and len(parts) == 1)
        known = any([t.part is None or t.part in self._sums for t in terms])
        if known or not alike or self.seen.constant is not None:
            return None
        rows = [None if t.bias is None else _per_channel(t.bias, self.shape) for t in terms]
        given = [row for row in rows if row is not None]
        if len(given) < sum(t.bias is not None for t in terms):
            return None
        asks = any([branch.where is not Where.ALWAYS for branch in branches])
        sign, whole = self.whole(bias=True) if asks else None, None
        if of_whole[0]:
            whole, (piece,) = self.whole(bias), self.pieces(parts[0])
        assert isinstance(piece.linear, FusedMap)
        shares = [
            Share(b.coefficient, t.of_whole, t.of_part, b.where.value)
            for b, t in zip(branches, terms, strict=True)
        ]
        then = Ratio(
            relevance, epsilon, *shares, sign=sign, whole=whole, spread=whole is not None,
            bias=np.stack(given, axis=1).reshape(-1) if given else None,
        )  # fmt: skip
        return piece.linear.forward(piece.xs, self.shape, then)

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


def _per_channel(bias: Array, shape: Shape) -> Array | None:
    """The bias as one number a channel (axis 1), if it is that."""
    if bias.ndim == len(shape) - 1 and bias.size == bias.shape[0] == shape[1]:
        return np.ascontiguousarray(bias.reshape(-1), np.float32)
    return None
