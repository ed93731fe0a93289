"""How one linear layer hands relevance down: any rule on any linear operation.

This is the frame of `onnxlrp.rules.base`, carried out: for every branch (c, V, where) of a rule,

    dⱼ = Σᵢ (xᵢ⁺·V⁺ᵢⱼ + xᵢ⁻·V⁻ᵢⱼ) + V(bⱼ)        qⱼ = c·Rⱼ / stab(dⱼ)
    Rᵢ += xᵢ⁺·Σⱼ V⁺ᵢⱼ qⱼ + xᵢ⁻·Σⱼ V⁻ᵢⱼ qⱼ

No pass is made that is not needed: z is onnxruntime's own pre-activation where that will do, parts
of the input that are all zero and branches without relevance are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import RuleError
from onnxlrp.kernels import clip_negative, clip_positive, has_negative, product, rms
from onnxlrp.kernels.branches import (
    add_product,
    add_to_channels,
    any_below_zero,
    branch_ratio,
    weighted_sum,
)
from onnxlrp.ops.base import Array, Linear, LinearMap, Shape
from onnxlrp.rules.base import Rule
from onnxlrp.rules.frame import Branch, InputMap, WeightMap, Where, root_mean_square

Parts = tuple[Array, ...]
"""One array for every signal input of a layer."""

ONES = WeightMap(0.0, 0.0, constant=1.0)
POSITIVE = WeightMap(1.0, 0.0)
NEGATIVE = WeightMap(0.0, 1.0)


class Maps:
    """The linear maps of a model with the weights that rules see: made once, kept.

    One home for W⁺, W + γW⁺, w² and what kernels derive from them, keyed by layer and WeightMap,
    and for the sums of rules that do not look at the picture (w², flat).
    """

    def __init__(self) -> None:
        self._maps: dict[tuple[int, WeightMap], LinearMap] = {}
        self._constant_sums: dict[Hashable, Array] = {}

    def get(self, op: Linear, weight: WeightMap) -> LinearMap:
        """The layer's map with weights V(w)."""
        key = (op.layer.index, weight)
        if key not in self._maps:
            self._maps[key] = op.prepare(weight)
        return self._maps[key]

    def constant_sums(self, key: Hashable, compute: Callable[[], Array]) -> Array:
        """What was computed under a key once."""
        if key not in self._constant_sums:
            self._constant_sums[key] = compute()
        return self._constant_sums[key]

    @property
    def nbytes(self) -> int:
        """Memory held by all maps and sums."""
        sums = sum(z.nbytes for z in self._constant_sums.values())
        return sums + sum(m.nbytes for m in self._maps.values())


class Seen:
    """The layer's input as a rule sees it: x whole, or as the pair (x⁺, x⁻).

    Parameters
    ----------
    whole : one array (N, …) for every signal input
    box : the pair itself, where it is not x's own positive and negative part (z^B)
    nonnegative : whether the network's structure rules negative elements out
    """

    def __init__(
        self, whole: Parts, box: tuple[Parts, Parts] | None = None, nonnegative: bool = False
    ) -> None:
        self.whole = whole
        self.constant: float | None = None
        self._nonnegative = nonnegative
        self._pair: tuple[Parts, Parts | None] | None = box

    @classmethod
    def everywhere(cls, constant: float, shapes: tuple[Shape, ...]) -> Seen:
        """The same number at every element, whatever the picture: one sample stands for all."""
        seen = cls(
            tuple(np.full((1, *s[1:]), constant, np.float32) for s in shapes),
            nonnegative=constant >= 0,
        )
        seen.constant = constant
        return seen

    @property
    def nbytes(self) -> int:
        """Memory held by x⁺ and x⁻ where they are not x itself."""
        made = () if self._pair is None else (*self._pair[0], *(self._pair[1] or ()))
        return sum(x.nbytes for x in made if not any(x is own for own in self.whole))

    @property
    def pair(self) -> tuple[Parts, Parts | None]:
        """(x⁺, x⁻); x⁻ is None where no input is negative."""
        if self._pair is None:
            if self._nonnegative or not any(map(has_negative, self.whole)):
                self._pair = self.whole, None
            else:
                self._pair = (
                    _clipped(self.whole, clip_positive),
                    _clipped(self.whole, clip_negative),
                )
        return self._pair

    def pieces(self, weight: WeightMap) -> list[tuple[Parts, WeightMap]]:
        """The terms (x, V) whose products Σ x·V make the branch's contributions."""
        if not weight.is_signed:
            return [(self.whole, weight)]
        positive, negative = self.pair
        terms = [(positive, weight)]
        return terms if negative is None else [*terms, (negative, weight.mirrored)]


