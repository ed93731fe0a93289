"""LRP-αβ: excitation and inhibition shared out apart from each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from onnxlrp.errors import RuleError
from onnxlrp.rules.base import (
    Bias,
    Branch,
    Rule,
    WeightMap,
    check_number,
    check_stabiliser,
    rule,
)

_TOLERANCE = 1e-9  # 2.1 − 1.1 is not quite 1 in binary


@rule("alpha_beta")
@dataclass(frozen=True, slots=True)
class AlphaBeta(Rule):
    """LRP-αβ: Rᵢ = Σⱼ (α·(aᵢwᵢⱼ)⁺ / stab(zⱼ⁺) − β·(aᵢwᵢⱼ)⁻ / stab(zⱼ⁻)) · Rⱼ, α − β = 1.

    Bach et al. 2015 (doi 10.1371/journal.pone.0130140). The bias stands by its sign: bⱼ⁺ in zⱼ⁺,
    bⱼ⁻ in zⱼ⁻.

    Parameters
    ----------
    alpha : float, at least 1
        Share of the positive contributions; no unit.
    beta : float, at least 0
        Share of the negative contributions; no unit.
    epsilon : float, at least 0
        Stabiliser, in units of z⁺ and z⁻, or of the RMS of each over the sample.
    relative : bool
        Which of the two.
    bias : "keep", "drop" or "spread"
        What becomes of the bias' share (:class:`Rule`).

    Raises
    ------
    RuleError
        α − β is not 1: relevance would not be conserved.

    Examples
    --------
    >>> [branch.coefficient for branch in AlphaBeta(2, 1).branches]
    [2.0, -1.0]
    """

    title: ClassVar[str] = "LRP-αβ"

    alpha: float = 2.0
    beta: float = 1.0
    epsilon: float = 1e-6
    relative: bool = False
    bias: Bias = "keep"

    def __post_init__(self) -> None:
        check_number(self, "alpha", low=0.0)
        check_number(self, "beta", low=0.0)
        if not self.accepts(self.alpha, self.beta):
            raise RuleError(
                f"rule {self.name!r}: alpha - beta must be 1, got {self.alpha:g} - {self.beta:g} "
                f"= {self.alpha - self.beta:g}; try alpha={self.beta + 1:g}."
            )
        check_stabiliser(self)

    @staticmethod
    def accepts(alpha: float, beta: float) -> bool:
        """Whether α − β = 1 with both at least 0."""
        return min(alpha, beta) >= 0 and abs(alpha - beta - 1) <= _TOLERANCE

    @property
    def branches(self) -> tuple[Branch, ...]:
        """One for positive contributions, and one for negative ones if they count."""
        positive = Branch(self.alpha, WeightMap(positive=1.0, negative=0.0))
        negative = Branch(-self.beta, WeightMap(positive=0.0, negative=1.0))
        return (positive, negative) if self.beta else (positive,)

    def _point(self) -> Mapping[str, Any]:
        minus = 1.0 if self.beta else 0.0
        signs = {"gamma1": 0.0, "gamma1_plus": 1.0, "gamma1_minus": minus}
        return {**signs, "alpha": self.alpha, "beta": self.beta}
