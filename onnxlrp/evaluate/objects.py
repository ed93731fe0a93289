"""Where the object is in a picture, as the network sees the picture: from masks and boxes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from onnxlrp.errors import InputError
from onnxlrp.evaluate.localisation import box_mask
from onnxlrp.graph.model import Model

Size = tuple[int, int]
"""Height and width in pixels."""


def seen_mask(
    model: Model, mask: NDArray[Any], original: Size | None, seen: Size
) -> NDArray[np.float64]:
    """Cut and scale a mask as its picture is cut and scaled for the network.

    Parameters
    ----------
    model : Model
    mask : ndarray, uint8, (H, W)
        255 inside.
    original : (int, int) or None
        Height and width of the picture before preprocessing; None: it is not preprocessed.
    seen : (int, int)
        Height and width of what the network sees.

    Returns
    -------
    ndarray, float64, seen
        From 0 (outside) to 1.

    Raises
    ------
    InputError
        It has neither size.
    """
    if mask.shape == original and model.preprocessing is not None:
        image = Image.fromarray(mask).convert("RGB")
        picture = model.preprocessing.to_picture(model.preprocess(image))[0]
        return np.asarray(picture.mean(axis=2) / 255.0)
    if mask.shape != seen:
        sizes = f"{seen[1]}×{seen[0]} pixels as the network sees it"
        if original is not None:
            sizes = f"{original[1]}×{original[0]} pixels, {sizes}"
        raise InputError(
            f"mask: has {'×'.join(map(str, mask.shape[::-1]))} pixels; the picture has {sizes}: "
            "make a mask of one of these sizes."
        )
    return mask.astype(np.float64) / 255.0


def read_mask(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read a picture that is white inside and black outside.

    Raises
    ------
    InputError
        It is no picture.
    """
    try:
        with Image.open(path) as file:
            return np.asarray(file.convert("L"))
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"mask '{path}': cannot be read as a picture: {error}.") from error


def picture_size(image: Any) -> Size | None:
    """Height and width of a picture before preprocessing; None if it is no picture."""
    if isinstance(image, np.ndarray):
        return image.shape[:2] if image.dtype == np.uint8 and image.ndim in (2, 3) else None
    if isinstance(image, Image.Image):
        return image.height, image.width
    with Image.open(image) as file:
        return file.height, file.width


def object_mask(
    model: Model, image: Any, given: Path | str | NDArray[Any], seen: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Find the pixels of the object in what the network sees.

    Parameters
    ----------
    model : Model
    image : path, PIL image, uint8 array, or array of the network's input
        The picture.
    given : Path, str, or ndarray, bool, (H, W)
        A mask in a file (white inside); boxes as text, "left top right bottom; …" in pixels of the
        picture; or a mask.
    seen : tuple of int
        Sizes of what the network sees.

    Raises
    ------
    InputError
        It cannot be read, does not fit the picture, or nothing of it is in what the network sees.
    """
    if len(seen) != 2:
        raise InputError(
            f"masks need pictures of rows and columns; this input has {len(seen)} axes."
        )
    original = picture_size(image)
    if isinstance(given, Path):
        mask = read_mask(given)
    elif isinstance(given, str):
        mask = _boxes(given, original or (seen[0], seen[1])).astype(np.uint8) * 255
    else:
        mask = (np.asarray(given) != 0).astype(np.uint8) * 255
    inside: NDArray[np.bool_] = seen_mask(model, mask, original, (seen[0], seen[1])) >= 0.5
    if not inside.any():
        raise InputError("mask: nothing of the object is in what the network sees.")
    return inside


def _boxes(text: str, size: Size) -> NDArray[np.bool_]:
    """Read boxes.

    Examples
    --------
    >>> _boxes("1 0 3 1", (2, 3)).astype(int).tolist()
    [[0, 1, 1], [0, 0, 0]]
    """
    try:
        boxes = [[int(edge) for edge in box.split()] for box in text.split(";") if box.strip()]
    except ValueError as error:
        raise InputError(f"box {text!r}: write 'left top right bottom' in pixels.") from error
    if any(len(box) != 4 for box in boxes):
        raise InputError(f"box {text!r}: write 'left top right bottom' in pixels.")
    return box_mask(boxes, size)
