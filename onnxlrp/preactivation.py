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

import numpy as np

from onnxlrp.kernels import Denominator, clip_negative, clip_positive, has_negative, rms
from onnxlrp.ops.base import Array, Linear, LinearMap, Shape
from onnxlrp.rules.frame import Branch, InputMap, WeightMap, Where, root_mean_square

Parts = tuple[Array, ...]
"""One array for every signal input of a layer."""

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
        self._maps: OrderedDict[tuple[int, WeightMap], LinearMap] = OrderedDict()
        self._constant_sums: dict[Hashable, Array] = {}
        self._biases: dict[tuple[int, int, WeightMap], Array | None] = {}
        self._lock = threading.Lock()

    def get(self, op: Linear, weight: WeightMap) -> LinearMap:
        """The layer's map with weights V(w)."""
        key = (op.layer.index, weight)
        with self._lock:
            if key not in self._maps:
                self._maps[key] = op.prepare(weight)
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

    def denominator(self, branch: Branch, bias: bool) -> Denominator:
        """dⱼ of a branch, bias included or not."""
        weight = branch.weight
        p, m = weight.positive, weight.negative
        if not weight.is_plain or self._z is None or p == 0 or m == 0:
            d = self.contributions(weight)
            return _with_bias(d, 1.0, d, 0.0, self.mapped_bias(weight) if bias else None)
        if p == m:
            return Denominator(self.whole(bias), p)
        # d = m·z + (p − m)·z⁺ = p·z + (m − p)·z⁻; where z < 0 the first adds numbers of one sign,
        # as it does everywhere if p > m.
        if branch.where is Where.ALWAYS and p < m:
            return self._mixed(p, m - p, NEGATIVE, bias)
        return self._mixed(m, p - m, POSITIVE, bias)

    def _mixed(self, of_whole: float, of_part: float, part: WeightMap, bias: bool) -> Denominator:
        """of_whole·z + of_part·z± with the bias split by its sign."""
        b = self.mapped_bias(part) if bias else None
        b = None if b is None else np.float32(of_part) * b
        return _with_bias(self.whole(bias), of_whole, self.contributions(part), of_part, b)

    def mapped_bias(self, weight: WeightMap) -> Array | None:
        """V(b), broadcasting over the output; None if the layer has no bias."""
        return self.maps.bias(self.op, len(self.shape), weight)


def _with_bias(
    whole: Array, of_whole: float, part: Array, of_part: float, bias: Array | None
) -> Denominator:
    """The denominator with a bias, which broadcasts over the samples; most are one a channel."""
    if bias is None:
        return Denominator(whole, of_whole, part, of_part)
    if bias.ndim == whole.ndim - 1 and bias.size == bias.shape[0] == whole.shape[1]:
        flat = np.ascontiguousarray(bias.reshape(-1), np.float32)
        return Denominator(whole, of_whole, part, of_part, flat)
    d = Denominator(whole, of_whole, part, of_part).array()
    return Denominator(np.add(d, bias, dtype=np.float32))
