"""z^B: the rule for inputs that live between two bounds, as pixels do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from onnxlrp.errors import RuleError
from onnxlrp.rules.base import (
    Bias,
    Bound,
    Branch,
    InputMap,
    Rule,
    WeightMap,
    check_bounds,
    check_stabiliser,
    rule,
)
from onnxlrp.rules.equation import equation


@rule("z_box")
@dataclass(frozen=True, slots=True)
class ZBox(Rule):
    """z^B: Rᵢ = Σⱼ cᵢⱼ / stab(Σᵢ cᵢⱼ) · Rⱼ, with cᵢⱼ = aᵢwᵢⱼ − lᵢwᵢⱼ⁺ − hᵢwᵢⱼ⁻.

    Montavon et al. 2017 (doi 10.1016/j.patcog.2016.11.008). For lᵢ ≤ aᵢ ≤ hᵢ no contribution is
    negative. The bias cancels between the three terms.

    Parameters
    ----------
    low, high : float or array that broadcasts to the layer's input, such as (1, C, 1, 1)
        Smallest and largest value an input can take, in the input's own (preprocessed) units. Both
        left out: still open, to be filled in from the model's preprocessing.
    epsilon : float, at least 0
        Stabiliser, in units of Σᵢ cᵢⱼ, or of its RMS over the sample.
    relative : bool
        Which of the two.
    bias : "drop"
        Nothing else makes sense here.

    Raises
    ------
    RuleError
        Bounds that are no numbers, do not fit together, or cross.

    Examples
    --------
    >>> ZBox(low=-2.1, high=2.6).input.is_box
    True
    """

    title: ClassVar[str] = "z^B"

    low: Bound | None = None
    high: Bound | None = None
    epsilon: float = 1e-6
    relative: bool = False
    bias: Bias = "drop"

    def __post_init__(self) -> None:
        check_stabiliser(self)
        check_bounds(self)

    @property
    def input(self) -> InputMap:
        """The distances from the two bounds."""
        if self.low is None:
            raise RuleError(
                f"rule {self.name!r}: low and high are not known. Give them, or give the model a "
                "preprocessing that knows the range of its input."
            )
        return InputMap(low=self.low, high=self.high)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """One: w⁺ meets the distance from below, w⁻ the distance from above."""
        return (Branch(weight=WeightMap(positive=1.0, negative=0.0)),)

    def latex(self) -> str:
        """Write the equation; bounds that are arrays, or still open, are symbols."""
        return equation(self, seen=InputMap(low=(), high=()) if self.low is None else None)

    def _point(self) -> Mapping[str, Any] | None:
        if self.low is None:
            return None
        return {"gamma1": 0.0, "gamma1_plus": 1.0, "low": self.low, "high": self.high}
