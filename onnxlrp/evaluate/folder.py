"""A folder that an evaluation writes: its files, and what is finished of the run in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from onnxlrp.errors import InputError, OutputError
from onnxlrp.evaluate.judgement import CurveRow, Judgement, ScoreRow
from onnxlrp.evaluate.labelled import RESULTS

MANIFEST: Final = "manifest.json"
PROGRESS: Final = "progress.csv"
SCORES: Final = "scores.csv"
CURVES: Final = "curves.csv"
FAILURES: Final = "failures.csv"


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A line of failures.csv; the fields are its columns."""

    image: str
    reason: str


TABLES: Mapping[str, type[ScoreRow] | type[CurveRow] | type[FailureRow]] = {
    SCORES: ScoreRow,
    CURVES: CurveRow,
    FAILURES: FailureRow,
}
PROGRESS_COLUMNS = ("image", *(name.removesuffix(".csv") for name in TABLES))


@dataclass(frozen=True, slots=True)
class Journal:
    """What a folder says of the run in it.

    Attributes
    ----------
    manifest : what results depend on
    finished : tuple of str
        Pictures.
    sizes : mapping of table to its length in bytes, without what was left unfinished
    length : int
        Bytes of progress.csv, as far as its lines are whole.
    """

    manifest: Any
    finished: tuple[str, ...]
    sizes: Mapping[str, int]
    length: int


def read_journal(folder: Path) -> Journal:
    """Read what is finished of the run in a folder.

    Raises
    ------
    OutputError
        It is damaged.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        content = (folder / PROGRESS).read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        _, *lines = csv.reader(io.StringIO(whole.decode("utf-8"), newline=""))
        ends = [int(end) for end in lines[-1][1:]] if lines else empty_sizes()
    except ValueError as error:
        raise OutputError(
            f"'{folder}' holds a run that is damaged ({error}); start anew in another folder."
        ) from error
    sizes = dict(zip(TABLES, ends, strict=True))
    return Journal(manifest, tuple(line[0] for line in lines), sizes, len(whole))


class FolderTables:
    """Reads the tables that a run left in a folder.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scores(self) -> Iterator[ScoreRow]:
        """Yield the table of scores."""
        for row in self._lines(SCORES):
            yield ScoreRow(row[0], row[1], row[2], float(row[3]))

    def curves(self) -> Iterator[CurveRow]:
        """Yield the table of curves."""
        for row in self._lines(CURVES):
            yield CurveRow(row[0], row[1], row[2], int(row[3]), float(row[4]), float(row[5]))

    def failures(self) -> Iterator[FailureRow]:
        """Yield the pictures that failed."""
        for row in self._lines(FAILURES):
            yield FailureRow(row[0], row[1])

    def labelled(self) -> Path | None:
        """Where the run's labelled arrays are; None where it was not asked for them."""
        path = self._folder / RESULTS
        return path if path.exists() else None

    def _lines(self, name: str) -> Iterator[list[str]]:
        """Read a table, line by line, without what a run left unfinished behind its end."""
        with (self._folder / name).open("rb") as file:
            reader = csv.reader(line.decode("utf-8") for line in self._whole(name, file))
            next(reader)
            yield from reader

    def _whole(self, name: str, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the lines that belong to finished pictures."""
        return iter(lines)


class FolderRun(FolderTables):
    """A run that lies in a folder, to be read only; another program may still add to it.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    InputError
        There is no run in it.
    OutputError
        It is damaged.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if not (folder / MANIFEST).is_file() or not (folder / PROGRESS).is_file():
            raise InputError(
                f"'{folder}' holds no evaluation: name the folder that 'onnxlrp evaluate -o' wrote."
            )
        self._journal = read_journal(folder)

    @property
    def manifest(self) -> Any:
        """What results depend on."""
        return self._journal.manifest

    def finished(self) -> frozenset[str]:
        """Names of the pictures that were judged."""
        return frozenset(self._journal.finished)

    def add(self, judgement: Judgement) -> None:
        """Refuse: a run is taken up again by ``evaluate(…, existing="resume")``."""
        raise OutputError(f"'{self._folder}' was opened to be read; resume the run to add to it.")

    def _whole(self, name: str, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the lines that belong to finished pictures."""
        left = self._journal.sizes[name]
        for line in lines:
            if left <= 0:
                return
            left -= len(line)
            yield line


def lines_of(rows: Iterable[Iterable[Any]]) -> bytes:
    """Write rows as CSV; numbers with all their digits."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def header(name: str) -> bytes:
    """First line of a table."""
    return lines_of([tuple(field.name for field in fields(TABLES[name]))])


def empty_sizes() -> list[int]:
    """Lengths of the tables when they hold no picture."""
    return [len(header(name)) for name in TABLES]