def _clipped(xs: Parts, clip: Callable[[Array, Array], None]) -> Parts:
    outs = tuple(np.empty(x.shape, np.float32) for x in xs)
    for x, out in zip(xs, outs, strict=True):
        clip(x, out)
    return outs


def see_input(
    view: InputMap, xs: Parts, bounds: tuple[Parts, Parts] | None, nonnegative: bool
) -> Seen:
    """The input under an :class:`InputMap`; ``bounds`` are (low, high), broadcasting to ``xs``."""
    xs = tuple(np.ascontiguousarray(x, np.float32) for x in xs)
    if view.rms or view.linear != 1 or view.constant:
        xs = tuple(_affine(view, x) for x in xs)
        nonnegative = nonnegative and min(view.constant, view.rms, view.linear) >= 0
    if bounds is None:
        return Seen(xs, nonnegative=nonnegative)
    above, below = (
        tuple(np.subtract(x, b, dtype=np.float32) for x, b in zip(xs, side, strict=True))
        for side in bounds
    )
    return Seen(xs, box=(above, below))


def _affine(view: InputMap, x: Array) -> Array:
    """Constant + rms·RMS(a) + linear·a, RMS over the sample."""
    offset = np.full(len(x), view.constant, np.float32)
    if view.rms:
        offset += np.float32(view.rms) * rms(x)
    shaped = offset.reshape((-1,) + (1,) * (x.ndim - 1))
    return np.asarray(shaped + np.float32(view.linear) * x, np.float32)


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
        self._sums: dict[WeightMap, Array] = {}

    def take(self, z: Array) -> None:
        """Use the network's own pre-activation, bias included: the input is seen as it is."""
        self._z = np.ascontiguousarray(z)

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

    def _sum(self, weight: WeightMap, shape: Shape) -> Array:
        total: Array | None = None
        for xs, view in self.seen.pieces(weight):
            z = self.maps.get(self.op, view).forward(xs, shape)
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

    def denominator(self, branch: Branch, bias: bool) -> Array:
        """dⱼ of a branch, bias included or not."""
        weight = branch.weight
        p, m = weight.positive, weight.negative
        if not weight.is_plain or self._z is None or p == 0 or m == 0:
            d = self.contributions(weight)
            b = self.mapped_bias(weight) if bias else None
            return d if b is None else _add_bias(d, b, np.empty(d.shape, np.float32))
        if p == m:
            return self.whole(bias) if p == 1 else np.float32(p) * self.whole(bias)
        # d = m·z + (p − m)·z⁺ = p·z + (m − p)·z⁻; where z < 0 the first adds numbers of one sign,
        # as it does everywhere if p > m.
        if branch.where is Where.ALWAYS and p < m:
            return self._mixed(p, m - p, NEGATIVE, bias)
        return self._mixed(m, p - m, POSITIVE, bias)

    def _mixed(self, of_whole: float, of_part: float, part: WeightMap, bias: bool) -> Array:
        """of_whole·z + of_part·z± with the bias split by its sign."""
        d = np.empty(self.shape, np.float32)
        weighted_sum(self.whole(bias), of_whole, self.contributions(part), of_part, d)
        b = self.mapped_bias(part) if bias else None
        return d if b is None else _add_bias(d, np.float32(of_part) * b, d)

    def mapped_bias(self, weight: WeightMap) -> Array | None:
        """V(b), broadcasting over the output; None if the layer has no bias."""
        b = self.op.bias_at(len(self.shape))
        if b is None:
            return None
        return weight(b, root_mean_square(self.op.weight) if weight.rms else 0.0)


