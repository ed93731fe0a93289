"""Tables of numbers: sorted by a click, and given as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from ..state import Workbench

_SMALL = """
:host { font-size: 12px; }
.tabulator.tabulator, .tabulator .tabulator-header .tabulator-col { font-size: 12px !important; }
.tabulator-row .tabulator-cell { font-size: 12px !important; padding: 5px 8px;
  font-variant-numeric: tabular-nums; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-content { padding: 5px 8px !important; }
"""


def number_table(
    frame: pd.DataFrame, numbers: Iterable[str], precision: int = 4, **options: Any
) -> pn.widgets.Tabulator:
    """A table that is read, with these columns of numbers; None is an empty cell."""
    names = [*numbers]
    formats = {name: {"type": "money", "precision": precision, "thousand": ""} for name in names}
    return pn.widgets.Tabulator(
        frame,
        **{
            "show_index": False,
            "disabled": True,
            "sizing_mode": "stretch_width",
            "layout": "fit_columns",
            "formatters": formats,
            "text_align": dict.fromkeys(names, "right"),
            "header_align": dict.fromkeys(names, "right"),
            "stylesheets": [_SMALL],
            "margin": 0,
            **options,
        },
    )


def download_button(bench: Workbench, name: str, content: Callable[[], str]) -> pmui.Button:
    """A button that gives a text as a file."""
    return pmui.Button(
        label=name,
        icon="download",
        size="small",
        variant="text",
        margin=0,
        on_click=lambda event: bench.hand_over(name, content()),
    )


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    r"""Write a table as CSV, numbers with all their digits.

    Examples
    --------
    >>> csv_text(["image", "value"], [["cat", 0.1]])
    'image,value\ncat,0.1\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([repr(c) if isinstance(c, float) else c for c in row] for row in rows)
    return text.getvalue()
