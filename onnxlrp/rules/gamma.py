"""LRP-γ: contributions that agree with the neuron count more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from onnxlrp.rules.base import (
    Bias,
    Branch,
    Rule,
    WeightMap,
    Where,
    check_number,
    check_stabiliser,
    rule,
)


@rule("gamma")
@dataclass(frozen=True, slots=True)
class Gamma(Rule):
    """LRP-γ for inputs of either sign, with c = aᵢwᵢⱼ and z⁺, z⁻ the sums of c⁺, c⁻.

    ::

        zⱼ > 0:  Rᵢ = Σⱼ (c + γc⁺) / stab(zⱼ + γzⱼ⁺) · Rⱼ
        zⱼ < 0:  Rᵢ = Σⱼ (c + γc⁻) / stab(zⱼ + γzⱼ⁻) · Rⱼ
        zⱼ = 0:  nothing

    For aᵢ ≥ 0 and zⱼ > 0 it is the rule of Montavon et al. 2019 (doi 10.1007/978-3-030-28954-6_10),
    which sees the weights as w + γw⁺. It tends to z⁺ as γ grows.

    Parameters
    ----------
    gamma : float, at least 0
        Extra weight of what agrees with the neuron's sign; no unit.
    epsilon : float, at least 0
        Stabiliser, in units of the denominator, or of its RMS over the sample.
    relative : bool
        Which of the two.
    bias : "keep", "drop" or "spread"
        What becomes of the bias' share (:class:`Rule`).

    Examples
    --------
    >>> [branch.weight.positive for branch in Gamma(0.25).branches]
    [1.25, 1.0]
    """

    title: ClassVar[str] = "LRP-γ"

    gamma: float = 0.25
    epsilon: float = 1e-6
    relative: bool = False
    bias: Bias = "keep"

    def __post_init__(self) -> None:
        check_number(self, "gamma", low=0.0)
        check_stabiliser(self)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """One for active neurons, its mirror image for the others."""
        agreeing = WeightMap(positive=1 + self.gamma)
        return (
            Branch(weight=agreeing, where=Where.POSITIVE),
            Branch(weight=agreeing.mirrored, where=Where.NEGATIVE),
        )

    def _point(self) -> Mapping[str, Any]:
        return {"gamma1_plus": self.gamma, "mirror": True}
