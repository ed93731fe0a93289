"""The comparison as its grid of maps takes it: rows, columns and cells as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..state import Look, segments
from ..state.cells import TOP_SHARE, Cell, Row
from ..state.comparison import Comparison
from ..state.explained import Map
from .images import picture_url

CLASSES = 10
"""How many of the highest classes a row offers."""


class Contents:
    """What the grid shows of a comparison; keeps the maps until the browser asks for them.

    Parameters
    ----------
    comparison : Comparison
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._maps: dict[str, Map] = {}
        self._rows: dict[str, Row] = {}

    def map(self, name: str) -> Map | None:
        """The map of that id; None if no cell shows it any more."""
        return self._maps.get(name)

    def row(self, key: str) -> Row:
        """The row of that key."""
        return self._rows[key]

    def rows(self) -> list[dict[str, Any]]:
        """Every row, with its picture and the classes that can be explained."""
        rows = []
        self._rows = {}
        for row in self.comparison.rows:
            key = f"{row.picture[:12]} {row.target}"
            self._rows[key] = row
            picture = self.comparison.picture(row)
            head = {"key": key, "name": picture.name, "picture": picture_url(picture.rgb)}
            rows.append({**head, "target": row.target, "classes": self._classes(row)})
        return rows

    def columns(self) -> list[dict[str, Any]]:
        """Every column: designs, then differences."""
        comparison = self.comparison
        model = comparison.bench.model
        names = {d.id: d.name for d in comparison.columns}
        designs = [
            {
                "key": design.id,
                "name": design.name,
                "kind": "design",
                "reference": design.id == comparison.reference,
                "strip": [
                    {"colour": s.colour, "share": s.stop - s.start, "label": s.label}
                    for s in segments(design, model)
                ],
            }
            for design in comparison.columns
        ]
        differences = [
            {
                "key": f"{a}−{b}",
                "name": f"{names[a]} − {names[b]}",
                "kind": "difference",
                "note": "difference of the maps",
                "strip": [],
            }
            for a, b in comparison.differences
        ]
        return designs + differences

    def cells(self) -> list[dict[str, Any]]:
        """Every cell, as far as it is known."""
        self._maps = {}
        limits = self.comparison.limits()
        cells = []
        for key, row in self._rows.items():
            for design in self.comparison.columns:
                cell = {"row": key, "column": design.id, **self._cell(row, design.id)}
                cells.append({**cell, "limit": limits[row].get(design.id, 1.0)})
            for a, b in self.comparison.differences:
                column = f"{a}−{b}"
                cell = {"row": key, "column": column, **self._difference(row, a, b)}
                cells.append({**cell, "limit": limits[row].get(column, 1.0)})
        return cells

    # ------------------------------------------------------------------------------------ a cell
    def _cell(self, row: Row, identity: str) -> dict[str, Any]:
        cell = self.comparison.cell(row, identity)
        if cell.explained is None:
            running = self.comparison.running == (row, identity)
            state = "failed" if cell.failed else "running" if running else "waiting"
            return {"state": state, "map": "", "note": cell.failed, "numbers": []}
        likeness = self.comparison.likeness(row, identity)
        return {
            "state": "done",
            "map": self._kept(cell.explained.relevance),
            "note": "",
            "numbers": [*_sums(cell), *self._likeness(likeness), *_areas(cell)],
        }

    def _difference(self, row: Row, first: str, second: str) -> dict[str, Any]:
        made = self.comparison.difference(row, first, second)
        if made is None:
            return {"state": "waiting", "map": "", "note": "", "numbers": []}
        sums = [
            ("Σ A − B", written(float(made.sum(dtype=np.float64))), "Sum of the difference"),
            ("Σ |A − B|", written(float(np.abs(made).sum(dtype=np.float64))), "Sum of its size"),
        ]
        return {"state": "done", "map": self._kept(made), "note": "", "numbers": sums}

    def _likeness(self, likeness: float | None) -> list[tuple[str, str, str]]:
        name = self.comparison.similarity
        said = f"Similarity to the reference column's map: {name}"
        if name.startswith("top"):
            said = f"Share of the most relevant {TOP_SHARE:.0%} of pixels in common with it"
        return [(name, "reference" if likeness is None else f"{likeness:.3f}", said)]

    def _kept(self, made: Map) -> str:
        """Keep a map under the hash of its values, so that no browser is sent one twice."""
        name = hashlib.blake2b(made.tobytes(), digest_size=8).hexdigest()
        self._maps[name] = made
        return name

    def _classes(self, row: Row) -> list[tuple[str, str]]:
        """What can be explained in a row: the class that leads, the highest ones, its own."""
        comparison = self.comparison
        known = [comparison.cell(row, d.id).explained for d in comparison.columns]
        explained = next((e for e in known if e is not None), None)
        offered = {"top1": "the highest"}
        model = comparison.bench.model
        if explained is not None and explained.output.ndim == 1:
            highest = np.argsort(-explained.output, kind="stable")[:CLASSES]
            offered["top1"] = f"highest: {model.label(int(highest[0]))}"
            offered |= {
                str(i): f"{model.label(int(i))} ({explained.output[i]:.2f})" for i in highest
            }
        if row.target not in offered:
            number = row.target.isdigit()
            offered[row.target] = model.label(int(row.target)) if number else row.target
        return list(offered.items())


def grid_look(look: Look, table: Callable[[str], Any]) -> dict[str, Any]:
    """How maps are drawn, as the grid takes it."""
    return {
        "sign": look.sign,
        "overlay": look.overlay,
        "table": table(look.colormap).reshape(-1).tolist(),
    }


def _sums(cell: Cell) -> list[tuple[str, str, str]]:
    """Σ R, what was lost on the way, and the time it took."""
    explained = cell.explained
    assert explained is not None
    started = f"Relevance at the picture; it began as {written(explained.started)} at the output"
    error = explained.conservation_error
    lost = "–" if np.isnan(error) else f"{100 * error:.3g} %"
    return [
        ("Σ R", written(explained.arrived), started),
        ("error", lost, "Conservation error: |Σ R at the picture − at the output| / at the output"),
        ("time", f"{1000 * explained.seconds:.0f} ms", "Of the sweep that found this map"),
    ]


def _areas(cell: Cell) -> list[tuple[str, str, str]]:
    """What pixel flipping says, once it was asked."""
    if cell.areas is None:
        return []
    how = "blocks of 8 × 8 pixels, the most relevant first, by their mean"
    return [
        ("AUC", written(cell.areas.auc), f"Area under the score while pixels are flipped: {how}"),
        ("AOPC", written(cell.areas.aopc), f"Mean fall of the score while they are: {how}"),
    ]


def written(value: float) -> str:
    """A number with four digits, for people.

    Examples
    --------
    >>> written(-12.3456), written(0.00001234), written(0.0)
    ('−12.35', '1.234e−05', '0')
    """
    return f"{value:.4g}".replace("-", "−")
