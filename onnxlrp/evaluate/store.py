"""Where judgements go: memory, or a folder in which an interrupted run can be taken up again.

The folder holds ``manifest.json`` (model, designs, settings), ``scores.csv``, ``curves.csv`` and
``failures.csv``, which grow picture by picture, and ``progress.csv``: a line for every finished
picture, with the lengths of the three tables after it. Whatever stands beyond the lengths of the
last whole line belongs to a picture that was cut off; a resumed run takes it away.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, get_args

from onnxlrp.errors import OutputError
from onnxlrp.evaluate.checks import choice
from onnxlrp.evaluate.folder import (
    CURVES,
    FAILURES,
    MANIFEST,
    PROGRESS,
    PROGRESS_COLUMNS,
    SCORES,
    TABLES,
    FailureRow,
    FolderTables,
    empty_sizes,
    header,
    lines_of,
    read_journal,
)
from onnxlrp.evaluate.judgement import CurveRow, Judgement, ScoreRow
from onnxlrp.evaluate.labelled import RESULTS, LabelledRows

Existing: TypeAlias = Literal["refuse", "resume", "replace"]


class Store(Protocol):
    """Takes judgements, and gives them back as tables."""

    def finished(self) -> frozenset[str]:
        """Names of the pictures that need not be judged again."""

    def add(self, judgement: Judgement) -> None:
        """Keep what was found of one picture."""

    def scores(self) -> Iterator[ScoreRow]:
        """Yield the table of scores."""

    def curves(self) -> Iterator[CurveRow]:
        """Yield the table of curves."""

    def failures(self) -> Iterator[FailureRow]:
        """Yield the pictures that failed."""

    def labelled(self) -> Path | None:
        """Where labelled arrays are, if anywhere."""


class MemoryStore:
    """Keeps all judgements in memory."""

    def __init__(self) -> None:
        self._judgements: list[Judgement] = []

    def finished(self) -> frozenset[str]:
        """Names of the pictures that need not be judged again."""
        return frozenset(judgement.image for judgement in self._judgements)

    def add(self, judgement: Judgement) -> None:
        """Keep what was found of one picture."""
        self._judgements.append(judgement)

    def scores(self) -> Iterator[ScoreRow]:
        """Yield the table of scores."""
        return (row for judgement in self._judgements for row in judgement.scores)

    def curves(self) -> Iterator[CurveRow]:
        """Yield the table of curves."""
        return (row for judgement in self._judgements for row in judgement.curves)

    def failures(self) -> Iterator[FailureRow]:
        """Yield the pictures that failed."""
        return (FailureRow(j.image, j.failure) for j in self._judgements if j.failure)

    def labelled(self) -> Path | None:
        """Nowhere: memory holds the tables."""
        return None


class FolderStore(FolderTables):
    """Keeps judgements in a folder, on disk as soon as they are added.

    Parameters
    ----------
    folder : Path
        Made, if missing, when the first picture is finished.
    manifest : mapping
        What results depend on; a run is resumed under the same only.
    existing : "refuse", "resume" or "replace"
        What to do if the folder is not empty. Replacing deletes the files of an earlier run.
    rows : LabelledRows, optional
        Gets every judgement as well.

    Raises
    ------
    OutputError
        The folder is not empty, cannot be written to, or its run had other settings.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Mapping[str, Any],
        existing: Existing = "refuse",
        rows: LabelledRows | None = None,
    ) -> None:
        super().__init__(folder)
        choice("existing", existing, get_args(Existing))
        self._finished: set[str] = set()
        self._rows = rows
        self._manifest = json.loads(json.dumps(manifest))
        self._sizes: dict[str, int] = {}
        with self._writing("name another folder"):
            if existing == "resume" and (folder / MANIFEST).exists():
                self._resume()
                self._sizes = {name: (folder / name).stat().st_size for name in TABLES}
            else:
                self._check_free(existing)

    def finished(self) -> frozenset[str]:
        """Names of the pictures that need not be judged again."""
        return frozenset(self._finished)

    def add(self, judgement: Judgement) -> None:
        """Append what was found of one picture, and only then that it is finished.

        Raises
        ------
        OutputError
            The disk is full, or someone else writes to the same folder.
        """
        failures = [FailureRow(judgement.image, judgement.failure)] if judgement.failure else []
        rows: dict[str, Iterable[Any]] = {
            SCORES: judgement.scores,
            CURVES: judgement.curves,
            FAILURES: failures,
        }
        with self._writing("what is finished is kept; make room and resume"):
            if not self._sizes:
                self._begin()
            for name, some in rows.items():
                self._append(name, lines_of(map(astuple, some)))
            if self._rows is not None:
                self._rows.put(len(self._finished), judgement)
            line = lines_of([(judgement.image, *self._sizes.values())])
            with (self._folder / PROGRESS).open("ab") as file:
                file.write(line)
        self._finished.add(judgement.image)

    @contextmanager
    def _writing(self, advice: str) -> Iterator[None]:
        """Say what to do where the system refuses to write."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(
                f"'{self._folder}' cannot be written to: {reason}; {advice}."
            ) from error

    def _check_free(self, existing: Existing) -> None:
        """Refuse a folder that holds something, unless that may be replaced."""
        there = next(p for p in (self._folder, *self._folder.absolute().parents) if p.exists())
        if not there.is_dir():
            raise OutputError(f"'{there}' is a file, not a folder; name a folder.")
        present = sorted(path.name for path in there.iterdir()) if there == self._folder else []
        if present and existing != "replace":
            raise OutputError(
                f"'{self._folder}' is not empty ({', '.join(present[:3])}"
                f"{', …' if len(present) > 3 else ''}): resume the run in it, replace it, or name "
                "another folder."
            )

    def _begin(self) -> None:
        """Start empty tables, the manifest last: a folder without one holds no run."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / MANIFEST).unlink(missing_ok=True)
        for name in TABLES:
            (self._folder / name).write_bytes(header(name))
        shutil.rmtree(self._folder / RESULTS, ignore_errors=True)
        if self._rows is not None:
            self._rows.begin()
        (self._folder / PROGRESS).write_bytes(lines_of([PROGRESS_COLUMNS]))
        text = json.dumps(self._manifest, indent=2, ensure_ascii=False)
        (self._folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
        self._sizes = dict(zip(TABLES, empty_sizes(), strict=True))

    def _resume(self) -> None:
        """Take up the run that is there, without what it left unfinished."""
        run = read_journal(self._folder)
        other = _difference(run.manifest, self._manifest)
        if other:
            raise OutputError(
                f"'{self._folder}' holds a run with another {other}; use the same settings, or "
                "another folder."
            )
        for name, end in run.sizes.items():
            self._cut(name, end)
        os.truncate(self._folder / PROGRESS, run.length)
        self._finished = set(run.finished)
        if self._rows is not None:
            self._rows.cut(len(self._finished))

    def _cut(self, name: str, end: int) -> None:
        """Take away what stands behind the last finished picture."""
        path = self._folder / name
        size = path.stat().st_size
        if size < end:
            raise OutputError(
                f"'{path}' is shorter than {PROGRESS} says: it was changed; start anew in another "
                "folder."
            )
        os.truncate(path, end)

    def _append(self, name: str, content: bytes) -> None:
        """Add lines to a table that must be as long as this run left it."""
        path = self._folder / name
        with path.open("ab") as file:
            if file.tell() != self._sizes[name]:
                raise OutputError(
                    f"'{path}' was changed while this run wrote to it; let one run at a time "
                    "write to a folder."
                )
            file.write(content)
        self._sizes[name] += len(content)


def _difference(before: Any, now: Mapping[str, Any]) -> str:
    """Say in which setting two manifests differ; empty if in none."""
    if not isinstance(before, dict):
        return "manifest"
    for key, value in now.items():
        found = before.get(key)
        if isinstance(value, dict) and isinstance(found, dict) and key != "designs":
            inner = _difference(found, value)
            if inner:
                return f"{key} ({inner})"
        elif found != value:
            return f"{key}: {json.dumps(found)[:60]} before, {json.dumps(value)[:60]} now"
    return ""
