"""What an ablation did to the network's outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.changes import ScoreChange, by_rank, changes_of
from onnxlrp.evaluate.curves import area_under_curve

Array = NDArray[np.float32]
Scores = NDArray[np.float64]

TOP = 10
"""Classes listed before and after."""


@dataclass(frozen=True, slots=True)
class AblationRow:
    """A line of ablation.csv; the fields are its columns.

    Attributes
    ----------
    image : str
    layer : str
        The layer or tensor; "a + b" where several were ablated at once.
    mode : str
        "remove", "keep" or "mean"; for a curve followed by its order, "remove by positive".
    n : int
        How many channels (or positions) were selected.
    label : str
    before, after : float
        The class's score.
    """

    image: str
    layer: str
    mode: str
    n: int
    label: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, eq=False)
class AblationResult:
    """N pictures before and after an ablation.

    Attributes
    ----------
    layers : tuple of str
        The ablated layers or tensors.
    mode : str
    selected : ndarray, int64, (N,)
        Channels selected in each picture, over all layers; positions, where a mask chose these.
    before, after : ndarray, float32, (N, classes)
        The explained outputs (logits).
    target : ndarray, int64, (N,)
        The class that is looked at; −1 where the target was an array over the outputs.
    weights : ndarray, float32, (N, classes)
        The target as weights over the outputs.
    labels : tuple of str, (classes,)
    """

    layers: tuple[str, ...]
    mode: str
    selected: NDArray[np.int64]
    before: Array
    after: Array
    target: NDArray[np.int64]
    weights: Array
    labels: tuple[str, ...]

    @property
    def score_before(self) -> Scores:
        """Score of the target, Σ weights·outputs, before; (N,)."""
        return _score(self.weights, self.before)

    @property
    def score_after(self) -> Scores:
        """Score of the target, Σ weights·outputs, after; (N,)."""
        return _score(self.weights, self.after)

    def top(self, picture: int = 0, count: int = TOP) -> tuple[ScoreChange, ...]:
        """Compare the highest classes before with those after.

        Parameters
        ----------
        picture : int
        count : int

        Returns
        -------
        tuple of ScoreChange
            The ``count`` highest classes before, by rank; then those that are among the highest
            only after, by their new rank.
        """
        if not -len(self.before) <= picture < len(self.before):
            raise InputError(f"picture {picture}: there are pictures 0 to {len(self.before) - 1}.")
        before, after = self.before[picture], self.after[picture]
        listed = dict.fromkeys([*by_rank(before)[:count], *by_rank(after)[:count]])
        return changes_of(before, after, listed, self.labels.__getitem__)

    def rows(self, images: Sequence[str]) -> Iterator[AblationRow]:
        """Yield the lines of ablation.csv: for each picture the classes of :meth:`top`.

        Parameters
        ----------
        images : sequence of str
            The pictures' names.
        """
        layer = " + ".join(self.layers)
        for picture, image in enumerate(named(images, len(self.before))):
            n = int(self.selected[picture])
            for c in self.top(picture):
                yield AblationRow(image, layer, self.mode, n, c.label, c.before, c.after)


@dataclass(frozen=True, slots=True, eq=False)
class AblationCurve:
    """The target's score with the first n channels of an order selected, for several n.

    Attributes
    ----------
    layer, mode, ranking, score : str
        As asked for; ranking is "given" where it was an array.
    counts : ndarray, int64, (S,)
        The numbers n of selected channels, growing.
    channels : int
        How many the layer has.
    unchanged : ndarray, float64, (N,)
        The score of the network as it is.
    scores : ndarray, float64, (N, S)
        In the order of the ranking; for "random" the mean over the seeds.
    random : ndarray, float64, (seeds, N, S)
        In random orders, one a seed and the same for all pictures.
    order : ndarray, int64, (N, C)
        The channels in the order of the ranking; for "random" that of the first seed.
    target : ndarray, int64, (N,)
        The class; −1 where the target was an array over the outputs.
    labels : tuple of str, (N,)
        The target's label of every picture.
    """

    layer: str
    mode: str
    ranking: str
    score: str
    counts: NDArray[np.int64]
    channels: int
    unchanged: Scores
    scores: Scores
    random: Scores
    order: NDArray[np.int64]
    target: NDArray[np.int64]
    labels: tuple[str, ...]

    @property
    def fractions(self) -> Scores:
        """Share of the layer's channels that is selected, n / C, (S,)."""
        return self.counts / self.channels

    @property
    def area(self) -> Scores:
        """Area under the curve, ∫ score df over the fraction f, per unit of f, (N,).

        By trapezoids, from the first to the last fraction, which are 0 and 1 unless the counts say
        otherwise; so it is a mean score, in the score's own units: within [0, 1] for probabilities.
        """
        return self._area(self.scores)

    @property
    def random_area(self) -> Scores:
        """Area under the curve of every random order, (seeds, N)."""
        return self._area(self.random)

    @property
    def random_band(self) -> tuple[Scores, Scores]:
        """The lowest and the highest score over the seeds, (N, S) each.

        Raises
        ------
        InputError
            The curve was made without seeds.
        """
        if not len(self.random):
            raise InputError("the curve has no random orders: make it with seeds=5.")
        return self.random.min(axis=0), self.random.max(axis=0)

    def rows(self, images: Sequence[str]) -> Iterator[AblationRow]:
        """Yield the lines of ablation.csv, one for every picture and count.

        Parameters
        ----------
        images : sequence of str
            The pictures' names.
        """
        mode = f"{self.mode} by {self.ranking}"
        for picture, image in enumerate(named(images, len(self.scores))):
            before = float(self.unchanged[picture])
            for n, after in zip(self.counts, self.scores[picture], strict=True):
                label = self.labels[picture]
                yield AblationRow(image, self.layer, mode, int(n), label, before, float(after))

    def _area(self, scores: Scores) -> Scores:
        if len(self.counts) == 1:
            return scores[..., 0]
        return area_under_curve(self.fractions - self.fractions[0], scores)


def named(images: Sequence[str], count: int) -> Sequence[str]:
    """Return the names, one for each picture.

    Raises
    ------
    InputError
        There are more or fewer names than pictures.
    """
    if isinstance(images, str) or len(images) != count:
        raise InputError(f"images: give a list of {count} names, one for each picture.")
    return images


def _score(weights: Array, outputs: Array) -> Scores:
    """Σ weights·outputs of every picture."""
    return np.asarray(np.einsum("nc,nc->n", weights, outputs, dtype=np.float64), np.float64)
