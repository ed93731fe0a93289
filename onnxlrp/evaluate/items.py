"""The pictures of a data set, wherever they lie, one after the other."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onnxlrp.errors import InputError, TargetError, did_you_mean
from onnxlrp.evaluate.arrays import Archive
from onnxlrp.evaluate.objects import object_mask
from onnxlrp.graph.model import Model
from onnxlrp.runtime.feed import checked_input

Label: TypeAlias = str | int


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One picture that has not been read yet.

    Attributes
    ----------
    name : str
        What tables call it; no two of a data set share it.
    image : path, PIL image, uint8 array (H, W[, 3]), or array of the network's input
    label : str, int or None
        Its class, by name or number.
    region : Path, str, ndarray (H, W), or None
        Where its object is; see :func:`onnxlrp.evaluate.objects.object_mask`.
    """

    name: str
    image: Any
    label: Label | None = None
    region: Path | str | NDArray[Any] | None = None

    def tensor(self, model: Model) -> NDArray[Any]:
        """Return the network's input; a model of a fixed batch gets the picture that many times.

        Raises
        ------
        InputError
            It is no picture, is damaged, or does not fit the network.
        """
        image = self.image
        if isinstance(image, np.ndarray) and _is_tensor(model, image):
            wanted = model.input.shape
            x = image[None] if wanted is not None and image.ndim == len(wanted) - 1 else image
        else:
            x = model.preprocess(image)
        if len(x) != 1:
            raise InputError(f"an array of shape {x.shape} is {len(x)} pictures, not one.")
        return checked_input(model, np.repeat(x, model.fixed_batch or 1, axis=0))

    def target(self, model: Model) -> Label:
        """Return its class as a target: a label that the model knows, else a number.

        Raises
        ------
        TargetError
            It has no label.
        """
        if self.label is None:
            raise TargetError("it has no class label: sort pictures into folders, or use a CSV.")
        text = str(self.label)
        return int(text) if text.isdecimal() and text not in model.labels else self.label

    def object(self, model: Model, seen: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return the pixels of its object in what the network sees, which has these sizes.

        Raises
        ------
        InputError
            It has none, or one that does not fit.
        """
        if self.region is None:
            raise InputError(
                "it has no mask: name masks or boxes in a CSV file (image, mask, box)."
            )
        return object_mask(model, self.image, self.region, seen)


def _is_tensor(model: Model, image: NDArray[Any]) -> bool:
    """Whether an array is the network's input, not a picture that has to be preprocessed."""
    return image.dtype != np.uint8 or model.input.dtype == "uint8"


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """Pictures with names, and perhaps labels.

    Attributes
    ----------
    source : str
        Where they come from, for people.
    items : iterable of Item
        Read as they are needed.
    count : int or None
        How many there are; None where only the end will tell.
    labelled : bool or None
        Whether any has a label; None where only the end will tell.
    masked : bool or None
        Whether any has a mask or box; likewise.
    """

    source: str
    items: Iterable[Item]
    count: int | None
    labelled: bool | None
    masked: bool | None = False


def open_data(data: Any) -> DataSet:
    """Find the pictures of a folder, a CSV file, an archive, or an iterable.

    Parameters
    ----------
    data : path, or iterable
        A folder: all its pictures, in the order of their paths; the sub-folder right below it is
        the label. A ``.csv`` file with the columns ``image`` (paths from its own folder on) and,
        if wanted, ``label``, and ``mask`` (path of a picture, white where the object is) or ``box``
        ("left top right bottom; …", in pixels). A ``.npz`` file with ``x`` (N, …), and if wanted
        ``labels`` and ``names``. Or an iterable of (name, image), (name, image, label) or (name,
        image, label, mask).

    Raises
    ------
    InputError
        There is nothing at that path, or no picture in it.
    """
    if isinstance(data, DataSet):
        return data
    if not isinstance(data, str | os.PathLike):
        if not isinstance(data, Iterable):
            raise InputError(
                f"data: a {type(data).__name__} is no data set; pass a folder, a .csv or .npz "
                "file, or pairs of a name and an image."
            )
        count = len(data) if isinstance(data, Sized) else None
        return DataSet("an iterable", _items(data), count, None, None)
    path = Path(data)
    if path.is_dir():
        items = _in_folder(path)
    elif not path.exists():
        raise InputError(f"data: there is no folder or file '{path}'; check the path.")
    elif path.suffix.lower() == ".npz":
        archive = Archive(path)
        return DataSet(str(path), _ArchiveItems(archive), len(archive), archive.labels is not None)
    elif path.suffix.lower() == ".csv":
        items = _in_table(path)
    else:
        raise InputError(f"data: '{path}' is neither a folder nor a .csv or .npz file.")
    labelled = any(item.label is not None for item in items)
    return DataSet(
        *(str(path), items, len(items), labelled),
        masked=any(item.region is not None for item in items),
    )


def distinct_items(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items; refuse one whose name was there before, and having none at all."""
    seen: set[str] = set()
    for item in items:
        if item.name in seen:
            raise InputError(
                f"data: two pictures are called {item.name!r}; give each its own name."
            )
        seen.add(item.name)
        yield item
    if not seen:
        raise InputError("data: there is not one picture.")


def _in_folder(folder: Path) -> list[Item]:
    """List the pictures below a folder; hidden files are none."""
    endings = Image.registered_extensions()
    paths = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in endings and path.is_file()
    )
    shown = [path for path in paths if not any(part.startswith(".") for part in path.parts)]
    if not shown:
        raise InputError(f"data: there is no picture in '{folder}' or below it.")
    return [
        Item(
            path.as_posix(),
            (folder / path).absolute(),
            path.parts[0] if len(path.parts) > 1 else None,
        )
        for path in shown
    ]


def _in_table(path: Path) -> list[Item]:
    """List the pictures that a CSV file names."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns: Sequence[str] = reader.fieldnames or ()
            if "image" not in columns:
                raise InputError(
                    f"data: '{path}' has no column 'image'; its first line names "
                    f"{', '.join(columns) or 'nothing'}.{did_you_mean('image', columns)}"
                )
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"data: '{path}' cannot be read as a CSV file: {error}.") from error
    if not rows:
        raise InputError(f"data: '{path}' names no picture.")
    return [_in_row(path.parent, row) for row in rows]


def _in_row(folder: Path, row: Mapping[str, str | None]) -> Item:
    """Make the item of one line; paths start at the table's folder."""
    name, mask = row["image"] or "", row.get("mask")
    region = (folder / mask).absolute() if mask else row.get("box") or None
    return Item(name, (folder / name).absolute(), row.get("label") or None, region)


@dataclass(frozen=True, slots=True, eq=False)
class _ArchiveItems:
    """The pictures of an archive; may be gone through more than once."""

    archive: Archive

    def __iter__(self) -> Iterator[Item]:
        names, labels = self.archive.names, self.archive.labels
        for number, image in enumerate(self.archive):
            name = str(number) if names is None else str(names[number])
            yield Item(name, image, None if labels is None else labels[number])


def _items(data: Iterable[Any]) -> Iterator[Item]:
    """Turn what an iterable gives into items."""
    for number, given in enumerate(data):
        if isinstance(given, Item):
            yield given
        elif isinstance(given, tuple | list) and 2 <= len(given) <= 4 and isinstance(given[0], str):
            yield Item(*given)
        else:
            raise InputError(
                f"data: entry {number} is a {type(given).__name__}; each must be (name, image), "
                "(name, image, label) or (name, image, label, mask), the name a text."
            )
