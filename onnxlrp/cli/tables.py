"""Tables as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from onnxlrp.files import whole_file


def write_table(path: Path, row: type[Any], rows: Iterable[Any]) -> None:
    """Write dataclass instances as lines, the fields of ``row`` being the columns.

    Raises
    ------
    OutputError
        The place cannot be written to; an older file is left as it was.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field.name for field in fields(row)])
        writer.writerows(map(astuple, rows))