def redistribute(
    op: Linear,
    rule: Rule,
    z: Preactivation,
    relevance: Array,
    in_shapes: tuple[Shape, ...],
    keep_books: bool = False,
) -> tuple[Parts, Absorbed | None]:
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

    Raises
    ------
    RuleError
        ``pass`` on a layer that changes the shape.
    """
    relevance = np.ascontiguousarray(relevance)
    if rule.passes:
        return (_pass(op, relevance, in_shapes),), Absorbed.nothing(len(relevance))
    handed: list[Array | None] = [None] * len(in_shapes)
    books = Absorbed.nothing(len(relevance)) if keep_books else None
    for branch in rule.branches:
        ratio = BranchRatio.of(rule, branch, z, relevance)
        if ratio is None:
            continue
        for xs, view in z.seen.pieces(branch.weight):
            gs = z.maps.get(op, view).adjoint(ratio.q, in_shapes)
            handed = [_accumulate(r, x, g) for r, x, g in zip(handed, xs, gs, strict=True)]
        if rule.bias == "spread":
            shares = ratio.spread(z, in_shapes)
            handed = [s if r is None else r + s for r, s in zip(handed, shares, strict=True)]
        elif books is not None:
            books = books + ratio.absorbed()
    pairs = zip(handed, in_shapes, strict=True)
    return tuple(np.zeros(s, np.float32) if r is None else r for r, s in pairs), books


def _pass(op: Linear, relevance: Array, in_shapes: tuple[Shape, ...]) -> Array:
    """R as it is, for a layer that keeps the shape."""
    if in_shapes != (relevance.shape,):
        raise RuleError(
            f"layer {op.layer}: rule 'pass' needs one input of the output's shape, but "
            f"{' and '.join(map(str, in_shapes))} → {relevance.shape}. Choose another rule for it."
        )
    return relevance


def _add_bias(z: Array, b: Array, out: Array) -> Array:
    """Z + b into ``out``; b broadcasts over the samples."""
    if b.ndim == z.ndim - 1 and b.size == z.shape[1] and b.size == b.shape[0]:
        add_to_channels(z, np.ascontiguousarray(b.reshape(-1)), out)
        return out
    return np.add(z, b, out=out, dtype=np.float32)


def _accumulate(relevance: Array | None, x: Array, g: Array) -> Array:
    """Relevance + x·g, in place where there is something already."""
    g = np.ascontiguousarray(g)
    if x.shape != g.shape:  # one sample stands for all
        x = np.ascontiguousarray(np.broadcast_to(x, g.shape))
    if relevance is None:
        relevance = np.empty(x.shape, np.float32)
        product(x, g, relevance)
    else:
        add_product(x, g, relevance)
    return relevance


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What stayed in a layer, per sample: float64 (N,) each, in units of relevance."""

    bias: NDArray[np.float64]
    epsilon: NDArray[np.float64]

    @classmethod
    def nothing(cls, samples: int) -> Absorbed:
        """All of it was handed on."""
        return cls(np.zeros(samples), np.zeros(samples))

    def __add__(self, other: Absorbed) -> Absorbed:
        return Absorbed(self.bias + other.bias, self.epsilon + other.epsilon)


@dataclass(frozen=True, slots=True)
class BranchRatio:
    """q = c·R / stab(d) of one branch, with what the bias and ε contributed to stab(d)."""

    q: Array
    d: Array
    epsilon: Array
    bias: Array | None

    @classmethod
    def of(
        cls, rule: Rule, branch: Branch, z: Preactivation, relevance: Array
    ) -> BranchRatio | None:
        """The ratio, or None where the branch has nothing to hand down."""
        sign = None if branch.where is Where.ALWAYS else z.whole(bias=True)
        negative = branch.where is Where.NEGATIVE
        if negative and sign is not None and not any_below_zero(sign, relevance):
            return None  # what a ReLU cut off asks for nothing
        keep = rule.bias != "drop"
        d = z.denominator(branch, bias=keep)
        epsilon = np.full(len(d), rule.epsilon, np.float32)
        if rule.relative:
            epsilon *= rms(d)
        q = np.empty(relevance.shape, np.float32)
        where = branch.where.value
        branch_ratio(
            d, d if sign is None else sign, relevance, branch.coefficient, epsilon, where, q
        )
        return cls(q, d, epsilon, z.mapped_bias(branch.weight) if keep else None)

    def _stabiliser(self) -> Array:
        """±ε by the sign of d, in d's shape."""
        per_sample = self.epsilon.reshape((-1,) + (1,) * (self.d.ndim - 1))
        return np.where(self.d >= 0, per_sample, -per_sample)

    def absorbed(self) -> Absorbed:
        """Σⱼ qⱼ·V(bⱼ) and Σⱼ ±qⱼ·ε."""
        samples = len(self.q)
        bias = np.zeros(samples) if self.bias is None else _sum_samples(self.q * self.bias)
        return Absorbed(bias, _sum_samples(self.q * self._stabiliser()))

    def spread(self, z: Preactivation, in_shapes: tuple[Shape, ...]) -> Parts:
        """The share of bias and ε, returned evenly to the inputs of each neuron.

        Neurons without inputs, or with d = 0, keep theirs.
        """
        share = self._stabiliser() if self.bias is None else self._stabiliser() + self.bias
        share = np.where(self.d != 0, self.q * share, np.float32(0))
        even = z.maps.get(z.op, ONES)
        count = even.forward(
            tuple(np.ones((1, *s[1:]), np.float32) for s in in_shapes), (1, *z.shape[1:])
        )
        each = np.divide(share, count, out=np.zeros(share.shape, np.float32), where=count != 0)
        return even.adjoint(each, in_shapes)


def _sum_samples(values: Array) -> NDArray[np.float64]:
    """Sum over everything but the first axis, in float64."""
    return np.asarray(values.reshape(len(values), -1).sum(axis=1, dtype=np.float64))
