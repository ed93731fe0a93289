"""The unified rule: every other rule is a point of its parameter space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from onnxlrp.errors import RuleError
from onnxlrp.rules.alpha_beta import AlphaBeta
from onnxlrp.rules.base import (
    Bias,
    Bound,
    Branch,
    InputMap,
    Rule,
    WeightMap,
    Where,
    check_bounds,
    check_flag,
    check_number,
    check_stabiliser,
    rule,
)
from onnxlrp.rules.epsilon import Epsilon
from onnxlrp.rules.equation import equation
from onnxlrp.rules.flat import Flat
from onnxlrp.rules.gamma import Gamma
from onnxlrp.rules.w_square import WSquare
from onnxlrp.rules.z_box import ZBox
from onnxlrp.rules.z_plus import ZPlus
from onnxlrp.rules.zero import Zero

_NUMBERS = (
    *("theta0", "theta1", "gamma0", "gamma1", "gamma1_plus", "gamma1_minus", "gamma2"),
    *("alpha", "beta"),
)


@rule("unified")
@dataclass(frozen=True, slots=True)
class Unified(Rule):
    """The unified rule of VisLRPDesigner: four effects at once.

    ::

        activation    xᵢ = θ₀·RMS(a) + θ₁·aᵢ
        weight        V(w) = γ₀·RMS(W) + γ₁·w + γ₁₊·w⁺ + γ₁₋·w⁻ + γ₂·w²
        contribution  Rᵢ = Σⱼ (α·xᵢV₊(wᵢⱼ) / stab(d₊ⱼ) − β·xᵢV₋(wᵢⱼ) / stab(d₋ⱼ)) · Rⱼ
        suppression   stab(d) = d + ε·sign(d)

    Huang et al. 2021 (doi 10.1111/cgf.14302), with more: ``mirror``, bounds, and a choice of bias.
    For β ≠ 0, V₊ lacks the γ₁₋ term and V₋ the γ₁₊ term; for β = 0 there is V alone. d sums up the
    contributions and the bias, which is seen as V sees the weights. Where x < 0 the signs are those
    of the contributions x·w, not of the weights. α − β = 1 conserves relevance, and is not forced.

    Parameters
    ----------
    theta0, theta1 : float
        Weight of the input's RMS over the sample, and of the input itself.
    gamma0 : float
        Weight of RMS(W), the same for every connection.
    gamma1, gamma1_plus, gamma1_minus : float
        Weight of w, and what is added for positive and for negative contributions.
    gamma2 : float
        Weight of w².
    alpha, beta : float
        Weight of the first and of the subtracted second branch.
    mirror : bool
        Exchange γ₁₊ and γ₁₋ where zⱼ < 0, and give nothing where zⱼ = 0: the γ-rule for neurons of
        either sign. Only with β = 0.
    low, high : float or array that broadcasts to the layer's input, optional
        Measure the input from these bounds instead (z^B); then θ₀ = 0, θ₁ = 1 and bias = "drop".
    epsilon : float, at least 0
        Stabiliser, in units of d, or of its RMS over the sample.
    relative : bool
        Which of the two; the paper's own code takes the RMS.
    bias : "keep", "drop" or "spread"
        What becomes of the bias' share (:class:`Rule`).

    Examples
    --------
    >>> Unified(gamma1=0, gamma1_plus=1).named()
    ZPlus(epsilon=1e-06, relative=False, bias='keep')
    """

    title: ClassVar[str] = "unified"

    theta0: float = 0.0
    theta1: float = 1.0
    gamma0: float = 0.0
    gamma1: float = 1.0
    gamma1_plus: float = 0.0
    gamma1_minus: float = 0.0
    gamma2: float = 0.0
    alpha: float = 1.0
    beta: float = 0.0
    mirror: bool = False
    low: Bound | None = None
    high: Bound | None = None
    epsilon: float = 1e-6
    relative: bool = False
    bias: Bias = "keep"

    def __post_init__(self) -> None:
        for field in _NUMBERS:
            check_number(self, field)
        check_flag(self, "mirror")
        check_stabiliser(self)
        if self.mirror and self.beta:
            raise RuleError(
                f"rule {self.name!r}: mirror needs beta = 0, got beta={self.beta:g}; with beta the "
                "signs are already kept apart."
            )
        if self.low is None and self.high is None:
            return
        check_bounds(self)
        if (self.theta0, self.theta1) != (0.0, 1.0):
            raise RuleError(
                f"rule {self.name!r}: low and high replace the activation effect, so theta0 must "
                f"be 0 and theta1 must be 1, got {self.theta0:g} and {self.theta1:g}."
            )

    @property
    def input(self) -> InputMap:
        """The activation effect, or the distances from the bounds."""
        if self.low is not None:
            return InputMap(low=self.low, high=self.high)
        return InputMap(rms=self.theta0, linear=self.theta1)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The weight and contribution effects."""
        plus, minus = self.gamma1_plus, self.gamma1_minus
        if self.beta:
            return (
                Branch(self.alpha, self._weight(plus, 0.0)),
                Branch(-self.beta, self._weight(0.0, minus)),
            )
        weight = self._weight(plus, minus)
        if not self.mirror:
            return (Branch(self.alpha, weight),)
        return (
            Branch(self.alpha, weight, Where.POSITIVE),
            Branch(self.alpha, weight.mirrored, Where.NEGATIVE),
        )

    def _weight(self, plus: float, minus: float) -> WeightMap:
        """Make V with these extra weights for positive and negative contributions."""
        return WeightMap(
            positive=self.gamma1 + plus,
            negative=self.gamma1 + minus,
            rms=self.gamma0,
            square=self.gamma2,
        )

    def latex(self) -> str:
        """Write the equation, with γ₁ before the plain weight as it was given."""
        return equation(self, linear=self.gamma1)

    def as_unified(self) -> Unified:
        """Return the rule itself."""
        return self

    def named(self) -> Rule | None:
        """Find the named rule that this point is.

        Returns
        -------
        Rule or None
            The simplest rule whose point has the same input, branches, stabiliser and bias.
        """
        for candidate in self._candidates():
            point = candidate.as_unified()
            if point is not None and point._frame() == self._frame():
                return candidate
        return None

    def _candidates(self) -> Iterator[Rule]:
        """Propose the named rules that this point could be, the simplest first."""
        common: dict[str, Any] = {"epsilon": self.epsilon, "relative": self.relative}
        common["bias"] = self.bias
        if self.low is not None:
            yield ZBox(self.low, self.high, **common)
            return
        if self.epsilon == 0 and not self.relative:
            yield Zero(self.bias)
        yield Epsilon(**common)
        yield ZPlus(**common)
        yield WSquare(**common)
        yield Flat(**common)
        if self.gamma1_plus >= 0:
            yield Gamma(self.gamma1_plus, **common)
        if AlphaBeta.accepts(self.alpha, self.beta):
            yield AlphaBeta(self.alpha, self.beta, **common)

    def _frame(self) -> tuple[object, ...]:
        """Return all that the engine sees of the rule."""
        return self.input, self.branches, self.epsilon, self.relative, self.bias
