"""The rule's numbers as sliders with a field each, grouped in the paper's four effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import param

from ..state.numbers import NUMBERS
from .script import Gestures, script, style

EFFECTS: Mapping[str, tuple[str, str]] = {
    "contribution": ("Contribution effect", "#b3a5d6"),
    "activation": ("Activation effect", "#6cc3b4"),
    "weight": ("Weight effect", "#e6cf57"),
    "suppression": ("Suppression effect", "#ee7e73"),
}
"""Effect → its heading and colour."""


class NumberSliders(Gestures):
    """Ten sliders and fields.

    Gestures: ``set(key, value, gesture)`` while a slider is dragged or a field is left; all values
    of one drag have one ``gesture``. ``reset(key)`` on a double click.
    """

    values = param.Dict({}, doc="Key → value; a number that is missing is greyed out.")
    errors = param.Dict({}, doc="Key → what is wrong with what was given.")
    groups = param.List(
        [
            {
                "title": title,
                "colour": colour,
                "numbers": [
                    {
                        "key": n.key,
                        "symbol": n.symbol,
                        "low": n.low,
                        "high": n.high,
                        "least": n.least,
                        "meaning": n.meaning,
                    }
                    for n in NUMBERS
                    if n.effect == effect
                ],
            }
            for effect, (title, colour) in EFFECTS.items()
        ],
        doc="The sliders.",
    )

    _esm = script("numbers")
    _stylesheets: ClassVar[list[str]] = [style("numbers")]
