"""Classes before and after a change: a table whose bars show what its numbers say."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import panel as pn

from onnxlrp.evaluate import ScoreChange

from .script import style


class ChangesTable:
    """The leading classes after a change, beside what they were before.

    Parameters
    ----------
    caption : str
        What was changed.
    """

    def __init__(self, caption: str = "") -> None:
        self.pane = pn.pane.HTML(
            "", stylesheets=[style("changes")], sizing_mode="stretch_width", margin=0
        )
        self._caption = caption

    def show(
        self, changes: Sequence[ScoreChange], target: int = -1, caption: str | None = None
    ) -> None:
        """Put these classes in place of what was there; ``target`` is marked."""
        words = self._caption if caption is None else caption
        self.pane.object = changes_html(changes, target, words) if changes else ""


def changes_html(changes: Sequence[ScoreChange], target: int = -1, caption: str = "") -> str:
    """Write the table.

    Examples
    --------
    >>> "1 → 2" in changes_html([ScoreChange(3, "cat", 9.0, 4.0, 1, 2)], 3)
    True
    """
    values = [v for c in changes for v in (c.before, c.after)]
    low, high = min(0.0, *values), max(0.0, *values)
    rows = "".join(
        _row(change, change.index == target, low, (high - low) or 1.0) for change in changes
    )
    head = (
        '<tr><th class="number">rank</th><th>class</th><th>before and after</th>'
        '<th class="number before">before</th><th class="number">after</th>'
        '<th class="number">change</th></tr>'
    )
    head = f"<caption>{escape(caption)}</caption><thead>{head}</thead>"
    return f'<table tabindex="0">{head}<tbody>{rows}</tbody></table>'


def _row(change: ScoreChange, is_target: bool, low: float, span: float) -> str:
    """One class."""
    rank = f"{change.rank_before} → {change.rank_after}"
    if change.rank_before == change.rank_after:
        rank = str(change.rank_after)
    way = "up" if change.change > 0 else "down" if change.change < 0 else ""
    arrow = {"up": "▲ ", "down": "▼ ", "": ""}[way]
    bars = _bar("before", change.before, low, span) + _bar("after", change.after, low, span)
    label = escape(change.label, quote=True)
    cells: list[tuple[str, Any]] = [
        ("number", rank),
        ("label", f'<span title="{label}">{label}</span>'),
        ("bars", bars),
        ("number before", number(change.before)),
        ("number", number(change.after)),
        (f"number {way}", f"{arrow}{number(abs(change.change))}"),
    ]
    inner = "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in cells)
    return f'<tr class="target">{inner}</tr>' if is_target else f"<tr>{inner}</tr>"


def _bar(kind: str, value: float, low: float, span: float) -> str:
    """A bar from 0 to the value."""
    start, end = sorted((0.0, value))
    left, width = 100 * (start - low) / span, max(100 * (end - start) / span, 0.3)
    return f'<span class="bar {kind}"><i style="left:{left:.2f}%;width:{width:.2f}%"></i></span>'


def number(value: float) -> str:
    """Write a score: four digits that count, a true minus.

    Examples
    --------
    >>> number(-1.23456), number(12.0)
    ('−1.235', '12')
    """
    return f"{value:.4g}".replace("-", "−")
