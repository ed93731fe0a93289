"""Read a picture from wherever it comes, as a plain 8-bit Pillow image of the wanted mode."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from onnxlrp.errors import InputError

Picture: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]
Pictures: TypeAlias = Picture | Iterable[Picture]


def read_pictures(pictures: Pictures, mode: str) -> list[Image.Image]:
    """Read one picture or many, each as an 8-bit image of mode "RGB" or "L"."""
    if isinstance(pictures, np.ndarray) and pictures.ndim == 4:
        pictures = list(pictures)
    if isinstance(pictures, str | os.PathLike | Image.Image | np.ndarray):
        return [_read(pictures, mode, "the picture")]
    if not isinstance(pictures, Iterable):
        raise InputError(
            f"A {type(pictures).__name__} is no picture: pass a path, a Pillow image, a uint8 "
            "array (H, W[, 3]), or a list of these."
        )
    images = [_read(each, mode, f"picture {i}") for i, each in enumerate(pictures)]
    if not images:
        raise InputError("The list of pictures is empty: pass at least one.")
    return images


def _read(picture: Picture, mode: str, name: str) -> Image.Image:
    """Read one picture; `name` is how a message calls it if it is not a file."""
    if isinstance(picture, str | os.PathLike):
        path = os.fspath(picture)
        return _to_mode(open_picture(Path(picture), path), mode, f"'{path}'")
    if isinstance(picture, np.ndarray):
        return _to_mode(_from_array(picture, name), mode, name)
    if isinstance(picture, Image.Image):
        return _to_mode(ImageOps.exif_transpose(picture), mode, name)
    raise InputError(
        f"{name} is a {type(picture).__name__}: pass a path, a Pillow image or a uint8 array."
    )


def open_picture(source: Path | IO[bytes], name: str) -> Image.Image:
    """Decode a file completely and turn it upright.

    Parameters
    ----------
    source : path or binary file
    name : str
        What a message calls it.

    Raises
    ------
    InputError
        There is none, it is no picture, damaged, or too large to decode safely.
    """
    try:
        with Image.open(source) as image:
            image.load()
            return ImageOps.exif_transpose(image)
    except FileNotFoundError as error:
        raise InputError(f"There is no picture '{name}': check the path.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise InputError(f"'{name}' cannot be read: {error.strerror}.") from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"'{name}' is not a picture: its content is no image format that Pillow reads."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"'{name}' would unpack to more pixels than is safe to decode: scale it down first."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        # Pillow's decoders raise all of these on files that break off or hold garbage.
        raise InputError(f"'{name}' is damaged or truncated: {error}.") from error


def _from_array(pixels: NDArray[np.uint8], name: str) -> Image.Image:
    """Wrap a uint8 array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."""
    if pixels.dtype != np.uint8:
        raise InputError(
            f"{name} is an array of {pixels.dtype}: pass uint8 pixels (0 to 255), or give the "
            "preprocessed input tensor to `explain` directly."
        )
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise InputError(
            f"{name} has shape {pixels.shape}: expected (height, width), or (height, width, 3) in "
            "RGB order."
        )
    if 0 in pixels.shape:
        raise InputError(f"{name} has shape {pixels.shape}: it holds no pixel.")
    return Image.fromarray(np.ascontiguousarray(pixels))


def _to_mode(image: Image.Image, mode: str, name: str) -> Image.Image:
    """Bring any colour mode to 8-bit "RGB" or "L"; what is transparent becomes white."""
    if image.mode == "F":
        raise InputError(f"{name} has floating-point pixels of unknown range: save it as 8 bits.")
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = _from_16_bit(image, name)
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        image = opaque.convert("RGB")
    return image.convert(mode)


def _from_16_bit(image: Image.Image, name: str) -> Image.Image:
    """Scale 0..65535 to 0..255; Pillow's own conversion would clip instead."""
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise InputError(f"{name} has pixels outside 0..65535: save it as 8 or 16 bits.")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))
