"""Which path is the network and which are pictures, and what the network gets to see of them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from onnxlrp import assets
from onnxlrp.errors import InputError
from onnxlrp.graph.model import Model
from onnxlrp.render.names import distinct
from onnxlrp.runtime.feed import checked_input

ARRAYS = (".npy", ".npz")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture, ready for the network.

    Attributes
    ----------
    name : str
        What its result files are called after; no two samples of a run share it.
    source : str
        The path it came from.
    x : ndarray, the model's input shape with a batch of 1
    picture : ndarray, uint8, (H, W, 3), or None
        What the network sees, as a person would; None where the input is no picture.
    """

    name: str
    source: str
    x: NDArray[Any]
    picture: NDArray[np.uint8] | None


def sort_paths(paths: Sequence[Path]) -> tuple[Path | None, list[Path]]:
    """Tell the network from the pictures.

    The network is the first path that ends in .onnx; if none does, the first path, if it is a file
    and neither a picture nor an array; else None, for the packaged one.

    Raises
    ------
    InputError
        Two networks.
    """
    networks = [path for path in paths if path.suffix.lower() == ".onnx"]
    if len(networks) > 1:
        raise InputError(
            f"{networks[0]} and {networks[1]} are both networks: explain one at a time."
        )
    if not networks and paths and _is_network(paths[0]):
        networks = [paths[0]]
    images = [path for path in paths if path not in networks]
    return (networks[0] if networks else None), images


def _is_network(path: Path) -> bool:
    """Whether a file without the ending .onnx is neither a picture nor an array."""
    if not path.is_file() or path.suffix.lower() in (*ARRAYS, *Image.registered_extensions()):
        return False
    try:
        with Image.open(path):
            return False
    except (UnidentifiedImageError, OSError):
        return True


def packaged_pictures(network: Path | None) -> list[Path]:
    """Return the packaged pictures; they go with the packaged network only.

    Raises
    ------
    InputError
        It is another network.
    """
    if network is None:
        return list(assets.default_images().values())
    raise InputError(
        f"{network}: no picture was given. Name one or more: onnxlrp explain {network} cat.jpg"
    )


def read_samples(model: Model, paths: Sequence[Path]) -> list[Sample]:
    """Read pictures and arrays into what the network takes.

    Raises
    ------
    InputError
        A file that is neither, or does not fit the network; names it.
    """
    found = [(stem, path, x) for path in paths for stem, x in _tensors(model, path)]
    names = distinct(stem for stem, _, _ in found)
    return [
        Sample(name, str(path), x, _seen(model, x))
        for name, (_, path, x) in zip(names, found, strict=True)
    ]


def _tensors(model: Model, path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield every picture in a file as (name, input tensor of a batch of 1)."""
    if path.suffix.lower() not in ARRAYS:
        yield path.stem, model.preprocess(path)
        return
    array = _read_array(path)
    as_pictures = array.dtype == np.uint8 and model.input.dtype != "uint8"
    try:
        x = model.preprocess(array) if as_pictures else checked_input(model, _batched(model, array))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    for i in range(len(x)):
        yield (path.stem if len(x) == 1 else f"{path.stem}_{i}"), x[i : i + 1]


def _batched(model: Model, array: NDArray[Any]) -> NDArray[Any]:
    """Put a batch axis in front where only that is missing."""
    wanted = model.input.shape
    return array[None] if wanted is not None and array.ndim == len(wanted) - 1 else array


def _read_array(path: Path) -> NDArray[Any]:
    """Read the array of a .npy file; of a .npz file "x", or the only one it holds."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            if "x" not in loaded.files and len(loaded.files) != 1:
                raise InputError(
                    f"{path}: holds {', '.join(loaded.files) or 'nothing'}; store the network's "
                    "input under the name 'x'."
                )
            array: NDArray[Any] = loaded["x" if "x" in loaded.files else loaded.files[0]]
            return array
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; check the path.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: is no array of numbers that NumPy saved: {error}; save it with numpy.save."
        ) from error


def _seen(model: Model, x: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Turn the input back into a picture, where the preprocessing says how."""
    if model.preprocessing is None or x.ndim != 4:
        return None
    picture: NDArray[np.uint8] = model.preprocessing.to_picture(x)[0]
    return picture
