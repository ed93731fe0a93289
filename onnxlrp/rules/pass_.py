"""Pass: a layer that relevance runs through unchanged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from onnxlrp.rules.base import Bias, Branch, Rule, rule


@rule("pass")
@dataclass(frozen=True, slots=True)
class Pass(Rule):
    """Pass: Rᵢ = Rⱼ with i = j; only for a layer whose output has the shape of its input.

    It has no parameters, and no point in the unified rule.

    Examples
    --------
    >>> Pass().passes
    True
    """

    title: ClassVar[str] = "pass"
    passes: ClassVar[bool] = True

    epsilon: float = field(default=0.0, init=False)
    relative: bool = field(default=False, init=False)
    bias: Bias = field(default="keep", init=False)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """None: nothing is shared out."""
        return ()

    def latex(self) -> str:
        """Write the equation."""
        return r"R_i = R_{j=i}"
