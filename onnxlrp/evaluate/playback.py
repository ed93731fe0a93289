"""One curve's pictures again, to look at: what flip_pixels ran, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from onnxlrp.errors import InputError
from onnxlrp.evaluate.aim import Aim
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.changes import ScoreChange
from onnxlrp.evaluate.checks import seeds_of, whole_number
from onnxlrp.evaluate.designs import Design, named_designs, relevance_maps
from onnxlrp.evaluate.fills import Fill, checked_fill
from onnxlrp.evaluate.ordering import MORF, checked_orders
from onnxlrp.evaluate.perturbation import FlipSequence
from onnxlrp.evaluate.predictions import score_changes
from onnxlrp.evaluate.predictor import Array, Predictor
from onnxlrp.evaluate.protocol import Protocol, cut_pictures, tasks
from onnxlrp.evaluate.regions import Unit
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.feed import checked_input
from onnxlrp.target import AnyTarget, as_scores
from onnxlrp.target.classes import flat


def flip_sequence(
    model: Model,
    x: Any,
    design: Design,
    *,
    target: AnyTarget = "top1",
    order: str = MORF,
    unit: Unit = 1,
    steps: int | None = 100,
    until: float = 1.0,
    growth: str = "linear",
    fill: Fill = "mean",
    run: int = 0,
    seed: int = 0,
    device: Device = "auto",
) -> FlipSequence:
    """Return the pictures x⁽⁰⁾ … x⁽ᴸ⁾ whose scores are one curve of :func:`flip_pixels`.

    Parameters
    ----------
    model : Model
    x : array of numbers, the model's input shape, one picture: (1, ...)
        A model of a fixed batch gets that many; the first one is looked at.
    design : composite, preset's name or relevance array
    target, order, unit, steps, until, growth, fill, seed, device
        As for :func:`flip_pixels`; with the same values the pictures are the same.
    run : int
        Which of the repeats, from 0 on; where nothing is random there is only run 0.

    Returns
    -------
    FlipSequence
        ``.at(step)`` is a picture, ``.pictures()`` all of them, ``.fractions`` how much is flipped.

    Raises
    ------
    InputError, TargetError, CompositeError
        The argument at fault, and what to do.

    Examples
    --------
    >>> import numpy as np
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.zeros((1, 3, 227, 227), np.float32)
    >>> sequence = flip_sequence(model, x, np.ones((1, 227, 227)), unit=50, steps=5)
    >>> sequence.steps, sequence.at(3).shape
    (5, (3, 227, 227))
    """
    pictures = checked_input(model, x)
    if len(pictures) != (model.fixed_batch or 1):
        raise InputError(f"x holds {len(pictures)} pictures: one is looked at, pass x[i : i + 1].")
    canvas = Canvas.of(model, pictures)
    repeats = whole_number("run", run, 0) + 1
    protocol = Protocol(checked_orders([order]), checked_fill(fill, canvas), repeats)
    if run >= protocol.runs:
        raise InputError(f"run={run}: nothing is random in this curve, there is only run 0.")
    seeds = seeds_of(seed, len(pictures))
    named = named_designs([design])
    (cut,) = cut_pictures(pictures, canvas, unit, steps, until, growth)
    aim = Aim.at(model, pictures, target, device, None)
    maps = relevance_maps(model, pictures, named, aim.target, canvas, device)
    ranked = {name: relevance[0] for name, relevance in maps.items()}
    return list(tasks(protocol, canvas, pictures[0], cut, ranked, seeds[0]))[run].flips


@dataclass(frozen=True, slots=True, eq=False)
class Playback:
    """The pictures of one curve, and what the network makes of each.

    Attributes
    ----------
    model : Model
    flips : FlipSequence
    outputs : ndarray, float32, (L + 1, classes), or (L + 1, …) of maps
        Explained outputs of x⁽⁰⁾ … x⁽ᴸ⁾.
    """

    model: Model
    flips: FlipSequence
    outputs: Array

    def top(self, step: int, count: int = 5) -> tuple[ScoreChange, ...]:
        """List the leading classes of x⁽ᵏ⁾, k = ``step``, beside what they were in x⁽⁰⁾.

        Raises
        ------
        InputError
            There is no such step.
        """
        if not 0 <= step <= self.flips.steps:
            raise InputError(f"step={step}: this curve has steps 0 to {self.flips.steps}.")
        outputs = flat(self.outputs)
        return score_changes(self.model, outputs[0], outputs[step], count)


def play(
    model: Model,
    flips: FlipSequence,
    *,
    device: Device = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Playback:
    """Run the pictures of one curve, and keep what the network makes of each.

    Parameters
    ----------
    model : Model
    flips : FlipSequence
        From :func:`flip_sequence`.
    device : "auto", "cpu" or "cuda"
    progress : callable(done, total)
        Of the pictures, x⁽⁰⁾ among them; may raise to stop.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.zeros((1, 3, 227, 227), np.float32)
    >>> played = play(model, flip_sequence(model, x, np.ones((1, 227, 227)), unit=50, steps=5))
    >>> played.outputs.shape, len(played.top(5))
    ((6, 1000), 5)
    """
    predictor = Predictor(model, device)
    total = flips.steps + 1
    outputs = []
    for output in predictor.stream(chain([flips.picture], flips.pictures())):
        outputs.append(output)
        if progress is not None:
            progress(len(outputs), total)
    return Playback(model, flips, as_scores(np.stack(outputs), model, predictor.tensor))
