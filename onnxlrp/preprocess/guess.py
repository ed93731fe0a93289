"""Guess the preprocessing from what a model's file tells: its metadata, else its input's shape."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from onnxlrp.errors import InputError

METADATA_KEY = "onnxlrp.preprocessing"
"""Metadata property that holds the fields of a Preprocessing as JSON."""

_TEXT_KEY = "preprocess"
_NUMBER = r"-?\d+(?:\.\d+)?"
_ADVICE = "If that is wrong, pass preprocessing=Preprocessing(...)."

_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
_MNIST = {"mean": [0.1307], "std": [0.3081]}
_PLUS_MINUS_ONE = {"mean": [0.5], "std": [0.5]}


def guess_fields(
    input_shape: Sequence[int | str | None] | None,
    n_outputs: int | None,
    metadata: Mapping[str, str],
) -> tuple[dict[str, Any] | None, str]:
    """Return the fields of a Preprocessing, or None if the input is no picture, and a sentence."""
    if METADATA_KEY in metadata:
        return _from_json(metadata[METADATA_KEY]), f"Preprocessing as the model's {METADATA_KEY}."
    geometry = _geometry(input_shape)
    if geometry is None:
        shape = "of unknown shape" if input_shape is None else str(tuple(input_shape))
        return None, f"Input {shape} is no picture (N, C, H, W): bring your own array."
    described = _from_text(metadata.get(_TEXT_KEY, ""), len(geometry["channels"]))
    if described is not None:
        text = metadata[_TEXT_KEY]
        return geometry | described, f"Preprocessing as the model's metadata describes it: {text}."
    values, why = _typical_values(geometry, n_outputs)
    layout, channels = geometry["layout"], geometry["channels"]
    guessed = f"Guessed preprocessing: {channels}, {layout}, {_size_text(geometry)}, {why}."
    return geometry | values, f"{guessed} {_ADVICE}"


def _from_json(text: str) -> dict[str, Any]:
    """Parse the fields that the model's maker wrote for us."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"The model's metadata {METADATA_KEY} is not JSON ({error}): pass preprocessing=..."
        ) from error
    if not isinstance(values, dict):
        raise InputError(
            f"The model's metadata {METADATA_KEY} is no JSON object: pass preprocessing=..."
        )
    return values


def _geometry(input_shape: Sequence[int | str | None] | None) -> dict[str, Any] | None:
    """Layout, channels and size if the shape is that of pictures; channels-first if both fit."""
    if input_shape is None or len(input_shape) != 4:
        return None
    for layout, channel_axis, spatial in (("NCHW", 1, (2, 3)), ("NHWC", 3, (1, 2))):
        if input_shape[channel_axis] in (1, 3):
            height, width = (_known(input_shape[axis]) for axis in spatial)
            size = [height, width] if height and width else None
            channels = "RGB" if input_shape[channel_axis] == 3 else "L"
            return {"size": size, "layout": layout, "channels": channels}
    return None


def _known(length: int | str | None) -> int | None:
    """Length of an axis, or None if it is open (a name, nothing, 0 or -1)."""
    return length if isinstance(length, int) and length > 0 else None


def _from_text(text: str, n_channels: int) -> dict[str, Any] | None:
    """Read a description such as "BGR 0..255 minus (104, 117, 123)" or "RGB, (x-127)/128"."""
    values: dict[str, Any] = {"scale": 1.0}
    target = text.rpartition("->")[2]
    minus = re.search(rf"minus\s*\(\s*({_NUMBER}(?:\s*,\s*{_NUMBER})*)\s*\)", target)
    affine = re.search(rf"\(\s*x\s*-\s*({_NUMBER})\s*\)\s*/\s*({_NUMBER})", target)
    if minus and minus[1].count(",") + 1 in (1, n_channels):
        values["mean"] = [float(number) for number in minus[1].split(",")]
    elif affine and float(affine[2]) > 0:
        values |= {"mean": [float(affine[1])], "std": [float(affine[2])]}
    else:
        return None
    if "BGR" in target and n_channels == 3:
        values["channels"] = "BGR"
    return values


def _typical_values(
    geometry: Mapping[str, Any], n_outputs: int | None
) -> tuple[dict[str, Any], str]:
    """Pick the values that networks of this kind are usually trained with, and say why."""
    if geometry["channels"] == "L":
        if n_outputs == 10 and geometry["size"] in ([28, 28], [32, 32]):
            return _MNIST, "normalised as MNIST (one channel, 10 outputs)"
        return {}, "pixels scaled to 0..1 (one channel)"
    if n_outputs in (1000, 1001):
        if geometry["layout"] == "NHWC":
            return _PLUS_MINUS_ONE, f"pixels scaled to -1..1 (channels last, {n_outputs} outputs)"
        return _IMAGENET, f"mean and deviation of ImageNet ({n_outputs} outputs)"
    return {}, "pixels scaled to 0..1 (nothing in the file says otherwise)"


def _size_text(geometry: Mapping[str, Any]) -> str:
    size = geometry["size"]
    return "pictures in their own size" if size is None else f"{size[0]}×{size[1]} pixels"
