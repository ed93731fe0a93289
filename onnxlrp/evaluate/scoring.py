"""What is read off the outputs while a picture is flipped: the score f(x)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import TargetError
from onnxlrp.graph.model import Model
from onnxlrp.target import Chosen

LOGIT: Final = "logit"
PROBABILITY: Final = "probability"
RANK: Final = "rank"
TOP_LOGIT: Final = "top_logit"
TOP_PROBABILITY: Final = "top_probability"

SCORES: Final = (LOGIT, PROBABILITY, RANK, TOP_LOGIT, TOP_PROBABILITY)
"""Of the target: logit, probability, rank (1 is best). Of whichever class leads: the top ones."""

Scores = NDArray[np.float64]


def check_target(score: str, chosen: Chosen) -> None:
    """Refuse to rank what is no class.

    Raises
    ------
    TargetError
        A rank was asked for, and the target is weights over the outputs.
    """
    if score == RANK and (chosen.index < 0).any():
        raise TargetError("score='rank' needs a class as target, not weights over the outputs.")


def is_sigmoid(model: Model) -> bool:
    """Tell whether outputs are separate yes/no answers, so that σ makes a probability of each.

    They are if the file ends in a Sigmoid on the explained tensor; else softmax does.
    """
    return model.explained != model.output.name and any(
        node.op_type == "Sigmoid" and model.explained in node.input
        for node in model.proto.graph.node
    )


def probabilities(outputs: NDArray[np.floating], sigmoid: bool) -> Scores:
    """Probabilities of (..., classes) outputs.

    softmax: p_c = exp(f_c) / Σ exp(f);  σ: p_c = 1 / (1 + exp(−f_c)), also for a single output
    """
    values = outputs.astype(np.float64)
    if sigmoid or values.shape[-1] == 1:
        return np.asarray(np.exp(-np.logaddexp(0.0, -values)))
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def score_outputs(
    outputs: NDArray[np.float32],
    weights: NDArray[np.float32],
    score: str,
    sigmoid: bool,
) -> Scores:
    """Score of each of K outputs of one picture: (K,).

    logit: Σ_c weight_c·f_c;  probability: Σ_c weight_c·p_c;  rank: 1 + number of classes with a
    greater logit;  top_logit: max f;  top_probability: max p

    Parameters
    ----------
    outputs : ndarray, float32, (K, classes)
    weights : ndarray, float32, (classes,)
        One-hot for a class.
    score : str
        One of ``SCORES``.
    sigmoid : bool
        See :func:`is_sigmoid`.

    Examples
    --------
    >>> outputs = np.array([[3.0, 1.0], [0.0, 1.0]], np.float32)
    >>> score_outputs(outputs, np.array([1.0, 0.0], np.float32), "rank", sigmoid=False)
    array([1., 2.])
    """
    if score == RANK:
        of_target = outputs[:, weights.argmax(), None]
        return np.asarray(1.0 + (outputs > of_target).sum(axis=1))
    values = outputs.astype(np.float64)
    if score in (PROBABILITY, TOP_PROBABILITY):
        values = probabilities(values, sigmoid)
    if score in (TOP_LOGIT, TOP_PROBABILITY):
        return np.asarray(values.max(axis=1))
    return np.asarray(values @ weights.astype(np.float64))
