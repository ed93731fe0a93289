"""How a network's input is a picture: which axes are pixels, and what a number is as a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError
from onnxlrp.graph.model import Model
from onnxlrp.preprocess import Preprocessing

Pixels = NDArray[np.float64]

WHITE = 255.0


@dataclass(frozen=True, slots=True)
class Canvas:
    """The input of one picture, seen as C planes of pixels.

    p = (x·std_c + mean_c)·scale   where the preprocessing is known, else p = x

    Attributes
    ----------
    shape : tuple of int
        Of one picture's input, without the batch.
    channel_axis : int or None
        Its channels among these axes; None where every number is a pixel: input (N, features).
    dtype : numpy.dtype
        Of the input.
    preprocessing : Preprocessing or None
        None: pixel values are the input's own.
    """

    shape: tuple[int, ...]
    channel_axis: int | None
    dtype: np.dtype[Any]
    preprocessing: Preprocessing | None

    @classmethod
    def of(cls, model: Model, x: NDArray[Any]) -> Canvas:
        """The canvas of a model's checked input (N, ...).

        Raises
        ------
        InputError
            The model's preprocessing speaks of another number of channels.
        """
        shape, preprocessing = x.shape[1:], model.preprocessing
        if preprocessing is None:
            return cls(shape, 0 if len(shape) > 1 else None, x.dtype, None)
        axis = 0 if preprocessing.layout == "NCHW" else len(shape) - 1
        if len(shape) != 3 or shape[axis] != len(preprocessing.channels):
            raise InputError(
                f"x of shape {x.shape} is no {preprocessing.layout} batch of "
                f"{preprocessing.channels} pictures, as the model's preprocessing has it: load the "
                "model with another preprocessing=."
            )
        return cls(shape, axis, x.dtype, preprocessing)

    @property
    def spatial(self) -> tuple[int, ...]:
        """Sizes of the axes of pixels: (H, W), (T,), (D, H, W)."""
        return tuple(size for axis, size in enumerate(self.shape) if axis != self.channel_axis)

    @property
    def note(self) -> str:
        """Say for people what the fills' numbers are."""
        if self.preprocessing is not None:
            return "Fills are pixel values from 0 to 255."
        return (
            "No preprocessing is known: fills are in the input's own units, and noise spans each "
            "picture's own range."
        )

    def planes(self, sample: NDArray[Any]) -> NDArray[Any]:
        """View one picture's input as (C, pixels), the pixels in reading order."""
        if self.channel_axis is None:
            return sample.reshape(1, -1)
        return np.moveaxis(sample, self.channel_axis, 0).reshape(self.shape[self.channel_axis], -1)

    def pixels(self, sample: NDArray[Any]) -> Pixels:
        """Return the pixel values of one picture's input: (C, *spatial) float64."""
        values = self.planes(sample).astype(np.float64).reshape(-1, *self.spatial)
        if self.preprocessing is None:
            return values
        mean, std = self._per_channel(values.ndim)
        return (values * std + mean) * self.preprocessing.scale

    def values(self, pixels: Pixels) -> NDArray[Any]:
        """Return what pixel values (C, ...) become in the input, in its type, of the same shape."""
        if self.preprocessing is not None:
            mean, std = self._per_channel(pixels.ndim)
            pixels = (pixels / self.preprocessing.scale - mean) / std
        if self.dtype.kind in "iu":
            ends = np.iinfo(self.dtype)
            pixels = np.clip(np.rint(pixels), ends.min, ends.max)
        return pixels.astype(self.dtype)

    def sample(self, pixels: Pixels) -> NDArray[Any]:
        """Return the input of one picture (shape) that has these pixel values (C, *spatial)."""
        made = np.empty(self.shape, self.dtype)
        self.planes(made)[...] = self.values(pixels).reshape(len(pixels), -1)
        return made

    def limits(self, pixels: Pixels) -> tuple[float, float]:
        """Darkest and brightest value there can be: 0 and 255, else the picture's own extremes."""
        if self.preprocessing is not None:
            return 0.0, WHITE
        return float(pixels.min()), float(pixels.max())

    def _per_channel(self, ndim: int) -> tuple[Pixels, Pixels]:
        """Mean and deviation, shaped to broadcast to (C, ...)."""
        assert self.preprocessing is not None
        shape = (-1, *(1,) * (ndim - 1))
        mean, std = self.preprocessing.mean, self.preprocessing.std
        return np.asarray(mean).reshape(shape), np.asarray(std).reshape(shape)
