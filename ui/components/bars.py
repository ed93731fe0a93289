"""The ten numbers of a rule as ten small bars: the paper's picture of a segment."""

from __future__ import annotations

from html import escape
from itertools import groupby
from math import log10

from onnxlrp.rules import Rule

from ..state.numbers import NUMBERS, Number, numbers_of
from .numbers import EFFECTS


def bars(rule: Rule) -> str:
    """Draw the rule's numbers as HTML: a bar each, as high as its slider stands.

    Examples
    --------
    >>> from onnxlrp.rules import Gamma
    >>> "γ1+ 0.3" in bars(Gamma(0.3))
    True
    """
    values = numbers_of(rule)
    drawn = "".join(
        '<div style="display:flex;gap:var(--gap, 3px);flex:{};">{}</div>'.format(
            len(group), "".join(_bar(n, values.get(n.key)) for n in group)
        )
        for group in (list(g) for _, g in groupby(NUMBERS, key=lambda n: n.effect))
    )
    said = ", ".join(f"{n.symbol} {values[n.key]:g}" for n in NUMBERS if n.key in values)
    return (
        f'<div role="img" aria-label="{escape(said or "no numbers")}" '
        f'style="display:flex;gap:7px;width:100%;color:#1d2733">{drawn}</div>'
    )


def _bar(number: Number, value: float | None) -> str:
    """One bar: its symbol above, its value within."""
    _, colour = EFFECTS[number.effect]
    share = 0.0 if value is None else _share(number, value)
    text = "" if not value else f"{value:.3g}".replace("e-0", "e-")
    edge = "rgba(29,39,51,.8)" if value else "rgba(29,39,51,.14)"
    name, index = number.symbol[0], number.symbol[1:]
    return (
        '<div style="flex:1;min-width:0;text-align:center;font-size:11px;line-height:14px">'
        f'<i style="font-family:Georgia,serif">{name}</i>'
        f'<sub style="font-size:8.5px;line-height:0">{escape(index)}</sub>'
        f'<div style="position:relative;height:var(--bar, 34px);border:1px solid {edge};'
        f'border-radius:3px;overflow:hidden;background:rgba(255,255,255,.45)">'
        f'<div style="position:absolute;left:0;right:0;bottom:0;height:{100 * share:.0f}%;'
        f'background:{colour}"></div>'
        '<div style="position:absolute;left:0;right:0;bottom:1px;font-size:var(--value, 9.5px)">'
        f"{text}</div>"
        "</div></div>"
    )


def _share(number: Number, value: float) -> float:
    """How much of its range the value fills; logarithmic ones as their sliders are."""
    if value <= number.low:
        return 0.0
    if not number.least:
        return min((value - number.low) / (number.high - number.low), 1.0)
    if value < number.least:
        return 0.0
    return min(log10(value / number.least) / log10(number.high / number.least), 1.0)
