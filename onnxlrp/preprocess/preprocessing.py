"""How a network wants its pictures: size, layout, channel order, scale, mean and deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onnxlrp.errors import InputError, did_you_mean
from onnxlrp.preprocess.guess import guess_fields
from onnxlrp.preprocess.pictures import Pictures, read_pictures
from onnxlrp.preprocess.validate import (
    checked_choice,
    checked_per_channel,
    checked_scale,
    checked_size,
    checked_std,
)

Layout = Literal["NCHW", "NHWC"]
Channels = Literal["RGB", "BGR", "L"]
Resize = Literal["crop", "stretch"]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The map from a picture to a network's input.

    x = (p / scale − mean_c) / std_c   for a pixel value p of channel c

    Parameters
    ----------
    size : (int, int) or None
        Height and width of the network's input in pixels; None keeps each picture's own size.
    layout : {"NCHW", "NHWC"}
        Order of the axes of the input tensor.
    channels : {"RGB", "BGR", "L"}
        Order of the colour channels as the network sees them; "L" is one channel of luminance.
    scale : float
        What a pixel (0 to 255) is divided by first.
    mean, std : tuple of float
        One value per channel in the order of `channels`, or one for all; in units of p / scale.
    resize : {"crop", "stretch"}
        "crop" takes the largest centred window of the wanted aspect ratio, "stretch" the whole
        picture; either is then resampled bilinearly to `size`.

    Raises
    ------
    InputError
        If a value is out of range; the message names the field.

    Examples
    --------
    >>> imagenet = Preprocessing((224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    >>> picture = np.zeros((300, 400, 3), np.uint8)
    >>> imagenet.apply(picture).shape
    (1, 3, 224, 224)
    """

    size: tuple[int, int] | None = None
    layout: Layout = "NCHW"
    channels: Channels = "RGB"
    scale: float = 255.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    resize: Resize = "crop"

    def __post_init__(self) -> None:
        checked_choice("layout", self.layout, get_args(Layout))
        checked_choice("channels", self.channels, get_args(Channels))
        checked_choice("resize", self.resize, get_args(Resize))
        n_channels = len(self.channels)
        clean = {
            "size": checked_size(self.size),
            "scale": checked_scale(self.scale),
            "mean": checked_per_channel("mean", self.mean, n_channels),
            "std": checked_std(self.std, n_channels),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    # ------------------------------------------------------------------------------------ forth
    def apply(self, images: Pictures) -> NDArray[np.float32]:
        """Turn pictures into the network's input.

        EXIF orientation is obeyed, transparency becomes white, 16 bits become 8.

        Parameters
        ----------
        images : path, PIL.Image.Image, uint8 ndarray of shape (H, W[, 3]), or a sequence of these
            Arrays are in RGB order, whatever `channels` says. (N, H, W[, 3]) is N pictures.

        Returns
        -------
        ndarray of shape (N, C, H, W) or (N, H, W, C), float32

        Raises
        ------
        InputError
            If one is no picture, is damaged, or its size does not fit; the message names it.
        """
        pictures = read_pictures(images, "L" if self.channels == "L" else "RGB")
        batch = [self._pixels(picture) for picture in pictures]
        sizes = {pixels.shape[:2] for pixels in batch}
        if len(sizes) > 1:
            shown = ", ".join(f"{height}×{width}" for height, width in sorted(sizes))
            raise InputError(
                f"Pictures of different sizes ({shown}) make no batch: set `size` in the "
                "preprocessing, or pass them one by one."
            )
        pixels = np.stack(batch)
        channel = np.arange(pixels.shape[-1])
        x = self._values()[channel, pixels]
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2) if self.layout == "NCHW" else x)

    def _pixels(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Crop and resample one picture: (H, W, C) uint8, channels in the network's order."""
        if self.size is not None:
            height, width = self.size
            if self.resize == "crop":
                # Cropping before resampling keeps pixels beyond the window out of its border.
                picture = picture.crop(_window(picture.size, (width, height)))
            picture = picture.resize((width, height), Image.Resampling.BILINEAR)
        pixels = np.atleast_3d(np.asarray(picture))
        return pixels[:, :, ::-1] if self.channels == "BGR" else pixels

    def _values(self) -> NDArray[np.float32]:
        """Tabulate the input value of every pixel value: shape (C, 256)."""
        pixel = np.arange(256, dtype=np.float64) / self.scale
        mean = np.array(self.mean, np.float64)[:, None]
        std = np.array(self.std, np.float64)[:, None]
        return ((pixel - mean) / std).astype(np.float32)

    # ------------------------------------------------------------------------------- the bounds
    @property
    def low(self) -> NDArray[np.float32]:
        """What a pixel of 0 becomes; broadcasts to the input: (1, C, 1, 1) or (1, 1, 1, C)."""
        return self._broadcastable(self._values()[:, 0])

    @property
    def high(self) -> NDArray[np.float32]:
        """What a pixel of 255 becomes; broadcasts to the input: (1, C, 1, 1) or (1, 1, 1, C)."""
        return self._broadcastable(self._values()[:, 255])

    def _broadcastable(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return values.reshape((1, -1, 1, 1) if self.layout == "NCHW" else (1, 1, 1, -1))

    # ------------------------------------------------------------------------------------- back
    def to_picture(self, x: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Turn an input tensor back into pictures.

        p = (x · std_c + mean_c) · scale

        Parameters
        ----------
        x : ndarray of shape (N, C, H, W) or (N, H, W, C), as `layout` says

        Returns
        -------
        ndarray of shape (N, H, W, 3), uint8
            RGB; values outside 0..255 are clipped.

        Raises
        ------
        InputError
            If the shape is another one.
        """
        channel_axis = 1 if self.layout == "NCHW" else 3
        if x.ndim != 4 or x.shape[channel_axis] != len(self.channels):
            raise InputError(
                f"A tensor of shape {x.shape} is no {self.layout} batch of {self.channels} "
                "pictures: pass the network's input."
            )
        last = np.moveaxis(x, channel_axis, 3).astype(np.float64)
        pixels = (last * np.array(self.std) + np.array(self.mean)) * self.scale
        picture = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
        if self.channels == "BGR":
            picture = picture[..., ::-1]
        return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:3], 3)))

    # ------------------------------------------------------------------------------- as a value
    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for JSON and YAML; `from_dict` is the inverse."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a preprocessing from its fields; those that are missing keep their default.

        Raises
        ------
        InputError
            If a field is unknown or its value out of range.

        Examples
        --------
        >>> Preprocessing.from_dict({"size": [32, 32], "scale": 1}).high.ravel()
        array([255., 255., 255.], dtype=float32)
        """
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise InputError(
                    f"Preprocessing has no field '{name}'.{did_you_mean(str(name), known)} "
                    f"Fields: {', '.join(known)}."
                )
        return cls(**values)

    @classmethod
    def guess(
        cls,
        input_shape: Sequence[int | str | None] | None,
        n_outputs: int | None,
        metadata: Mapping[str, str],
    ) -> tuple[Self | None, str]:
        """Guess from what the model's file tells; the caller shows the sentence to the user.

        Parameters
        ----------
        input_shape : sequence of (int, str or None), or None
            Shape of the model's input, if known; anything but a positive number is an open axis.
        n_outputs : int or None
            Number of classes.
        metadata : mapping of str to str
            The ONNX file's metadata properties.

        Returns
        -------
        preprocessing : Preprocessing or None
            None if the input is no picture.
        sentence : str
            What was guessed and why.
        """
        guessed, sentence = guess_fields(input_shape, n_outputs, metadata)
        return (None if guessed is None else cls.from_dict(guessed)), sentence


def _window(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int, int, int]:
    """Box (left, top, right, bottom) of the largest centred window of the wanted aspect ratio."""
    width, height = size
    if width * wanted[1] > height * wanted[0]:
        width = max(1, round(height * wanted[0] / wanted[1]))
    else:
        height = max(1, round(width * wanted[1] / wanted[0]))
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return left, top, left + width, top + height
