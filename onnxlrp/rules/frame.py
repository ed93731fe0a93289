"""What every LRP rule is: a way to see a linear layer, and a few branches that share out relevance.

A linear layer computes zⱼ = Σᵢ aᵢwᵢⱼ + bⱼ. A rule says

* how the input is seen, as a pair (x⁺, x⁻) (:class:`InputMap`; plainly: the positive and the
  negative part of aᵢ),
* a few branches, each with weights V⁺ for x⁺ and V⁻ for x⁻ (:class:`WeightMap`), and a
  coefficient c,

and relevance flows, for every rule there is, as

    dⱼ = Σᵢ (xᵢ⁺·V⁺ᵢⱼ + xᵢ⁻·V⁻ᵢⱼ) + V(bⱼ)
    qⱼ = c·Rⱼ / stab(dⱼ)  where the branch applies, else 0
    Rᵢ = Σ_branches Σⱼ (xᵢ⁺·V⁺ᵢⱼ + xᵢ⁻·V⁻ᵢⱼ)·qⱼ

A rule is data: nothing here computes. `onnxlrp.linear` carries it out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Bias = Literal["keep", "drop", "spread"]
Bound = float | tuple[Any, ...]
"""A number, or an array that broadcasts to the input, as nested tuples so that it can be a key."""


class Where(Enum):
    """The neurons that a branch speaks for, by the sign of the pre-activation z (bias included)."""

    ALWAYS = 0
    POSITIVE = 1
    NEGATIVE = 2


@dataclass(frozen=True, slots=True)
class InputMap:
    """How a rule sees the layer's input a: x = constant + rms·RMS(a) + linear·a, split by sign.

    With ``low`` and ``high`` set, the pair is (x⁺, x⁻) = (a − low, a − high): what z^B needs.
    RMS(a) = sqrt(mean(a²)) over the sample's tensor.
    """

    constant: float = 0.0
    rms: float = 0.0
    linear: float = 1.0
    low: Bound | None = None
    high: Bound | None = None

    @property
    def is_plain(self) -> bool:
        """Whether x is a itself."""
        return self == InputMap()

    @property
    def is_box(self) -> bool:
        """Whether x is measured from a lower and an upper bound."""
        return self.low is not None

    @property
    def is_constant(self) -> bool:
        """Whether x does not depend on the picture at all."""
        return self.rms == 0 and self.linear == 0 and not self.is_box


@dataclass(frozen=True, slots=True)
class WeightMap:
    """How a branch sees the weights.

    V(w) = constant + rms·RMS(W) + positive·w⁺ + negative·w⁻ + square·w².

    w⁺ = max(w, 0), w⁻ = min(w, 0). Against negative inputs the roles of w⁺ and w⁻ are exchanged
    (:attr:`mirrored`), so that ``positive`` always weighs the positive *contributions* a·w.
    """

    positive: float = 1.0
    negative: float = 1.0
    constant: float = 0.0
    rms: float = 0.0
    square: float = 0.0

    @property
    def mirrored(self) -> WeightMap:
        """The same map against negative inputs."""
        return WeightMap(self.negative, self.positive, self.constant, self.rms, self.square)

    @property
    def is_signed(self) -> bool:
        """Whether the sign of a contribution matters."""
        return self.positive != self.negative

    @property
    def is_mixture(self) -> bool:
        """Whether w⁺ and w⁻ count differently: one of endlessly many, as γ is a number."""
        return 0 != self.positive != self.negative != 0

    @property
    def is_plain(self) -> bool:
        """Whether V is made of w⁺ and w⁻ alone, so that d = positive·z⁺ + negative·z⁻."""
        return self.constant == 0 and self.rms == 0 and self.square == 0

    @property
    def is_constant(self) -> bool:
        """Whether V does not depend on the weights at all."""
        return self.positive == self.negative == self.square == self.rms == 0

    def __call__(self, w: NDArray[np.float32], rms: float | None = None) -> NDArray[np.float32]:
        """V(w), same shape; ``rms`` overrides RMS(w) (a bias is mapped with the weights' RMS)."""
        if self == WeightMap():
            return w
        out = np.zeros_like(w)
        if self.positive == self.negative:
            out += np.float32(self.positive) * w
        else:
            out += np.float32(self.positive) * np.maximum(w, 0)
            out += np.float32(self.negative) * np.minimum(w, 0)
        if self.square:
            out += np.float32(self.square) * w * w
        if self.rms:
            scale = root_mean_square(w) if rms is None else rms
            out += np.float32(self.rms * scale)
        return out + np.float32(self.constant) if self.constant else out


def root_mean_square(w: NDArray[np.float32]) -> float:
    """RMS(W) = sqrt(mean(w²)) over the whole tensor, summed in float64."""
    return math.sqrt(float(np.mean(np.square(w, dtype=np.float64)))) if w.size else 0.0


@dataclass(frozen=True, slots=True)
class Branch:
    """One way down: coefficient c, weights V, and the neurons it speaks for."""

    coefficient: float = 1.0
    weight: WeightMap = WeightMap()
    where: Where = Where.ALWAYS
