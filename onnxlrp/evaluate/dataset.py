"""Judging designs on a whole data set: streaming, resumable, on one machine or a cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from onnxlrp import __version__
from onnxlrp.composites import Composite
from onnxlrp.errors import InputError, OutputError, RuntimeSetupError
from onnxlrp.evaluate.designs import Designs, named_designs
from onnxlrp.evaluate.folder import FailureRow, FolderRun
from onnxlrp.evaluate.items import Item, distinct_items, open_data
from onnxlrp.evaluate.judge import OWN_LABEL, Flipping, Judge, Settings, judgements
from onnxlrp.evaluate.judgement import CurveRow, ScoreRow
from onnxlrp.evaluate.labelled import (
    RESULTS,
    LabelledRows,
    Labels,
    check_installed,
    gather_labelled,
    open_labelled,
)
from onnxlrp.evaluate.metrics import DEFAULT, METRICS, checked_metrics
from onnxlrp.evaluate.store import Existing, FolderStore, MemoryStore, Store
from onnxlrp.graph.model import Model
from onnxlrp.kernels import ensure_compiled
from onnxlrp.runtime.device import Device

if TYPE_CHECKING:
    import xarray
    from distributed import Client

Progress: TypeAlias = Callable[[int, int | None, str], None]
"""Called with (pictures done, pictures in all or None, name of the last); may raise to stop."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What :func:`evaluate` found. Tables are read anew each time, from disk if they are there.

    Attributes
    ----------
    designs : tuple of str
    settings : Settings
    """

    designs: tuple[str, ...]
    settings: Settings
    _store: Store

    @property
    def images(self) -> int:
        """How many pictures are finished, failed ones included."""
        return len(self._store.finished())

    def scores(self) -> Iterator[ScoreRow]:
        """Yield the table of scores: image, design, metric, value."""
        return self._store.scores()

    def curves(self) -> Iterator[CurveRow]:
        """Yield the table of curves: image, design, order, step, fraction, score."""
        return self._store.curves()

    def failures(self) -> Iterator[FailureRow]:
        """Yield the pictures that failed, and why."""
        return self._store.failures()

    def to_xarray(self) -> xarray.Dataset:
        """Return the results as labelled arrays.

        ``score`` (image, design, metric), ``curve`` and ``fraction`` (image, design, order, step),
        ``failed`` (image), and, of a run with ``zarr=True``, ``relevance`` (image, design, y, x),
        read from disk where it is used.

        Raises
        ------
        RuntimeSetupError
            xarray or zarr is not installed: ``pip install 'onnxlrp[zarr]'``.
        """
        path = self._store.labelled()
        if path is not None:
            return open_labelled(path)
        labels = Labels(self.designs, self.settings.metrics, self.settings.orders)
        failed = [row.image for row in self.failures()]
        return gather_labelled(self.scores(), self.curves(), failed, labels)


def evaluate(
    model: Model,
    data: Any,
    composites: Designs,
    metrics: str | Iterable[str] = DEFAULT,
    *,
    target: int | str = "top1",
    flipping: Flipping | None = None,
    seed: int = 0,
    device: Device = "auto",
    client: Client | str | None = None,
    out: str | os.PathLike[str] | None = None,
    zarr: bool = False,
    existing: Existing = "refuse",
    progress: Progress | None = None,
) -> Evaluation:
    """Judge designs on the pictures of a data set.

    Pictures are read one by one, and what is found of each is written before the next one's is. A
    picture that cannot be judged is named among the failures and costs nothing else.

    Parameters
    ----------
    model : Model
    data : path, or iterable
        A folder of pictures (labels by sub-folder); a ``.csv`` file with columns image and, if
        wanted, label, and mask (white where the object is) or box; a ``.npz`` file with x (N, …),
        labels and names; or an iterable of (name, image), with label, with label and mask. An image
        is a path, a PIL image, a uint8 array (H, W[, 3]), or an array of the model's input.
    composites : composite, preset's name, a sequence of these, or a mapping name → composite
    metrics : str or iterable of str
        "auc_morf" or "auc", "auc_lerf", "aopc_morf" or "aopc", "aopc_lerf", "abpc", "auc_random",
        "aopc_random", "entropy", "gini", "conservation", "max_sensitivity"; and where the object is
        known "pointing_game", "relevance_mass" (μ), "relevance_rank", "inside_weighted" (μ_w).
    target : int or str
        A class, its label, "top1", or "label": every picture's own.
    flipping : Flipping, optional
        How pictures are flipped, where a metric needs it: 8×8 pixels a region, 20 steps.
    seed : int
        Random numbers of a picture depend on this and its name, not on the other pictures.
    device : "auto", "cpu" or "cuda"
    client : dask.distributed.Client or str, optional
        Runs on a cluster: its client, its scheduler's address, or "local" for one process a core.
        Needs ``onnxlrp[dask]``. Paths of pictures must lead to them on the workers, too.
    out : path, optional
        Folder for ``scores.csv``, ``curves.csv``, ``failures.csv`` and ``manifest.json``; None:
        results stay in memory.
    zarr : bool
        Also write ``results.zarr`` into ``out``: scores, curves and the relevance of every pixel as
        an xarray data set (see :meth:`Evaluation.to_xarray`). Needs ``onnxlrp[zarr]``.
    existing : "refuse", "resume" or "replace"
        What to do if ``out`` is not empty. Resuming goes on where a run was interrupted; failed
        pictures are not tried again. Replacing deletes what an earlier run left there.
    progress : callable(done, total, name)

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError, TargetError, CompositeError, ModelError
        The argument at fault, and what to do.
    OutputError
        ``out`` is not empty, holds a run with other settings, or cannot be written to.
    RuntimeSetupError
        Dask, or Zarr, is not installed, or nobody answers.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> pictures = onnxlrp.assets.default_images().items()
    >>> found = onnxlrp.evaluate.evaluate(model, pictures, ["epsilon_plus", "gamma"], "entropy")
    >>> found.images, len(list(found.scores()))
    (2, 4)
    """
    named = _composites(composites)
    if zarr and out is None:
        raise InputError("zarr=True: labelled arrays are files, so name a folder: out='results'.")
    how = flipping or Flipping()
    settings = Settings(checked_metrics(metrics), target, how, seed, device, maps=zarr)
    judge = Judge(model, named, settings).check()
    pictures = open_data(data)
    if target == OWN_LABEL and pictures.labelled is False:
        raise InputError(
            f"target='{OWN_LABEL}': {pictures.source} has no class labels; sort the pictures into "
            "folders named after their classes, or name them in a CSV file (image, label)."
        )
    located = [name for name in settings.metrics if METRICS[name].located]
    if located and pictures.masked is False:
        raise InputError(
            f"{located[0]}: {pictures.source} does not say where objects are; name masks or boxes "
            "in a CSV file (image, mask, box)."
        )
    with ExitStack() as running:
        judged = _judging(judge, client, running)
        store = _store(judge, out, existing, running)
        done = store.finished()
        todo = (item for item in distinct_items(pictures.items) if item.name not in done)
        found = running.enter_context(closing(judged(todo)))
        for number, judgement in enumerate(found, start=len(done) + 1):
            store.add(judgement)
            if progress is not None:
                progress(number, pictures.count, judgement.image)
    return Evaluation(tuple(named), settings, store)


def open_evaluation(folder: str | os.PathLike[str]) -> Evaluation:
    """Read what :func:`evaluate` left in a folder, be it finished or not.

    Parameters
    ----------
    folder : path

    Raises
    ------
    InputError
        There is no evaluation in it.
    OutputError
        It is damaged.
    """
    run = FolderRun(Path(folder))
    try:
        how = run.manifest
        flipping = Flipping(**how["flipping"] | {"orders": tuple(how["flipping"]["orders"])})
        metrics = checked_metrics(how["metrics"])
        settings = Settings(metrics, how["target"], flipping, how["seed"], "auto")
        designs = tuple(how["designs"])
    except (KeyError, TypeError) as error:
        raise OutputError(
            f"'{folder}' holds a manifest that is damaged ({error!r}); evaluate anew."
        ) from error
    return Evaluation(designs, settings, run)


Judging: TypeAlias = Callable[[Iterator[Item]], Any]
"""From pictures to a generator of judgements."""


def _judging(judge: Judge, client: Client | str | None, running: ExitStack) -> Judging:
    """Choose who judges: this process, or a cluster that is connected to while it runs."""
    if client is None:
        ensure_compiled(lambda line: print(line, file=sys.stderr))
        return lambda items: judgements(judge, items)
    try:
        from onnxlrp.evaluate.cluster import connected, judgements_on
    except ImportError as error:
        raise RuntimeSetupError(
            "client: Dask is not installed; pip install 'onnxlrp[dask]', or leave the client out."
        ) from error
    connection = running.enter_context(connected(client))
    return lambda items: judgements_on(connection, judge, items)


def _store(
    judge: Judge, out: str | os.PathLike[str] | None, existing: Existing, running: ExitStack
) -> Store:
    """Open the place that judgements go to."""
    if out is None:
        return MemoryStore()
    rows = None
    if judge.settings.maps:
        check_installed()
        labels = Labels(tuple(judge.designs), judge.settings.metrics, judge.settings.orders)
        rows = LabelledRows(Path(out) / RESULTS, labels)
        running.callback(rows.finish)
    return FolderStore(Path(out), judge.describe() | {"onnxlrp": __version__}, existing, rows)


def _composites(composites: Designs) -> dict[str, Composite]:
    """Name the designs; maps that were made already belong to other pictures."""
    found = {}
    for name, design in named_designs(composites).items():
        if not isinstance(design, Composite):
            raise InputError(
                f"design {name!r} is an array: a data set is explained here, so pass a composite."
            )
        found[name] = design
    return found
