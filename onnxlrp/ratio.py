"""What one branch of a rule divides relevance by, and what that leaves in the layer.

    qⱼ = c·Rⱼ / stab(dⱼ)

with dⱼ as in `onnxlrp.preactivation`. The parts of qⱼ·stab(dⱼ) that are the bias' and ε's are not
handed to any input: they are absorbed, or spread over the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onnxlrp.kernels import Denominator, rms
from onnxlrp.ops.base import Array, Shape
from onnxlrp.preactivation import Made, Preactivation
from onnxlrp.rules.base import Rule
from onnxlrp.rules.frame import Branch, WeightMap, Where
from onnxlrp.seen import Parts

ONES = WeightMap(0.0, 0.0, constant=1.0)


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


class BranchRatio(NamedTuple):
    """q = c·R / stab(d) of one branch, with what the bias and ε contributed to stab(d)."""

    q: Array
    all_positive: bool
    """No relevance stands where z < 0; said by branches that look at the sign of z only."""
    d: Denominator | None = None
    epsilon: Array | None = None
    bias: Array | None = None
    seen: Made | None = None

    @classmethod
    def fused(
        cls, rule: Rule, branch: Branch, z: Preactivation, relevance: Array
    ) -> BranchRatio | None:
        """The ratio alone, made together with what it divides by; None if that cannot be."""
        made = z.ratio((branch,), rule.bias != "drop", relevance, rule.epsilon)
        if made is None:
            return None
        return cls(made.q, made.asked and made.nothing_left, seen=made)

    @classmethod
    def of(cls, rule: Rule, branch: Branch, z: Preactivation, relevance: Array) -> BranchRatio:
        """The ratio of a branch."""
        sign = None if branch.where is Where.ALWAYS else z.whole(bias=True)
        keep = rule.bias != "drop"
        d = z.denominator(branch, bias=keep)
        epsilon = np.full(d.samples, rule.epsilon, np.float32)
        if rule.relative:
            epsilon *= rms(d.array())
        q = np.empty(relevance.shape, np.float32)
        where = branch.where.value
        nothing_left = d.ratio(sign, relevance, branch.coefficient, epsilon, where, q)
        bias = z.mapped_bias(branch.weight) if keep else None
        return cls(q, sign is not None and nothing_left, d, epsilon, bias)

    def _stabiliser(self) -> Array:
        """±ε by the sign of d, in d's shape."""
        assert self.d is not None and self.epsilon is not None
        d = self.d.array()
        per_sample = self.epsilon.reshape((-1,) + (1,) * (d.ndim - 1))
        return np.where(d >= 0, per_sample, -per_sample)

    def absorbed(self) -> Absorbed:
        """Σⱼ qⱼ·V(bⱼ) and Σⱼ ±qⱼ·ε."""
        samples = len(self.q)
        bias = np.zeros(samples) if self.bias is None else _sum_samples(self.q * self.bias)
        return Absorbed(bias, _sum_samples(self.q * self._stabiliser()))

    def spread(self, z: Preactivation, in_shapes: tuple[Shape, ...]) -> Parts:
        """The share of bias and ε, returned evenly to the inputs of each neuron.

        Neurons without inputs, or with d = 0, keep theirs.
        """
        assert self.d is not None
        share = self._stabiliser() if self.bias is None else self._stabiliser() + self.bias
        share = np.where(self.d.array() != 0, self.q * share, np.float32(0))
        even = z.maps.get(z.op, ONES)
        count = even.forward(
            tuple(np.ones((1, *s[1:]), np.float32) for s in in_shapes), (1, *z.shape[1:])
        )
        each = np.divide(share, count, out=np.zeros(share.shape, np.float32), where=count != 0)
        return even.adjoint(each, in_shapes)


def _sum_samples(values: Array) -> NDArray[np.float64]:
    """Sum over everything but the first axis, in float64."""
    return np.asarray(values.reshape(len(values), -1).sum(axis=1, dtype=np.float64))
