"""The score as more and more channels of a layer are silenced, in one order and at random."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.errors import InputError
from onnxlrp.evaluate.ablation_result import AblationCurve, Scores
from onnxlrp.evaluate.ablator import Ablator, Mode, Site
from onnxlrp.evaluate.checks import choice, whole_number
from onnxlrp.evaluate.neurons import activation_of, by_channel, neuron_table, ranked
from onnxlrp.evaluate.rerun import Row
from onnxlrp.evaluate.scoring import SCORES, check_target, is_sigmoid, score_outputs
from onnxlrp.evaluate.selection import along
from onnxlrp.explainer import explain
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.target import AnyTarget, choose

Ranking = Literal["positive", "absolute", "negative", "relevance", "activation", "random"]

Progress = Callable[[int, int], None]
"""Called with (ablations done, ablations in all)."""


def ablation_curve(
    model: Model,
    x: Any,
    layer: str | int,
    ranking: Ranking | NDArray[Any] = "positive",
    composite: Composite | str = "epsilon_plus",
    counts: int | Sequence[int] | None = None,
    mode: Mode = "remove",
    score: str = "logit",
    seeds: int | Iterable[int] = 5,
    *,
    target: AnyTarget = "top1",
    reference: Any = None,
    axis: int | None = None,
    device: Device = "auto",
    batch: int | None = None,
    progress: Progress | None = None,
) -> AblationCurve:
    """Silence the first n channels of a layer, n = 0 … all, and follow the target's score.

    Parameters
    ----------
    model, x, layer, mode, reference, axis, device
        As for :func:`onnxlrp.evaluate.ablate`.
    ranking : str or array of numbers (C,) or (N, C)
        Which channels go first: those of the highest Σ R⁺ ("positive"), Σ |R| ("absolute"), Σ R
        ("relevance"), mean activation ("activation"), or of the highest number in the array; those
        of the lowest Σ R⁻ ("negative"); or "random". Of equal ones the lower channel goes first.
    composite : Composite or str
        The design whose relevance ranks.
    counts : int or sequence of int, optional
        That many steps from none to all channels, or the numbers n themselves; None: every n.
    score : "logit", "probability", "rank", "top_logit" or "top_probability"
        Of the target: its explained output, what softmax makes of it (sigmoid, where the network
        ends in one), or its rank, 1 being the best; or of whichever class leads.
    seeds : int or iterable of int
        One random order each, to compare with; a number means seeds 0, 1, … as many; 0: none.
    target : int, one int a picture, "top1", a label, or float weights (classes,) or (N, classes)
        "top1" is the highest class of the unchanged network.
    batch : int, optional
        Ablations run at once; None: as many as memory allows, at most 64.
    progress : callable(done, total), optional

    Raises
    ------
    InputError, ModelError, TargetError, CompositeError, NumericalError
        The argument at fault, and what to do.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.ones((1, 3, 227, 227), np.float32)
    >>> curve = onnxlrp.evaluate.ablation_curve(model, x, "conv10", "activation", counts=2)
    >>> curve.counts.tolist(), curve.scores.shape, curve.random.shape
    ([0, 500, 1000], (1, 3), (5, 1, 3))
    """
    if isinstance(ranking, str):
        choice("ranking", ranking, get_args(Ranking))
    at_random = isinstance(ranking, str) and ranking == "random"
    choice("score", score, SCORES)
    ablator = Ablator(model, x, {layer: axis}, mode, reference, device, batch)
    (site,), rerun = ablator.sites, ablator.rerun
    steps = _steps(site, counts)
    before = rerun.outputs(map(rerun.unchanged, range(rerun.pictures)))
    chosen = choose(model, before, target)
    check_target(score, chosen)
    orders = _random_orders(seeds, rerun.pictures, site.channels)
    if not at_random:
        explained = target if (chosen.index < 0).any() else chosen.index
        values = _importance(model, x, site, ranking, composite, explained, device)
        orders = np.concatenate([ranked(values)[None], orders])
    elif not len(orders):
        raise InputError("ranking 'random' needs at least one seed: seeds=[0].")
    scorer = _Scorer(chosen.weights, score, is_sigmoid(model))
    scores = _follow(ablator, orders, steps, scorer, progress)
    labels = (model.label(int(i)) if i >= 0 else "target" for i in chosen.index)
    return AblationCurve(
        layer=site.place.name,
        mode=mode,
        ranking=ranking if isinstance(ranking, str) else "given",
        score=score,
        counts=steps,
        channels=site.channels,
        unchanged=scorer.of(before, range(rerun.pictures)),
        scores=scores.mean(axis=0) if at_random else scores[0],
        random=scores if at_random else scores[1:],
        order=orders[0],
        target=chosen.index,
        labels=tuple(labels),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scorer:
    """Turns outputs into the target's score."""

    weights: NDArray[np.float32]
    score: str
    sigmoid: bool

    def of(self, outputs: NDArray[np.float32], pictures: Sequence[int]) -> Scores:
        """Score rows that belong to these pictures."""
        rows = np.asarray(pictures)
        scores = np.empty(len(rows))
        for picture in np.unique(rows):
            of_picture = rows == picture
            weights = self.weights[picture]
            scores[of_picture] = score_outputs(
                outputs[of_picture], weights, self.score, self.sigmoid
            )
        return scores


