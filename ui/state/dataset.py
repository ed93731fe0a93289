"""Designs judged on a data set: a run that can be started, watched, stopped and resumed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import param
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.errors import InputError, OnnxLrpError
from onnxlrp.evaluate import (
    Evaluation,
    Flipping,
    Ranking,
    ScoreRow,
    bootstrap_interval,
    evaluate,
    open_evaluation,
    rank_designs,
)
from onnxlrp.evaluate.items import open_data
from onnxlrp.evaluate.metrics import DEFAULT
from onnxlrp.evaluate.store import Existing
from onnxlrp.graph.model import Model

from .jobs import Job, Progress
from .networks import Picture, read_picture
from .session import Workbench

_LANE: Final = "data set"
_READ_EVERY = 1.0  # seconds between looks at a run that is under way


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """Scores laid out.

    Attributes
    ----------
    images, designs, metrics : tuple of str
    values : ndarray, float64, (images, designs, metrics)
        NaN where there is none.
    """

    images: tuple[str, ...]
    designs: tuple[str, ...]
    metrics: tuple[str, ...]
    values: NDArray[np.float64]

    @classmethod
    def of(
        cls, rows: Iterable[ScoreRow], designs: Iterable[str], metrics: Iterable[str]
    ) -> ScoreTable:
        """Lay rows out; pictures in the order they come in.

        Examples
        --------
        >>> ScoreTable.of([ScoreRow("cat", "a", "gini", 0.5)], ["a"], ["gini"]).values
        array([[[0.5]]])
        """
        across, deep = tuple(designs), tuple(metrics)
        places = {(d, m): (i, j) for i, d in enumerate(across) for j, m in enumerate(deep)}
        found: dict[str, NDArray[np.float64]] = {}
        for row in rows:
            cells = found.setdefault(row.image, np.full((len(across), len(deep)), np.nan))
            if (row.design, row.metric) in places:
                cells[places[row.design, row.metric]] = row.value
        empty = np.empty((0, len(across), len(deep)))
        return cls(tuple(found), across, deep, np.stack([*found.values()]) if found else empty)

    def of_metric(self, metric: str) -> NDArray[np.float64]:
        """Scores under one metric: (images, designs)."""
        return self.values[:, :, self.metrics.index(metric)]

    def differences(self, metric: str, design: str, reference: str) -> Differences:
        """How much more a design has than another one, picture by picture."""
        scores = self.of_metric(metric)
        first, second = (scores[:, self.designs.index(name)] for name in (design, reference))
        values = first - second
        known = values[np.isfinite(values)]
        low, high = bootstrap_interval(known) if len(known) else (np.nan, np.nan)
        mean = float(known.mean()) if len(known) else np.nan
        return Differences(values, mean, float(low), float(high))


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Paired differences between two designs.

    Attributes
    ----------
    values : ndarray, float64, (images,)
    mean, low, high : float
        With the 95 % bootstrap interval of the mean over the pictures.
    """

    values: NDArray[np.float64]
    mean: float
    low: float
    high: float


