"""Classes before and after a change, with score and rank."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """One class before and after an ablation.

    Attributes
    ----------
    index : int
        The class.
    label : str
    before, after : float
        Its explained output (logit).
    rank_before, rank_after : int
        1 is the class with the highest output; of equal ones, that with the lower number.
    """

    index: int
    label: str
    before: float
    after: float
    rank_before: int
    rank_after: int

    @property
    def change(self) -> float:
        """What the class gained: after − before."""
        return self.after - self.before

    @property
    def rank_change(self) -> int:
        """How far the class fell: rank_after − rank_before, negative where it rose."""
        return self.rank_after - self.rank_before


def by_rank(outputs: NDArray[np.float32]) -> NDArray[np.intp]:
    """Classes from the highest output down; of equal ones that with the lower number first."""
    return np.argsort(-outputs, kind="stable")


def changes_of(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    classes: Iterable[int],
    label: Callable[[int], str],
) -> tuple[ScoreChange, ...]:
    """Put classes beside what they were.

    Parameters
    ----------
    before, after : ndarray, float32, (classes,)
        Explained outputs of one picture.
    classes : iterable of int
        Those that are listed, in this order.
    label : callable
        From a class to its name.
    """
    rank_before, rank_after = (np.argsort(by_rank(values)) for values in (before, after))
    return tuple(
        ScoreChange(
            index=int(index),
            label=label(int(index)),
            before=float(before[index]),
            after=float(after[index]),
            rank_before=int(rank_before[index]) + 1,
            rank_after=int(rank_after[index]) + 1,
        )
        for index in classes
    )
