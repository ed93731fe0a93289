"""Tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from onnxlrp.files import whole_file


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    r"""Write a table as CSV; numbers with all their digits.

    Examples
    --------
    >>> csv_text(["image", "value"], [("a, b", 0.5)])
    'image,value\n"a, b",0.5\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def rows_text(row: type[Any], rows: Iterable[Any]) -> str:
    """Write dataclass instances as CSV, the fields of ``row`` being the columns."""
    return csv_text((field.name for field in fields(row)), map(astuple, rows))


def write_table(path: Path, row: type[Any], rows: Iterable[Any]) -> None:
    """Write dataclass instances to a file, the fields of ``row`` being the columns.

    Raises
    ------
    OutputError
        The place cannot be written to; an older file is left as it was.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(row)])
        writer.writerows(map(astuple, rows))
