"""How pictures are flipped, and the sequences of pictures that this makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.checks import whole_number
from onnxlrp.evaluate.fills import UNIFORM, Fill
from onnxlrp.evaluate.ordering import RANDOM, flipped_counts, sequence
from onnxlrp.evaluate.perturbation import FlipSequence, flip_order
from onnxlrp.evaluate.regions import Labels, Unit, regions

Place: TypeAlias = tuple[int | slice, int, int | slice]
"""[design, order, run] that a curve fills; a slice where it is the same for all."""

_ORDER, _FILL = 0, 1  # streams of random numbers: neither depends on how much the other draws


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is run with every picture.

    Attributes
    ----------
    orders : tuple of str
    fill : str or float
    repeats : int
        Runs of what is random.
    """

    orders: tuple[str, ...]
    fill: Fill
    repeats: int

    def __post_init__(self) -> None:
        whole_number("repeats", self.repeats)

    @property
    def runs(self) -> int:
        """R: how often a curve is measured."""
        return max(map(self.runs_of, self.orders))

    def runs_of(self, order: str) -> int:
        """How often the curve of one order is measured: once unless something is random."""
        return self.repeats if order == RANDOM or self.fill == UNIFORM else 1

    def sequences(self, designs: int) -> int:
        """How many sequences a picture makes: the random order has no need of a design."""
        return sum(self.runs_of(o) * (1 if o == RANDOM else designs) for o in self.orders)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A picture cut into regions.

    Attributes
    ----------
    labels : ndarray, int64, (pixels,)
        Region of every pixel.
    counts : ndarray, int64, (L + 1,)
        How many regions are flipped after each step.
    """

    labels: Labels
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One sequence of pictures to run, and the place of its curve in the result."""

    flips: FlipSequence
    place: Place
    what: str


def cut_pictures(
    pictures: NDArray[Any],
    canvas: Canvas,
    unit: Unit,
    steps: int | None,
    until: float,
    growth: str,
) -> list[Cut]:
    """Cut pictures into regions, and spread the flipping over L steps, alike for all pictures."""
    labels = [
        regions(unit, canvas, canvas.pixels(picture), n) for n, picture in enumerate(pictures)
    ]
    counts = [int(found.max()) + 1 for found in labels]
    # Superpixels differ in number: the picture that has the fewest decides on L.
    length = min(len(flipped_counts(count, steps, until, growth)) - 1 for count in counts)
    return [
        Cut(found, flipped_counts(count, length, until, growth))
        for found, count in zip(labels, counts, strict=True)
    ]


def tasks(
    protocol: Protocol,
    canvas: Canvas,
    picture: NDArray[Any],
    cut: Cut,
    maps: Mapping[str, NDArray[np.float64]],
    seed: int,
) -> Iterator[Task]:
    """Yield the sequences of one picture, whose relevance under each design is given."""
    for o, order in enumerate(protocol.orders):
        runs = protocol.runs_of(order)
        for run in range(runs):
            where_run = run if runs > 1 else slice(None)
            for d, (design, relevance) in enumerate(maps.items()):
                if order == RANDOM and d:
                    break  # one random curve stands for all designs
                random = np.random.default_rng((seed, run, _ORDER))
                first = sequence(order, cut.labels, relevance, random)
                pixels, ends = flip_order(cut.labels, first, cut.counts)
                flips = FlipSequence(
                    picture, canvas, pixels, ends, protocol.fill, (seed, run, _FILL)
                )
                where_design = slice(None) if order == RANDOM else d
                what = order if order == RANDOM else f"{design}, {order}"
                yield Task(flips, (where_design, o, where_run), what)
