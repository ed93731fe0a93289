"""w²: relevance by the squared weights alone, whatever the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from onnxlrp.rules.base import Bias, Branch, InputMap, Rule, WeightMap, check_stabiliser, rule


@rule("w_square")
@dataclass(frozen=True, slots=True)
class WSquare(Rule):
    r"""w²: Rᵢ = Σⱼ wᵢⱼ² / stab(Σᵢ wᵢⱼ²) · Rⱼ.

    Montavon et al. 2017 (doi 10.1016/j.patcog.2016.11.008), for inputs that may take any value.

    Parameters
    ----------
    epsilon : float, at least 0
        Stabiliser, in units of Σᵢ wᵢⱼ², or of its RMS over the sample.
    relative : bool
        Which of the two.
    bias : "drop", "keep" or "spread"
        "keep" and "spread" count bⱼ² as the weight of one more input (:class:`Rule`).

    Examples
    --------
    >>> print(WSquare(epsilon=0).latex())
    R_i = \sum_j \frac{w_{ij}^2}{\sum_{i'} w_{i'j}^2} R_j
    """

    title: ClassVar[str] = "w²"

    epsilon: float = 1e-6
    relative: bool = False
    bias: Bias = "drop"

    def __post_init__(self) -> None:
        check_stabiliser(self)

    @property
    def input(self) -> InputMap:
        """One, everywhere."""
        return InputMap(constant=1.0, linear=0.0)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """One, with squared weights."""
        return (Branch(weight=WeightMap(positive=0.0, negative=0.0, square=1.0)),)

    def _point(self) -> Mapping[str, Any] | None:
        """See 1 as RMS(a); that cancels only where no bias stands beside it."""
        if self.bias != "drop":
            return None
        return {"theta0": 1.0, "theta1": 0.0, "gamma1": 0.0, "gamma2": 1.0}
