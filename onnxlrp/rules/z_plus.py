"""z⁺: only what speaks for a neuron gets relevance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from onnxlrp.rules.base import Bias, Branch, Rule, WeightMap, check_stabiliser, rule


@rule("z_plus")
@dataclass(frozen=True, slots=True)
class ZPlus(Rule):
    r"""z⁺: Rᵢ = Σⱼ (aᵢwᵢⱼ)⁺ / stab(zⱼ⁺) · Rⱼ, with zⱼ⁺ = Σᵢ (aᵢwᵢⱼ)⁺ + bⱼ⁺.

    Montavon et al. 2017 (doi 10.1016/j.patcog.2016.11.008); the same as αβ with α = 1, β = 0.

    Parameters
    ----------
    epsilon : float, at least 0
        Stabiliser, in units of z⁺, or of its RMS over the sample.
    relative : bool
        Which of the two.
    bias : "keep", "drop" or "spread"
        What becomes of the bias' share (:class:`Rule`); only its positive part takes one.

    Examples
    --------
    >>> print(ZPlus().latex())
    R_i = \sum_j \frac{(a_i w_{ij})^+}{z_j^+ + 10^{-6}\,\mathrm{sign}(z_j^+)} R_j
    """

    title: ClassVar[str] = "LRP-z⁺"

    epsilon: float = 1e-6
    relative: bool = False
    bias: Bias = "keep"

    def __post_init__(self) -> None:
        check_stabiliser(self)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """One, blind to negative contributions."""
        return (Branch(weight=WeightMap(positive=1.0, negative=0.0)),)

    def _point(self) -> Mapping[str, Any]:
        return {"gamma1": 0.0, "gamma1_plus": 1.0}
