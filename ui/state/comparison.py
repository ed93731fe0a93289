"""The comparison: pictures and classes down, designs across, and what stands in the cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import param

from onnxlrp.errors import OnnxLrpError

from .cells import SIMILARITIES, Areas, Asked, Cell, Row, Scale, measure
from .designs import Design
from .explained import Map
from .jobs import Progress, as_line
from .networks import Network, Picture
from .scores import Question
from .session import Workbench


class Comparison(param.Parameterized):
    """Rows × columns of maps; fills in what is missing, one cell after the other, while on screen.

    Parameters
    ----------
    bench : Workbench
        Its designs are the columns, as they are now; its pictures can be rows.
    """

    rows = param.ClassSelector(class_=tuple, default=(), doc="Row values, from the top.")
    order = param.ClassSelector(class_=tuple, default=(), doc="Ids of designs; new ones follow.")
    hidden = param.ClassSelector(class_=frozenset, default=frozenset(), doc="Ids not shown.")
    differences = param.ClassSelector(
        class_=tuple, default=(), doc="(id, id) of designs: columns that show A − B."
    )
    reference = param.String("", doc="Id of the design that the others are compared with.")
    similarity: Any = param.Selector(
        default="Pearson", objects=list(SIMILARITIES), doc="How likeness to it is measured."
    )
    scale: Any = param.Selector(
        default="map", objects=list(get_args(Scale)), doc="Which maps share a colour scale."
    )
    cells = param.Dict({}, doc="(Row, id of a design) → Cell; missing: not known yet.")
    running = param.Tuple(default=None, length=2, allow_None=True, doc="The cell being computed.")
    stopped = param.Boolean(False, doc="Cancelled: nothing is filled in until asked for.")
    active = param.Boolean(False, doc="Whether the comparison is on the screen.")

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self._known: dict[Asked, Cell] = {}
        self._areas: dict[Asked, Areas] = {}
        self._computing: Asked | None = None
        self._network: Network | None = None
        bench.param.watch(
            lambda *_: self._refresh(), ["network", "pictures", "designs", "question"]
        )
        self.param.watch(
            lambda *_: self._refresh(), ["rows", "order", "hidden", "active", "stopped"]
        )

    # ---------------------------------------------------------------------------- what is shown
    @property
    def columns(self) -> tuple[Design, ...]:
        """The designs across: as ordered, new ones behind, without the hidden ones."""
        place = {identity: i for i, identity in enumerate(self.order)}
        known = sorted(self.bench.designs, key=lambda d: place.get(d.id, len(place)))
        return tuple(d for d in known if d.id not in self.hidden)

    @property
    def grid(self) -> Iterator[tuple[Row, Design]]:
        """Every cell's row and column, in reading order."""
        return ((row, design) for row in self.rows for design in self.columns)

    def picture(self, row: Row) -> Picture:
        """The picture of a row."""
        found: Picture = next(p for p in self.bench.pictures if p.sha256 == row.picture)
        return found

    def cell(self, row: Row, identity: str) -> Cell:
        """What stands in a cell; an empty one if nothing is known."""
        found: Cell = self.cells.get((row, identity), Cell())
        return found

    def difference(self, row: Row, first: str, second: str) -> Map | None:
        """R under one design minus R under another; None until both are known."""
        a, b = (self.cell(row, identity).explained for identity in (first, second))
        return None if a is None or b is None else a.relevance - b.relevance

    def likeness(self, row: Row, identity: str) -> float | None:
        """Similarity to the reference column's map; None until both are known, or for itself."""
        if identity == self.reference:
            return None
        a, b = (self.cell(row, i).explained for i in (self.reference, identity))
        if a is None or b is None:
            return None
        return SIMILARITIES[self.similarity](a.relevance, b.relevance)

    def limits(self) -> dict[Row, dict[str, float]]:
        """Row → id of a design, or "a−b" → the relevance of the strongest colour."""
        maps = {row: self._maps(row) for row in self.rows}
        look = self.bench.look
        everything = [m for found in maps.values() for m in found.values()]
        common = look.limit_of(*everything) if self.scale == "all" and everything else 0.0
        limits = {}
        for row, found in maps.items():
            limit = look.limit_of(*found.values()) if self.scale == "row" and found else common
            limits[row] = {key: limit or look.limit_of(m) for key, m in found.items()}
        return limits

    def _maps(self, row: Row) -> dict[str, Map]:
        """All maps of a row that are known, differences among them."""
        cells = {d.id: self.cell(row, d.id).explained for d in self.columns}
        maps = {key: e.relevance for key, e in cells.items() if e is not None}
        for first, second in self.differences:
            made = self.difference(row, first, second)
            if made is not None:
                maps[f"{first}−{second}"] = made
        return maps

    # ----------------------------------------------------------------------------------- editing
    def add_row(self, picture: Picture, target: str = "top1") -> None:
        """Append a picture with a class; one that is there already stays where it is."""
        row = Row(picture.sha256, target)
        if row not in self.rows:
            self.rows = (*self.rows, row)

    def remove_row(self, row: Row) -> None:
        """Take a row away; the last one stays."""
        if len(self.rows) > 1:
            self.rows = tuple(r for r in self.rows if r != row)

    def move_row(self, row: Row, to: int) -> None:
        """Put a row at another place."""
        self.rows = _moved(self.rows, row, to)

    def retarget(self, row: Row, target: str) -> None:
        """Explain another class in a row."""
        made = replace(row, target=target)
        if made not in self.rows:
            self.rows = tuple(made if r == row else r for r in self.rows)

    def show(self, identity: str) -> None:
        """Let a hidden design be a column again, the last one."""
        others = tuple(d.id for d in self.columns)
        self.param.update(hidden=self.hidden - {identity}, order=(*others, identity))

    def hide(self, identity: str) -> None:
        """Take a column away; the last one stays. The design itself is not touched."""
        if len(self.columns) > 1:
            left = tuple(pair for pair in self.differences if identity not in pair)
            self.param.update(hidden=self.hidden | {identity}, differences=left)
            self._settle_reference()

    def move_column(self, identity: str, to: int) -> None:
        """Put a column at another place."""
        self.order = _moved(tuple(d.id for d in self.columns), identity, to)

    def subtract(self, first: str, second: str) -> None:
        """Append a column that shows the first design's map minus the second's."""
        if first != second and (first, second) not in self.differences:
            self.differences = (*self.differences, (first, second))

    def forget_difference(self, first: str, second: str) -> None:
        """Take such a column away."""
        self.differences = tuple(p for p in self.differences if p != (first, second))

    # -------------------------------------------------------------------------------------- work
    def cancel(self) -> None:
        """Stop filling in."""
        self.bench.jobs.cancel("compare areas")
        self.stopped = True

    def resume(self) -> None:
        """Fill in what is missing, and try again what failed."""
        self._known = {asked: c for asked, c in self._known.items() if not c.failed}
        self.stopped = False
        self._refresh()

    def measure_areas(self) -> None:
        """Measure AUC and AOPC of every map that is known, by pixel flipping."""
        wanted = {}
        for row, design in self.grid:
            asked, cell = self._asked(row, design), self.cell(row, design.id)
            if cell.explained is not None and asked not in self._areas:
                wanted[asked] = cell.explained.full
        if not wanted:
            return

        def work(progress: Progress) -> dict[Asked, Areas]:
            return {
                asked: measure(asked, full, progress, number, len(wanted))
                for number, (asked, full) in enumerate(wanted.items())
            }

        self.bench.jobs.run("compare areas", work, self._keep_areas, title="Flipping pixels")

    def _keep_areas(self, made: dict[Asked, Areas]) -> None:
        self._areas |= made
        self._refresh()

    def _asked(self, row: Row, design: Design) -> Asked:
        question = Question(row.target, self.bench.question.kind)
        return Asked.of(self.bench.opened, self.picture(row), question, design)

    def _refresh(self) -> None:
        """See what is known of every cell, and have the first unknown one computed."""
        bench = self.bench
        if not self.active or bench.network is None or not bench.pictures:
            self._stop()
            return
        if self._settle_rows():
            return  # the new rows refresh
        self._settle_reference()
        cells: dict[tuple[Row, str], Cell] = {}
        known: dict[Asked, Cell] = {}
        missing: list[tuple[Row, Design, Asked]] = []
        for row, design in self.grid:
            try:
                asked = self._asked(row, design)
            except OnnxLrpError as error:  # the design does not suit the network
                cells[row, design.id] = Cell(failed=as_line(error))
                continue
            cell = self._look_up(asked)
            if cell is None:
                missing.append((row, design, asked))
            else:
                cells[row, design.id] = known[asked] = cell
        self._known = known
        self.cells = cells
        if self.stopped or not missing:
            self._stop()
        elif not (bench.jobs.running("compare") and missing[0][2] == self._computing):
            self._compute(*missing[0])

    def _look_up(self, asked: Asked) -> Cell | None:
        """What is known already of a cell."""
        cell = self._known.get(asked)
        if cell is None:
            found = self.bench.explanations.found(
                asked.network, asked.picture, asked.question, asked.composite
            )
            cell = None if found is None else Cell(found)
        return None if cell is None else replace(cell, areas=self._areas.get(asked))

    def _compute(self, row: Row, design: Design, asked: Asked) -> None:
        """Have one cell computed; the next one follows."""
        explain = self.bench.explanations.explain

        def keep(cell: Cell) -> None:
            self._known[asked] = cell
            self._refresh()

        self.running, self._computing = (row, design.id), asked
        self.bench.jobs.run(
            "compare",
            lambda progress: explain(
                asked.network, asked.picture, asked.question, asked.composite, progress=progress
            ),
            lambda explained: keep(Cell(explained)),
            title=f"Comparing: {asked.picture.name} under {design.name}",
            failed=lambda error: keep(Cell(failed=as_line(error))),
        )

    def _stop(self) -> None:
        self.bench.jobs.cancel("compare")
        self.running = None

    def _settle_rows(self) -> bool:
        """Drop rows whose picture is gone, begin with the one on the screen; say if any changed."""
        bench = self.bench
        changed = self._network is not None and self._network.sha256 != bench.opened.sha256
        self._network = bench.opened
        there = {p.sha256 for p in bench.pictures}
        rows = () if changed else tuple(r for r in self.rows if r.picture in there)
        if not rows and bench.shown is not None:
            rows = (Row(bench.shown.sha256, bench.question.target),)
        if rows == self.rows:
            return False
        self.rows = rows
        return True

    def _settle_reference(self) -> None:
        """Let the reference and the differences be columns that are there."""
        there = [d.id for d in self.columns]
        left = tuple(pair for pair in self.differences if set(pair) <= set(there))
        reference = self.reference if self.reference in there else there[0]
        self.param.update(differences=left, reference=reference)


def _moved(values: tuple[Any, ...], value: Any, to: int) -> tuple[Any, ...]:
    """The values with one of them at another place."""
    others = [v for v in values if v != value]
    others.insert(max(0, to), value)
    return tuple(others)
