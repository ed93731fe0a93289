"""What is asked: which target, and in which unit relevance starts at the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onnxlrp.explainer import Explainer
from onnxlrp.target import Init, as_target, choose

ScoreKind = Literal["logit", "probability"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is explained.

    Attributes
    ----------
    target : str
        As on the command line: "top1", a number, a label, "class:281-285" (how much more the one
        than the other), "neuron:conv5/12", …
    kind : "logit" or "probability"
        Σ R starts as the target's logit, or as its probability (softmax of the outputs): the same
        map in other units, since the final softmax is cut off.
    """

    target: str = "top1"
    kind: ScoreKind = "logit"


def probabilities(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """exp(yᵢ) / Σⱼ exp(yⱼ) along the last axis.

    Examples
    --------
    >>> probabilities(np.zeros((1, 4), np.float32))
    array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """
    powers = np.exp(output.astype(np.float64) - output.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares.astype(np.float32)


def is_single_class(question: Question) -> bool:
    """Whether the target is one class: only then is there a probability of it."""
    kind, colon, _ = question.target.partition(":")
    return not (colon and kind in ("class", "element", "region", "box", "neuron"))


def starting_relevance(question: Question, explainer: Explainer) -> Init:
    """R at the output: the target's logit, or weights·probabilities.

    Raises
    ------
    TargetError
        No such target.
    """
    if question.kind == "logit" or not is_single_class(question):
        return "logit"
    output = explainer.output
    target = as_target(question.target, explainer.model)
    return choose(explainer.model, output, target).weights * probabilities(output)
