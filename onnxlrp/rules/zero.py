"""LRP-0: relevance in proportion to the contributions, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from onnxlrp.rules.base import Bias, Branch, Rule, check_stabiliser, rule


@rule("zero")
@dataclass(frozen=True, slots=True)
class Zero(Rule):
    r"""LRP-0: Rᵢ = Σⱼ aᵢwᵢⱼ / zⱼ · Rⱼ.

    The z-rule of Bach et al. 2015 (doi 10.1371/journal.pone.0130140); on a ReLU network it is the
    gradient times the input. There is no stabiliser: a neuron with zⱼ = 0 must have no relevance.

    Parameters
    ----------
    bias : "keep", "drop" or "spread"
        What becomes of the bias' share (:class:`Rule`).

    Examples
    --------
    >>> print(Zero().latex())
    R_i = \sum_j \frac{a_i w_{ij}}{z_j} R_j
    """

    title: ClassVar[str] = "LRP-0"

    epsilon: float = field(default=0.0, init=False)
    relative: bool = field(default=False, init=False)
    bias: Bias = "keep"

    def __post_init__(self) -> None:
        check_stabiliser(self)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """One, with the weights as they are."""
        return (Branch(),)

    def _point(self) -> Mapping[str, Any]:
        return {}
