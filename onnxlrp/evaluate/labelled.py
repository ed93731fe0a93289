"""Results as labelled arrays: an xarray data set in Zarr that grows picture by picture.

::

    score      (image, design, metric)
    curve      (image, design, order, step)      fraction  likewise
    relevance  (image, design, y, x)             Σ_c R_cyx

A picture that failed has NaN. Pictures that have fewer steps or pixels than others have NaN beyond.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import RuntimeSetupError
from onnxlrp.evaluate.judgement import CurveRow, Judgement, ScoreRow

if TYPE_CHECKING:
    import xarray

Axes: TypeAlias = tuple[str, ...]

RESULTS: Final = "results.zarr"

_SPATIAL: Final = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x")}
_GATHERED: Final = ".zmetadata"
_DIMENSIONS: Final = "_ARRAY_DIMENSIONS"  # where xarray looks for names in Zarr format 2
_ROWS: Final = 256  # pictures a chunk of the small arrays


@dataclass(frozen=True, slots=True)
class Labels:
    """The names along the axes that do not grow."""

    designs: tuple[str, ...]
    metrics: tuple[str, ...]
    orders: tuple[str, ...]


def check_installed() -> None:
    """Refuse to promise labelled arrays where they cannot be written.

    Raises
    ------
    RuntimeSetupError
        xarray or zarr is not installed.
    """
    try:
        import xarray  # noqa: F401
        import zarr  # noqa: F401
    except ImportError as error:
        raise RuntimeSetupError(
            f"labelled arrays need {error.name}: pip install 'onnxlrp[zarr]', or leave zarr out; "
            "the tables hold the same numbers."
        ) from error


class LabelledRows:
    """A Zarr group with a row for every picture, in the order in which they are finished.

    Parameters
    ----------
    path : Path
    labels : Labels
    """

    def __init__(self, path: Path, labels: Labels) -> None:
        self._path = path
        self._labels = labels

    def begin(self) -> None:
        """Start without a row, where there is nothing yet."""
        import zarr

        zarr.open_group(self._path, mode="w", zarr_format=2)
        for name, words in _coordinates(self._labels).items():
            self._make(name, (len(words),), (name,), str)[:] = np.array(words, object)
        self._make("image", (0,), ("image",), str)
        self._make("failed", (0,), ("image",), bool)

    def cut(self, rows: int) -> None:
        """Take away what stands behind so many rows."""
        (self._path / _GATHERED).unlink(missing_ok=True)
        for _, array in self._group().arrays():
            if "image" in array.attrs[_DIMENSIONS]:
                array.resize((rows, *array.shape[1:]))

    def put(self, row: int, judgement: Judgement) -> None:
        """Write what was found of one picture; arrays grow where it has more than the others."""
        values = _arrays(judgement, self._labels)
        group = self._group()
        for name, (axes, array) in values.items():
            if name not in group:
                self._make(name, (row, *array.shape), axes, array.dtype)
        for name, array in group.arrays():
            if "image" in array.attrs[_DIMENSIONS]:
                inner = values[name][1].shape if name in values else array.shape[1:]
                grown = map(max, zip(array.shape[1:], inner, strict=True))
                array.resize((max(row + 1, array.shape[0]), *grown))
        group["image"][row] = judgement.image
        group["failed"][row] = bool(judgement.failure)
        for name, (_, array) in values.items():
            group[name][(row, *map(slice, array.shape))] = array

    def finish(self) -> None:
        """Gather what describes the arrays in one place, where readers look first."""
        import zarr

        if self._path.exists():
            zarr.consolidate_metadata(self._path, zarr_format=2)

    def _group(self) -> Any:
        """Open the group."""
        import zarr

        return zarr.open_group(self._path, mode="r+", zarr_format=2, use_consolidated=False)

    def _make(self, name: str, shape: tuple[int, ...], axes: Axes, dtype: Any) -> Any:
        """Make an array; numbers that are not written are NaN."""
        is_number = dtype is not str and np.issubdtype(dtype, np.floating)
        # Every map is read by itself; of the small arrays many rows lie together.
        outer = (1, 1) if name == "relevance" else (_ROWS,) if axes[0] == "image" else ()
        return self._group().create_array(
            name,
            shape=shape,
            chunks=(*outer, *shape[len(outer) :]),
            dtype=dtype,
            fill_value=np.nan if is_number else None,
            attributes={_DIMENSIONS: list(axes)},
        )


def open_labelled(path: Path) -> xarray.Dataset:
    """Open the data set that :class:`LabelledRows` wrote; arrays are read where they are used.

    Raises
    ------
    RuntimeSetupError
        xarray or zarr is not installed.
    """
    check_installed()
    import xarray

    consolidated = (path / _GATHERED).exists()
    found: xarray.Dataset = xarray.open_zarr(path, chunks=None, consolidated=consolidated)
    return found


def gather_labelled(
    scores: Iterable[ScoreRow], curves: Iterable[CurveRow], failed: Iterable[str], labels: Labels
) -> xarray.Dataset:
    """Make the data set of tables; without relevance, which no table holds.

    Raises
    ------
    RuntimeSetupError
        xarray is not installed.
    """
    check_installed()
    import xarray

    found: dict[str, dict[str, tuple[Axes, NDArray[Any]]]] = {}
    for image, some in groupby(scores, lambda row: row.image):
        found[image] = _arrays(Judgement(image, tuple(some)), labels)
    for image, of_image in groupby(curves, lambda row: row.image):
        found.setdefault(image, {}).update(
            _arrays(Judgement(image, curves=tuple(of_image)), labels)
        )
    good = len(found)
    found |= {image: {} for image in failed}
    axes = {name: axes for arrays in found.values() for name, (axes, _) in arrays.items()}
    variables: dict[str, Any] = {
        name: (axes[name], _stacked([arrays.get(name) for arrays in found.values()]))
        for name in axes
    }
    variables["failed"] = (("image",), np.arange(len(found)) >= good)
    return xarray.Dataset(variables, {"image": list(found), **_coordinates(labels)})


def _coordinates(labels: Labels) -> dict[str, list[str]]:
    """Names along the axes that do not grow, those without any left out."""
    named = {"design": labels.designs, "metric": labels.metrics, "order": labels.orders}
    return {name: list(words) for name, words in named.items() if words}


def _stacked(rows: Sequence[tuple[Axes, NDArray[Any]] | None]) -> NDArray[np.float64]:
    """Put the rows of all pictures behind each other; what is missing is NaN."""
    shapes = [row[1].shape for row in rows if row is not None]
    stacked = np.full((len(rows), *map(max, zip(*shapes, strict=True))), np.nan)
    for place, row in zip(stacked, rows, strict=True):
        if row is not None:
            place[tuple(map(slice, row[1].shape))] = row[1]
    return stacked


def _arrays(judgement: Judgement, labels: Labels) -> dict[str, tuple[Axes, NDArray[Any]]]:
    """Lay what was found of one picture out as arrays, without the image axis, by name."""
    found: dict[str, tuple[Axes, NDArray[Any]]] = {}
    if judgement.scores:
        scores = _scores(judgement.scores, labels)
        found["score"] = (("image", "design", "metric"), scores)
    if judgement.curves:
        axes = ("image", "design", "order", "step")
        curves = _curves(judgement.curves, labels)
        found |= {name: (axes, curve) for name, curve in curves.items()}
    if judgement.maps is not None:
        spatial = _SPATIAL[judgement.maps.ndim - 1]
        found["relevance"] = (("image", "design", *spatial), judgement.maps)
    return found


def _scores(rows: Iterable[ScoreRow], labels: Labels) -> NDArray[np.float64]:
    """Lay scores out as (design, metric)."""
    values = np.full((len(labels.designs), len(labels.metrics)), np.nan)
    for row in rows:
        values[labels.designs.index(row.design), labels.metrics.index(row.metric)] = row.value
    return values


def _curves(rows: Sequence[CurveRow], labels: Labels) -> dict[str, NDArray[np.float64]]:
    """Lay curves out as (design, order, step)."""
    steps = 1 + max(row.step for row in rows)
    shape = (len(labels.designs), len(labels.orders), steps)
    curve, fraction = np.full(shape, np.nan), np.full(shape, np.nan)
    for row in rows:
        place = labels.designs.index(row.design), labels.orders.index(row.order), row.step
        curve[place], fraction[place] = row.score, row.fraction
    return {"curve": curve, "fraction": fraction}
