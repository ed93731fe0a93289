"""Arrays in a NumPy archive, read picture by picture: the archive may be larger than memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError

PICTURES = "x"
LABELS = "labels"
NAMES = "names"


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the numbers of an array in a file.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Archive:
    """A ``.npz`` file of pictures: ``x`` (N, …), and perhaps ``labels`` and ``names`` (N,).

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        Missing, damaged, without ``x``, or its arrays do not go together.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with np.load(path, allow_pickle=False) as loaded:
                if not hasattr(loaded, "files"):
                    raise InputError(f"{path}: is a single array; save it with numpy.savez(x=…).")
                if PICTURES not in loaded.files:
                    held = ", ".join(loaded.files) or "nothing"
                    raise InputError(
                        f"{path}: holds {held}; store the pictures under {PICTURES!r}."
                    )
                self.labels, self.names = (
                    loaded[key].tolist() if key in loaded.files else None for key in (LABELS, NAMES)
                )
            with self._opened() as stream:
                self._header = _header(stream)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: cannot be read as a .npz archive: {error}.") from error
        for key, given in ((LABELS, self.labels), (NAMES, self.names)):
            if given is not None and (not isinstance(given, list) or len(given) != len(self)):
                raise InputError(f"{path}: {key!r} must hold one entry for each of {len(self)}.")

    def __len__(self) -> int:
        """How many pictures there are."""
        return self._header.shape[0]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield one picture after the other; only one is in memory."""
        shape, dtype = self._header.shape[1:], self._header.dtype
        size = int(np.prod(shape)) * dtype.itemsize
        with self._opened() as stream:
            _header(stream)
            for number in range(len(self)):
                content = _read(stream, size, f"{self._path}: picture {number}")
                yield np.frombuffer(content, dtype).reshape(shape)

    def _opened(self) -> IO[bytes]:
        """Open the pictures inside of the archive."""
        return zipfile.ZipFile(self._path).open(f"{PICTURES}.npy")


def _header(stream: IO[bytes]) -> Header:
    """Read the header of an array; refuse what cannot be cut into pictures."""
    version = np.lib.format.read_magic(stream)
    reader = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, column_major, dtype = reader(stream)
    if column_major or dtype.hasobject or len(shape) < 2:
        raise InputError(
            f"{PICTURES!r} of shape {shape} and type {dtype} is no stack of pictures: save "
            "numpy.ascontiguousarray(x) of shape (N, …)."
        )
    return Header(tuple(shape), dtype)


def _read(stream: IO[bytes], size: int, what: str) -> bytes:
    """Read exactly so many bytes."""
    try:
        content = stream.read(size)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{what}: the archive is damaged: {error}.") from error
    if len(content) < size:
        raise InputError(f"{what}: the archive breaks off here; write it again.")
    return content
