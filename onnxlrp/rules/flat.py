"""Flat: relevance spread evenly over a neuron's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from onnxlrp.rules.base import Bias, Branch, InputMap, Rule, WeightMap, check_stabiliser, rule


@rule("flat")
@dataclass(frozen=True, slots=True)
class Flat(Rule):
    """Flat: Rᵢ = Σⱼ Rⱼ / nⱼ, with nⱼ the number of inputs of neuron j.

    Lapuschkin et al. 2019 (doi 10.1038/s41467-019-08987-4), for the layer next to the pixels. In a
    padded convolution a neuron at the edge has fewer inputs.

    Parameters
    ----------
    epsilon : float, at least 0
        Stabiliser, in units of nⱼ, or of its RMS over the sample.
    relative : bool
        Which of the two.
    bias : "drop", "keep" or "spread"
        "keep" and "spread" count the bias as one more input (:class:`Rule`).

    Examples
    --------
    >>> Flat().input.is_constant
    True
    """

    title: ClassVar[str] = "flat"

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
        """One, with every weight a one."""
        return (Branch(weight=WeightMap(positive=0.0, negative=0.0, constant=1.0)),)

    def _point(self) -> Mapping[str, Any] | None:
        """See 1 as RMS(a)·RMS(W); that cancels only where no bias stands beside it."""
        if self.bias != "drop":
            return None
        return {"theta0": 1.0, "theta1": 0.0, "gamma0": 1.0, "gamma1": 0.0}