class DataSet(param.Parameterized):
    """A run over a folder of pictures, or the result of an earlier one.

    Parameters
    ----------
    bench : Workbench
    """

    source = param.String("", doc="Folder of pictures, or a .csv or .npz file.")
    output = param.String("", doc="Folder for the results; empty: one in the designer's store.")
    target = param.String("top1", doc="What is explained; 'label': every picture's own class.")
    metrics = param.ClassSelector(class_=tuple, default=DEFAULT, doc="What is measured.")
    flipping = param.ClassSelector(class_=Flipping, default=Flipping(), doc="How it is flipped.")
    evaluation = param.ClassSelector(class_=Evaluation, doc="What was found so far.")
    table = param.ClassSelector(class_=ScoreTable, doc="Its scores, laid out.")
    failures = param.ClassSelector(class_=tuple, default=(), doc="FailureRow of each failure.")
    ranking = param.ClassSelector(class_=Ranking, doc="Of the designs, if there are two.")
    running = param.Boolean(False, doc="Whether a run is under way.")

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self._folder: Path | None = None
        self._job: Job | None = None
        self._looked = 0.0
        bench.jobs.param.watch(self._look, "stage")
        bench.param.watch(self._another_network, "network")

    def start(self, existing: Existing = "resume") -> None:
        """Judge the designs on the screen; a run with the same settings goes on where it was."""
        try:
            designs = _named(self.bench)
            if not self.source.strip():
                raise InputError("data: name a folder of pictures, or a .csv or .npz file.")
            folder = self._output(designs)
        except OnnxLrpError as error:
            self.bench.tell_error(error)
            return
        model, source = self.bench.model, self.source.strip()
        metrics, target, flipping = self.metrics, _target(self.target), self.flipping
        self._folder, self._looked = folder, time.monotonic()
        self.running = True
        before = self._job

        def work(progress: Progress) -> Evaluation:
            _wait(before, progress)
            how = (metrics, target, flipping)
            return judged(model, source, designs, *how, folder, existing, progress)

        self._job = self.bench.jobs.run(
            _LANE,
            work,
            self._finish,
            title=f"Judging {len(designs)} designs",
            failed=self._fail,
            stopped=self.cancel,
        )

    def cancel(self) -> None:
        """Stop after the picture that is being judged; what is finished stays."""
        self.bench.jobs.cancel(_LANE)
        self.running = False
        self._read()

    def open(self, folder: str) -> None:
        """Show the result of an earlier run."""
        self._folder = Path(folder.strip())
        try:
            self._show(open_evaluation(self._folder))
        except OnnxLrpError as error:
            self.bench.tell_error(error)

    def open_picture(self, name: str) -> None:
        """Put a picture of the data set on the screen."""
        model, source = self.bench.model, self.source.strip()
        self.bench.jobs.run(
            "open picture",
            lambda progress: find_picture(model, source, name),
            self._open,
            title=f"Reading {name}",
        )

    # ------------------------------------------------------------------------------------ inside
    def _open(self, picture: Picture) -> None:
        self.bench.add_pictures([picture])
        self.bench.tell(f"{picture.name} is open: all views show it now.", "success")

    def _output(self, designs: Mapping[str, Composite]) -> Path:
        """Where results go: the same place for the same settings, unless a folder is named."""
        if self.output.strip():
            return Path(self.output.strip())
        how = {
            "network": self.bench.opened.sha256,
            "data": str(Path(self.source.strip()).absolute()),
            "designs": {name: design.to_dict() for name, design in designs.items()},
            "metrics": self.metrics,
            "target": self.target,
            "flipping": repr(self.flipping),
            "preprocessing": repr(self.bench.model.preprocessing),
        }
        name = hashlib.sha256(json.dumps(how, sort_keys=True).encode()).hexdigest()[:16]
        return self.bench.store.folder / "evaluations" / name

    def _look(self, *_: object) -> None:
        """While a run goes on, show what it has found."""
        now = time.monotonic()
        if self.running and now - self._looked >= _READ_EVERY:
            self._looked = now
            self._read()

    def _read(self) -> None:
        """Show what lies in the folder, if anything does yet."""
        if self._folder is not None and (self._folder / "progress.csv").is_file():
            self._show(open_evaluation(self._folder))

    def _finish(self, evaluation: Evaluation) -> None:
        self.running = False
        self._show(evaluation)
        self.bench.tell(f"{evaluation.images} pictures judged.", "success")

    def _fail(self, error: Exception) -> None:
        self.running = False
        self.bench.tell_error(error)

    def _show(self, evaluation: Evaluation) -> None:
        rows = list(evaluation.scores())
        settings = evaluation.settings
        self.param.update(
            evaluation=evaluation,
            table=ScoreTable.of(rows, evaluation.designs, settings.metrics),
            failures=tuple(evaluation.failures()),
            ranking=_ranking(rows, settings.flipping.score),
        )

    def _another_network(self, *_: object) -> None:
        """A run belongs to the network that it began with."""
        if self.running:
            self.cancel()
        self._folder = None
        self.param.update(evaluation=None, table=None, failures=(), ranking=None)


def _wait(job: Job | None, progress: Progress) -> None:
    """Let a run that was stopped end: it writes the picture that it is at to the same folder."""
    while job is not None and not job.ended.wait(0.05):
        progress(0, 0, "waiting for the run that was stopped")


def judged(
    model: Model,
    source: str,
    designs: Mapping[str, Composite],
    metrics: tuple[str, ...],
    target: int | str,
    flipping: Flipping,
    folder: Path,
    existing: Existing,
    progress: Progress,
) -> Evaluation:
    """Run: the files of ``onnxlrp evaluate -o``."""
    return evaluate(
        model,
        source,
        designs,
        metrics,
        target=target,
        flipping=flipping,
        out=folder,
        existing=existing,
        progress=lambda done, total, name: progress(done, total or 0, name),
    )


def find_picture(model: Model, source: str, name: str) -> Picture:
    """Read one picture of a data set.

    Raises
    ------
    InputError
        It is not in there, or is no file of its own.
    """
    if not source:
        raise InputError(f"{name}: name the folder of the pictures to open one of them.")
    item = next((each for each in open_data(source).items if each.name == name), None)
    if item is None:
        raise InputError(f"{name}: is not in '{source}'; name the folder that was judged.")
    if not isinstance(item.image, Path):
        raise InputError(f"{name}: lies in an archive and has no file of its own to open.")
    try:
        content = item.image.read_bytes()
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}.") from error
    return read_picture(model, content, name)


def _named(bench: Workbench) -> dict[str, Composite]:
    """The designs on the screen by their names."""
    names: list[Any] = [design.name for design in bench.designs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two designs are called {twice!r}: rename one of them first.")
    return {design.name: design.composite for design in bench.designs}


def _ranking(rows: Iterable[ScoreRow], score: str) -> Ranking | None:
    """Who is best; None where that cannot be said."""
    try:
        return rank_designs(rows, score=score)
    except InputError:
        # One design alone, or no number that is better high or low.
        return None


def _target(text: str) -> int | str:
    """A class's number, or a word."""
    return int(text) if text.isdecimal() else text
