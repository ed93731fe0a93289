"""Predictions before and after a change: classes beside each other, with score and rank."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onnxlrp.evaluate.changes import ScoreChange, by_rank, changes_of
from onnxlrp.evaluate.checks import whole_number
from onnxlrp.graph.model import Model


def score_changes(
    model: Model,
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    count: int = 10,
) -> tuple[ScoreChange, ...]:
    """List the classes that lead after a change, best first, with scores and ranks of both.

    Parameters
    ----------
    model : Model
        For its labels.
    before, after : ndarray, float32, (classes,)
        Explained outputs of one picture.
    count : int
        How many classes, at most.

    Raises
    ------
    InputError
        A count of less than 1.
    """
    whole_number("count", count)
    return changes_of(before, after, by_rank(after)[:count], model.label)
