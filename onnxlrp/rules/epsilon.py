"""LRP-ε: a stabilised denominator absorbs weak and contradictory relevance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from onnxlrp.rules.base import Bias, Branch, Rule, check_stabiliser, rule


@rule("epsilon")
@dataclass(frozen=True, slots=True)
class Epsilon(Rule):
    r"""LRP-ε: Rᵢ = Σⱼ aᵢwᵢⱼ / (zⱼ + ε·sign(zⱼ)) · Rⱼ, with sign(0) = 1.

    Bach et al. 2015 (doi 10.1371/journal.pone.0130140); with ``relative`` it is the form that
    Montavon et al. 2019 (doi 10.1007/978-3-030-28954-6_10) use on VGG-16: ε in units of RMS(z).

    Parameters
    ----------
    epsilon : float, at least 0
        In units of z, or of RMS(z) over the sample's layer output.
    relative : bool
        Which of the two.
    bias : "keep", "drop" or "spread"
        What becomes of the bias' share (:class:`Rule`).

    Examples
    --------
    >>> print(Epsilon(0.25, relative=True).latex())
    R_i = \sum_j \frac{a_i w_{ij}}{z_j + 0.25\,\mathrm{rms}(z)\,\mathrm{sign}(z_j)} R_j
    """

    title: ClassVar[str] = "LRP-ε"

    epsilon: float = 1e-6
    relative: bool = False
    bias: Bias = "keep"

    def __post_init__(self) -> None:
        check_stabiliser(self)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """One, with the weights as they are."""
        return (Branch(),)

    def _point(self) -> Mapping[str, Any]:
        return {}
