"""How a rule sees a layer's input: whole, or as the pair (x⁺, x⁻)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from onnxlrp.kernels import (
    clip_negative,
    clip_positive,
    has_negative,
    rms,
    split_signs,
    weighted_sum,
)
from onnxlrp.ops.base import Array, Shape
from onnxlrp.rules.frame import InputMap

Parts = tuple[Array, ...]
"""One array for every signal input of a layer."""


class Box(NamedTuple):
    """Where a box lies: how the rule says it, and lower and upper bounds of one sample."""

    view: InputMap
    low: Parts
    high: Parts


class Seen:
    """The layer's input as a rule sees it: x whole, or as the pair (x⁺, x⁻).

    Parameters
    ----------
    whole : one array (N, …) for every signal input
    box : where x is measured from bounds (z^B): these; the pair are the distances from both
    nonnegative : whether the network's structure rules negative elements out
    splits : whether :attr:`split` is what will be read, if there are negative elements
    """

    def __init__(
        self,
        whole: Parts,
        box: Box | None = None,
        nonnegative: bool = False,
        splits: bool = False,
    ) -> None:
        self.whole = whole
        self.constant: float | None = None
        self._has_negative = False if nonnegative else None
        self._pair: tuple[Parts, Parts | None] | None = None
        self._split: Array | None = None
        self._splits = splits
        self.box = box

    @classmethod
    def everywhere(cls, constant: float, whole: Parts) -> Seen:
        """The same number at every element, whatever the picture: one sample stands for all."""
        seen = cls(whole, nonnegative=constant >= 0)
        seen.constant = constant
        return seen

    @property
    def nbytes(self) -> int:
        """Memory held by x⁺ and x⁻ where they are not x itself."""
        made = () if self._pair is None else (*self._pair[0], *(self._pair[1] or ()))
        pair = sum(x.nbytes for x in made if not any(x is own for own in self.whole))
        return pair + (0 if self._split is None else self._split.nbytes)

    @property
    def has_negative(self) -> bool:
        """Whether there is an x⁻."""
        if self.box is not None:
            return True
        if self._has_negative is None:
            if self._splits:  # one pass finds both
                split, self._has_negative = split_signs(self.whole[0])
                self._split = split if self._has_negative else None
            else:
                self._has_negative = any(map(has_negative, self.whole))
        return self._has_negative

    @property
    def pair(self) -> tuple[Parts, Parts | None]:
        """(x⁺, x⁻); x⁻ is None where no input is negative."""
        if self._pair is None:
            if self.box is not None:
                _, low, high = self.box
                self._pair = _distances(self.whole, low), _distances(self.whole, high)
            elif not self.has_negative:
                self._pair = self.whole, None
            else:
                self._pair = (
                    _clipped(self.whole, clip_positive),
                    _clipped(self.whole, clip_negative),
                )
        return self._pair

    @property
    def split(self) -> Array:
        """x⁺ and x⁻ of the one input as (N, 2·C, …), channel by channel."""
        if self._split is None:
            (x,) = self.whole
            self._split, _ = split_signs(x)
        return self._split


def _clipped(xs: Parts, clip: Callable[[Array, Array], None]) -> Parts:
    outs = tuple(np.empty(x.shape, np.float32) for x in xs)
    for x, out in zip(xs, outs, strict=True):
        clip(x, out)
    return outs


def see_input(
    view: InputMap,
    xs: Parts,
    bounds: tuple[Parts, Parts] | None,
    nonnegative: bool,
    splits: bool = False,
) -> Seen:
    """The input under an :class:`InputMap`; ``bounds`` are (low, high), broadcasting to ``xs``.

    ``nonnegative`` and ``splits`` as in :class:`Seen`.
    """
    xs = tuple([np.ascontiguousarray(x, np.float32) for x in xs])
    if view.rms or view.linear != 1 or view.constant:
        xs = tuple([_affine(view, x) for x in xs])
        nonnegative = nonnegative and min(view.constant, view.rms, view.linear) >= 0
    if bounds is None:
        return Seen(xs, nonnegative=nonnegative, splits=splits)
    return Seen(xs, box=Box(view, *bounds))


def everywhere(constant: float, shapes: tuple[Shape, ...]) -> Parts:
    """The same number at every element of one sample."""
    return tuple(np.full((1, *shape[1:]), constant, np.float32) for shape in shapes)


def _distances(xs: Parts, bounds: Parts) -> Parts:
    return tuple(map(_minus, xs, bounds))


def _minus(x: Array, bound: Array) -> Array:
    """Each sample minus the bound."""
    if x.shape != bound.shape:
        return np.subtract(x, bound, dtype=np.float32)
    out = np.empty(x.shape, np.float32)
    weighted_sum(x, 1.0, bound, -1.0, out)
    return out


def _affine(view: InputMap, x: Array) -> Array:
    """Constant + rms·RMS(a) + linear·a, RMS over the sample."""
    offset = np.full(len(x), view.constant, np.float32)
    if view.rms:
        offset += np.float32(view.rms) * rms(x)
    shaped = offset.reshape((-1,) + (1,) * (x.ndim - 1))
    return np.asarray(shaped + np.float32(view.linear) * x, np.float32)
