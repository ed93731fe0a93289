"""Which channels or positions of a tensor are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.evaluate.places import Place, Shape

Channels = int | Sequence[int] | NDArray[Any] | None
"""Numbers of channels, a mask of booleans, or None for all channels."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Elements of one tensor.

    Attributes
    ----------
    place : Place
    shape : tuple of int
        The tensor's, batch included.
    axis : int
        Its channel axis.
    mask : ndarray, bool
        As many axes as the tensor, broadcasts to it; True where selected.
    """

    place: Place
    shape: Shape
    axis: int
    mask: NDArray[np.bool_]

    @property
    def of_channels(self) -> bool:
        """Whether whole channels are selected, not single positions."""
        return all(n == 1 for i, n in enumerate(self.mask.shape) if i not in (0, self.axis))

    @property
    def count(self) -> NDArray[np.int64]:
        """How many channels, or else how many positions, are selected in each picture, (N,)."""
        size = (self.shape[self.axis],) if self.of_channels else self.shape[1:]
        flags = self.mask.reshape(len(self.mask), -1) if self.of_channels else self.mask
        whole = np.broadcast_to(flags, (self.shape[0], *size))
        counts: NDArray[np.int64] = whole.reshape(self.shape[0], -1).sum(axis=1, dtype=np.int64)
        return counts

    def of_picture(self, picture: int) -> NDArray[np.bool_]:
        """Return the mask of one picture, without the batch axis."""
        row: NDArray[np.bool_] = self.mask[picture if len(self.mask) > 1 else 0]
        return row


def select(place: Place, shape: Shape, axis: int, channels: Channels) -> Selection:
    """Read which elements of a tensor are meant.

    Parameters
    ----------
    place : Place
    shape : tuple of int
        The tensor's, batch included.
    axis : int
        Its channel axis.
    channels : int, sequence of int, ndarray of bool, or None
        Numbers of channels; a mask: (C,), one flag a channel, else any shape that broadcasts to the
        tensor's; None for all channels.

    Raises
    ------
    InputError
        No such channel, or a mask of another size.
    """
    if channels is None:
        return Selection(place, shape, axis, np.ones((1,) * len(shape), np.bool_))
    given = _array(place, channels)
    if given.dtype == np.bool_:
        return Selection(place, shape, axis, _whole_mask(place, shape, axis, given))
    size = shape[axis]
    wrong = given[(given < 0) | (given >= size)]
    if wrong.size:
        raise InputError(
            f"{place.name}: no channel {int(wrong[0])}: it has {size} of them, 0 to {size - 1} "
            f"(axis {axis} of {shape})."
        )
    flags = np.zeros(size, np.bool_)
    flags[given] = True
    return Selection(place, shape, axis, along(flags, axis, len(shape)))


def along(values: NDArray[Any], axis: int, rank: int) -> NDArray[Any]:
    """Lay (C,) or (N, C) values out along the channel axis of a tensor of that rank."""
    shape = [1] * rank
    shape[axis] = values.shape[-1]
    if values.ndim == 2:
        shape[0] = len(values)
    return values.reshape(shape)


def _array(place: Place, channels: Channels) -> NDArray[Any]:
    """Return numbers of channels, (n,), or a mask, as an array."""
    try:
        given = np.asarray(channels)
    except ValueError:  # lists of different lengths
        given = np.asarray("ragged")
    if given.size == 0 and given.ndim == 1:
        given = given.astype(np.int64)
    if given.dtype != np.bool_ and (given.dtype.kind not in "iu" or given.ndim > 1):
        raise InputError(
            f"{place.name}: {given.dtype} values of shape {given.shape} choose no channels: give "
            "their numbers, or a mask of booleans (mask > 0.5)."
        )
    return given if given.dtype == np.bool_ else np.atleast_1d(given)


def _whole_mask(
    place: Place, shape: Shape, axis: int, mask: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Give a mask as many axes as the tensor has."""
    if mask.shape == (shape[axis],):
        return along(mask, axis, len(shape))
    try:
        fits = np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise InputError(
            f"{place.name}: a mask of shape {mask.shape} does not fit its tensor of shape {shape}: "
            f"give ({shape[axis]},), one flag a channel, or a shape that broadcasts to it."
        )
    return mask.reshape((1,) * (len(shape) - mask.ndim) + mask.shape)