def _follow(
    ablator: Ablator,
    orders: NDArray[np.int64],
    steps: NDArray[np.int64],
    scorer: _Scorer,
    progress: Progress | None,
) -> Scores:
    """Score every picture with the first n channels of every order selected, (orders, N, S)."""
    rows = (
        _row(ablator, picture, order[:n])
        for by_picture in orders
        for picture, order in enumerate(by_picture)
        for n in steps
    )
    total = orders.shape[0] * orders.shape[1] * len(steps)
    scores = np.empty(total)
    done = 0
    for chunk, outputs in ablator.rerun.batches(rows):
        scores[done : done + len(chunk)] = scorer.of(outputs, [row.picture for row in chunk])
        done += len(chunk)
        if progress is not None:
            progress(done, total)
    return scores.reshape(*orders.shape[:2], len(steps))


def _row(ablator: Ablator, picture: int, channels: NDArray[np.int64]) -> Row:
    """Return the row that silences these channels of the only site."""
    (site,) = ablator.sites
    flags = np.zeros(site.channels, np.bool_)
    flags[channels] = True
    return ablator.row(picture, {site: along(flags, site.axis, len(site.shape))[0]})


def _random_orders(seeds: int | Iterable[int], pictures: int, channels: int) -> NDArray[np.int64]:
    """One order a seed, the same for all pictures, (seeds, N, C)."""
    given = seeds if isinstance(seeds, Iterable) else range(whole_number("seeds", seeds, 0))
    checked = [whole_number("seeds", seed, 0) for seed in given]
    orders = [np.random.default_rng(seed).permutation(channels) for seed in checked]
    stacked = np.reshape(np.asarray(orders, np.int64), (-1, 1, channels))
    return np.repeat(stacked, pictures, axis=1)


def _importance(
    model: Model,
    x: Any,
    site: Site,
    ranking: Ranking | NDArray[Any],
    composite: Composite | str,
    target: AnyTarget,
    device: Device,
) -> Scores:
    """What channels are ranked by, the highest first, (N, C)."""
    wanted = (site.shape[0], site.channels)
    if not isinstance(ranking, str):
        given = np.asarray(ranking)
        if given.shape not in (wanted, wanted[1:]) or given.dtype.kind not in "iuf":
            raise InputError(
                f"ranking of shape {given.shape} and type {given.dtype}: give a number for each of "
                f"the {wanted[1]} channels of {site.place.name}, or an array {wanted}."
            )
        return np.broadcast_to(given, wanted).astype(np.float64)
    activation = activation_of(model, x, site.place.tensor, device)
    if ranking == "activation":
        return np.asarray(by_channel(activation, site.axis).mean(axis=2), np.float64)
    name = site.place.name
    relevance = explain(model, x, composite, target, record=[name], device=device).tensors[name]
    column = neuron_table(relevance, activation, site.axis)[ranking]
    return np.asarray(-column if ranking == "negative" else column, np.float64)


def _steps(site: Site, counts: int | Sequence[int] | None) -> NDArray[np.int64]:
    """The numbers of channels to select, growing."""
    size = site.channels
    if counts is None:
        return np.arange(size + 1)
    if np.ndim(counts) == 0:
        number = whole_number("counts", counts)
        return np.unique(np.linspace(0, size, number + 1).round().astype(np.int64))
    steps = np.asarray(counts)
    if steps.ndim != 1 or steps.size == 0 or steps.dtype.kind not in "iu":
        raise InputError(f"counts={counts!r}: give a list of whole numbers.")
    if steps.min() < 0 or steps.max() > size:
        raise InputError(
            f"counts up to {steps.max()}: {site.place.name} has {size} channels; give 0 to {size}."
        )
    return np.unique(steps).astype(np.int64)
