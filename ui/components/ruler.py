"""The segments ruler: one tick a layer, segments as coloured bands whose bounds can be dragged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import param

from ..layout.stages import Fold
from .script import Gestures, script, style


class Ruler(Gestures):
    """A ruler of layers from the input (top) to the output.

    Gestures: ``move(number, to, gesture)`` the bound below segment ``number`` goes to layer ``to``;
    ``split(at)`` a segment begins at layer ``at``; ``merge(number)`` segment ``number`` joins the
    one before it; ``pick(layers)`` these layers are selected; ``segment(number)`` a segment is.
    """

    layers = param.List(doc="[{name, op, ruled, note}] by layer index.")
    folds = param.List(doc="[{label, start, stop, folds}], what can be folded; see `folds_of`.")
    segments = param.List(
        doc="[{number, start, stop, label, colour, title, equation, bars, image, said, caption, "
        "stale}]: stop is left out; title to bars and caption are HTML; the picture's address, "
        "what it shows in words, and whether it is an earlier one."
    )
    places = param.List(doc="Layer indices where a segment may begin.")
    selection = param.List(doc="Indices of the selected layers.")
    current = param.Integer(0, doc="Number of the segment whose rule is shown; 0 is none.")
    opened = param.List(doc="The folds that are open, as 'start:stop'.")

    _esm = script("lines", "ruler")
    _stylesheets: ClassVar[list[str]] = [style("ruler")]


def folds_of(folds: Sequence[Fold]) -> list[dict[str, Any]]:
    """Write folds as the ruler takes them.

    Examples
    --------
    >>> folds_of([Fold("fire2", 3, 10)])
    [{'label': 'fire2', 'start': 3, 'stop': 10, 'folds': []}]
    """
    return [
        {"label": f.label, "start": f.start, "stop": f.stop, "folds": folds_of(f.folds)}
        for f in folds
    ]


def all_folds(folds: Sequence[Fold]) -> list[str]:
    """Name every fold, as ``opened`` does.

    Examples
    --------
    >>> all_folds([Fold("layer1", 0, 9, (Fold("layer1.0", 0, 4),))])
    ['0:9', '0:4']
    """
    return [key for f in folds for key in (f"{f.start}:{f.stop}", *all_folds(f.folds))]


def large_folds(folds: Sequence[Fold], most: int) -> list[str]:
    """Name every fold of more than ``most`` layers, as ``opened`` does.

    Examples
    --------
    >>> large_folds([Fold("features", 0, 9, (Fold("block1", 0, 4),))], 5)
    ['0:9']
    """
    large = (f for f in folds if f.stop - f.start > most)
    return [key for f in large for key in (f"{f.start}:{f.stop}", *large_folds(f.folds, most))]
