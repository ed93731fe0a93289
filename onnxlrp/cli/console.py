"""What a terminal shows: tables, numbers, progress."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Never, Self

from tqdm import tqdm


def table(rows: Sequence[Sequence[str]], right: Collection[int] = (), indent: str = "") -> str:
    """Lay rows out in columns, the first row being the header.

    Parameters
    ----------
    rows : sequence of rows of cells, all of one length
    right : collection of int
        Columns whose cells are flush right: numbers.
    indent : str
        What every line begins with.

    Examples
    --------
    >>> print(table([("layer", "R"), ("conv1", "0.5"), ("fc", "12")], right={1}))
    layer    R
    conv1  0.5
    fc      12
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if position in right else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def notify(line: str) -> None:
    """Say one line beside the results: on the error stream."""
    print(line, file=sys.stderr, flush=True)


class SweepBar:
    """A progress bar over several sweeps of the same network; shown only on a terminal.

    Parameters
    ----------
    sweeps : int
    layers : int
        Steps of each sweep, about.
    """

    def __init__(self, sweeps: int, layers: int) -> None:
        self._layers = layers
        self._finished = 0
        self._bar: tqdm[Never] = tqdm(
            total=sweeps * layers, desc="explaining", unit="layer", leave=False, disable=None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def step(self, done: int, total: int, layer: str) -> None:
        """Take the engine's report: ``done`` of ``total`` layers, ``layer`` just now."""
        reached = self._finished + self._layers * done // total
        self._bar.set_postfix_str(layer, refresh=False)
        self._bar.update(reached - self._bar.n)

    def finish_sweep(self) -> None:
        """Count one sweep as done."""
        self._finished += self._layers
