"""The network on the screen and its pictures, as values; read from files or uploads."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import onnxlrp
from onnxlrp import assets
from onnxlrp.errors import InputError
from onnxlrp.graph.model import Model
from onnxlrp.inspection import Inspection, inspect
from onnxlrp.preprocess import Preprocessing

MAX_PICTURE_BYTES = 64 * 2**20
"""Files of pictures larger than this are refused: they are no pictures for a network."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A model that was opened, and the report on whether it can be explained.

    Attributes
    ----------
    model : onnxlrp Model
        With its preprocessing and labels.
    inspection : Inspection
        What ``onnxlrp check`` shows.
    name : str
    source : Path or None
        Where a share link finds it again; None for the packaged one.
    """

    model: Model
    inspection: Inspection
    name: str
    source: Path | None = None

    @property
    def sha256(self) -> str:
        """Of the file."""
        return self.model.sha256

    @property
    def explainable(self) -> bool:
        """Whether every layer has a treatment."""
        return self.inspection.explainable

    @property
    def packaged(self) -> bool:
        """Whether it is the one that comes along."""
        return self.source is None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as a network sees it.

    Attributes
    ----------
    name : str
    sha256 : str
        Of the file's bytes.
    content : bytes
        The file, so that it can be read again when the preprocessing changes.
    rgb : ndarray, uint8, (H, W, 3), or None
        What the network sees, for people; None while no network reads pictures.
    x : ndarray, float32, the model's input shape with a batch of 1
    key : str
        Hash of ``x``: names the picture in caches.
    packaged : bool
        Whether it came along.
    """

    name: str
    sha256: str
    content: bytes = field(repr=False)
    rgb: NDArray[np.uint8] = field(repr=False)
    x: NDArray[np.float32] = field(repr=False)
    key: str
    packaged: bool = False


@cache
def packaged_network() -> Network:
    """The network that comes along; read once a server, so that sessions begin at once."""
    labels = assets.default_labels()
    path = assets.default_model_path()
    model = onnxlrp.load(path, assets.default_preprocessing(), labels)
    note = "The packaged network's own preprocessing."
    model = replace(model, preprocessing_note=note)
    return Network(model, inspect(model), model.name)


def packaged_pictures() -> dict[str, bytes]:
    """Name → file of the pictures that come along."""
    return {name: path.read_bytes() for name, path in assets.default_images().items()}


def open_network(
    path: Path,
    name: str = "",
    preprocessing: Preprocessing | None = None,
    labels: Sequence[str] | None = None,
) -> Network:
    """Read a network and say layer by layer whether it can be explained; nothing is run.

    Raises
    ------
    ModelError
        The file is damaged or no ONNX model, or the labels do not fit; one line that says what.
    """
    model = assets.with_assumed_labels(onnxlrp.load(path, preprocessing, labels))
    model = replace(model, name=Path(name).stem if name else model.name)
    return Network(model, inspect(model), name or path.name, path)


def with_preprocessing(network: Network, preprocessing: Preprocessing) -> Network:
    """The same network, seeing pictures in another way; its report is made anew."""
    note = "Preprocessing as set on the screen."
    model = replace(network.model, preprocessing=preprocessing, preprocessing_note=note, derived={})
    return replace(network, model=model, inspection=inspect(model))


def with_labels(network: Network, labels: Sequence[str]) -> Network:
    """The same network with names for its classes.

    Raises
    ------
    InputError
        Not as many names as outputs.
    """
    shape = network.model.output.shape
    count = shape[-1] if shape else None
    if isinstance(count, int) and len(shape or ()) == 2 and len(labels) != count:
        raise InputError(
            f"labels: {len(labels)} names were given, the model has {count} outputs. "
            "Give one name a line, in the order of the outputs."
        )
    return replace(network, model=replace(network.model, labels=tuple(labels), labels_note=""))


def read_labels(content: bytes, name: str = "labels") -> tuple[str, ...]:
    """Class names from a text file, one a line.

    Raises
    ------
    InputError
        It is no text, or empty.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{name}: is no text file (UTF-8) with one class name a line.") from None
    names = tuple(line.strip() for line in lines)
    while names and not names[-1]:
        names = names[:-1]
    if not names:
        raise InputError(f"{name}: holds no class names; give one a line.")
    return names


def read_picture(model: Model, content: bytes, name: str, packaged: bool = False) -> Picture:
    """Read a picture as a network sees it.

    Raises
    ------
    InputError
        It is no picture, damaged or too large, or the network takes no pictures; names it.
    """
    from PIL import Image

    from onnxlrp.preprocess.pictures import open_picture

    if len(content) > MAX_PICTURE_BYTES:
        size, most = len(content) / 2**20, MAX_PICTURE_BYTES // 2**20
        raise InputError(f"'{name}' has {size:.0f} MB: a picture may have {most} MB at most.")
    image: Image.Image = open_picture(io.BytesIO(content), name)
    x = model.preprocess(image)
    preprocessing = model.preprocessing
    assert preprocessing is not None  # preprocess says so otherwise
    return Picture(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        rgb=preprocessing.to_picture(x)[0],
        x=x,
        key=hashlib.sha256(x.tobytes()).hexdigest(),
        packaged=packaged,
    )
