"""One picture whose regions are flipped step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.canvas import Canvas, Pixels
from onnxlrp.evaluate.fills import INPAINT, Fill, filling
from onnxlrp.evaluate.inpainting import NOISE, impute
from onnxlrp.evaluate.regions import Labels


@dataclass(frozen=True, slots=True, eq=False)
class FlipSequence:
    """A picture x⁽⁰⁾ … x⁽ᴸ⁾ with more and more pixels flipped.

    Attributes
    ----------
    picture : ndarray, shape of one picture's input
        x⁽⁰⁾.
    canvas : Canvas
    order : ndarray, int64, (pixels,)
        Pixels in the order in which they are flipped.
    ends : ndarray, int64, (L + 1,)
        How many pixels of ``order`` are flipped after each step; 0 at first.
    fill : str or float
    seed : tuple of int
        Of the noise: the same seed gives the same pictures.
    """

    picture: NDArray[Any]
    canvas: Canvas
    order: NDArray[np.int64]
    ends: NDArray[np.int64]
    fill: Fill
    seed: tuple[int, ...]

    @property
    def steps(self) -> int:
        """L."""
        return len(self.ends) - 1

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Share of all pixels that is flipped after each step: (L + 1,)."""
        return self.ends / len(self.order)

    def pictures(self) -> Iterator[NDArray[Any]]:
        """Yield x⁽¹⁾ … x⁽ᴸ⁾: one and the same array, changed from step to step."""
        current = self.picture.copy()
        planes = self.canvas.planes(current)
        paint = self._imputed if self.fill == INPAINT else self._painted
        for where, values in paint(self.canvas.pixels(self.picture)):
            planes[:, where] = values
            yield current

    def at(self, step: int) -> NDArray[Any]:
        """Return x⁽ᵏ⁾ of its own, for k = ``step``.

        Raises
        ------
        InputError
            There is no such step.
        """
        if not 0 <= step <= self.steps:
            raise InputError(f"step={step}: this picture is flipped in steps 0 to {self.steps}.")
        if step == 0:
            return self.picture.copy()
        return next(islice(self.pictures(), step - 1, None)).copy()

    def _painted(self, pixels: Pixels) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
        """Yield what each step changes: pixels, and their values from one filled picture."""
        random = np.random.default_rng(self.seed)
        filled = filling(self.fill, pixels, self.canvas.limits(pixels), random)
        values = self.canvas.values(filled).reshape(len(pixels), -1)
        for start, end in zip(self.ends[:-1], self.ends[1:], strict=True):
            where = self.order[start:end]
            yield where, values[:, where]

    def _imputed(self, pixels: Pixels) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
        """Yield what each step changes: all flipped pixels, since each imputation differs."""
        limits = self.canvas.limits(pixels)
        spread = NOISE * (limits[1] - limits[0])
        noise = np.random.default_rng(self.seed).normal(0.0, spread, pixels.shape)
        flipped = np.zeros(len(self.order), np.bool_)
        for end in self.ends[1:]:
            where = self.order[:end]
            flipped[where] = True
            pixels = impute(pixels, flipped.reshape(pixels.shape[1:]), limits)
            noisy = np.clip(pixels + noise, *limits)
            yield where, self.canvas.values(noisy).reshape(len(pixels), -1)[:, where]


def flip_order(
    labels: Labels, sequence: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """From regions to pixels: those in the order of flipping, and how many after each step.

    Parameters
    ----------
    labels : ndarray, int64, (pixels,)
        Region of every pixel.
    sequence : ndarray, int64, (regions,)
        Regions in their order.
    counts : ndarray, int64, (L + 1,)
        How many regions are flipped after each step.

    Examples
    --------
    >>> flip_order(np.array([0, 0, 1, 2]), np.array([2, 0, 1]), np.array([0, 1, 3]))
    (array([3, 0, 1, 2]), array([0, 1, 4]))
    """
    position = np.empty_like(sequence)
    position[sequence] = np.arange(len(sequence))
    order = np.argsort(position[labels], kind="stable")
    sizes = np.bincount(labels, minlength=len(sequence))[sequence]
    return order, np.concatenate([[0], np.cumsum(sizes)])[counts]
