"""Folding a deep network: neighbouring layers that belong together become one line that opens.

Where names tell ("fire2_squeeze1x1", "/layer3/layer3.4/conv1/Conv"), they decide; elsewhere the
resolution does (a stage is what lies between two strided layers) and, in long stages, the joins of
branches (a residual or dense block).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, takewhile

from onnxlrp.graph.model import Layer, Model

SMALLEST = 3
"""Fewer layers than this are not folded."""

LONG_STAGE = 24
"""A stage of the resolution with more layers than this is folded further, into blocks."""

_SHORTER = 0.7  # names decide if folding by them leaves at most this share of the lines
_JOINS = ("Add", "Sum", "Sub", "Concat", "Mul")


@dataclass(frozen=True, slots=True)
class Fold:
    """Neighbouring layers under one name.

    Attributes
    ----------
    label : str
    start, stop : int
        Layer indices, ``stop`` left out.
    folds : tuple of Fold
        What is folded within, in order; layers between them stand for themselves.
    """

    label: str
    start: int
    stop: int
    folds: tuple[Fold, ...] = ()


def stages(model: Model) -> tuple[Fold, ...]:
    """Fold a network's layers, by their names or else by resolution.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> [fold.label for fold in stages(model)][:3]
    ['fire2', 'fire3', 'fire4']
    """
    by_name = _by_name([(layer.index, _words(layer.name)) for layer in model.layers])
    count = len(model.layers)
    if _lines(by_name, count) <= _SHORTER * count:
        return by_name
    return _by_resolution(model)


def _lines(folds: Sequence[Fold], count: int) -> int:
    """How many lines are left if all is folded."""
    return count - sum(fold.stop - fold.start - 1 for fold in folds)


# ---------------------------------------------------------------------------------------- names
def _words(name: str) -> tuple[str, ...]:
    """Cut a layer's name into its parts, repetitions left out.

    "/layer1/layer1.0/conv1/Conv" is ("layer1", "0", "conv1", "Conv").
    """
    words: list[str] = []
    path: list[str] = []
    for part in filter(None, name.split("/")):
        if path and part.startswith((f"{path[-1]}.", f"{path[-1]}_")):
            words += re.split(r"[._]", part[len(path[-1]) + 1 :])
        else:
            words += re.split(r"[._]", part)
        path.append(part)
    return tuple(word for word in words if word)


def _by_name(named: Sequence[tuple[int, tuple[str, ...]]], depth: int = 0) -> tuple[Fold, ...]:
    """Fold runs of layers whose names agree in the word at ``depth``, and within them go on."""
    folds: list[Fold] = []

    def word(item: tuple[int, tuple[str, ...]]) -> tuple[int, str]:
        index, words = item
        # A name that ends here stands for itself.
        return (0, words[depth]) if len(words) > depth + 1 else (index + 1, "")

    for (_, first), items in groupby(named, key=word):
        run = list(items)
        if not first or len(run) < SMALLEST:
            continue
        inner = _by_name(run, depth + 1)
        if len(run) == len(named):  # a word that all share tells nothing
            return inner
        start, stop = run[0][0], run[-1][0] + 1
        if len(inner) == 1 and (inner[0].start, inner[0].stop) == (start, stop):
            folds.append(inner[0])
        else:
            folds.append(Fold(_label([words for _, words in run], depth), start, stop, inner))
    return _told_apart(folds)


def _label(names: Sequence[tuple[str, ...]], depth: int) -> str:
    """The words that all names have from ``depth`` on: "fire2", "conv_layers", "layer1.0"."""
    columns = zip(*names, strict=False)
    common = [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]
    own = common[depth - 1 :] if depth and common[depth].isdigit() else common[depth:]
    return "".join(f".{word}" if word.isdigit() else f"_{word}" for word in own)[1:]


def _told_apart(folds: Sequence[Fold]) -> tuple[Fold, ...]:
    """Put what is folded within in the place of folds that share a name."""
    names = Counter(fold.label for fold in folds)
    inner = ((fold.folds if names[fold.label] > 1 else ()) or (fold,) for fold in folds)
    return tuple(chain.from_iterable(inner))


# ----------------------------------------------------------------------------------- resolution
def _by_resolution(model: Model) -> tuple[Fold, ...]:
    """Fold what has one resolution, counted in strided layers on the way from the input."""
    levels = _levels(model)
    folds = []
    for level, items in groupby(model.layers, key=lambda layer: levels[layer.index]):
        run = list(items)
        if len(run) < SMALLEST:
            continue
        inner = _blocks(run) if len(run) > LONG_STAGE else ()
        label = f"1/{2**level} size" if level else "full size"
        folds.append(Fold(label, run[0].index, run[-1].index + 1, inner))
    return tuple(folds)


def _levels(model: Model) -> list[int]:
    """How often each layer's output has been halved, never falling along the ruler."""
    level = {model.input.name: 0}
    levels: list[int] = []
    for layer in model.layers:
        above = max((level.get(name, 0) for name in layer.node.inputs), default=0)
        own = above + _halves(layer)
        level |= dict.fromkeys(layer.node.outputs, own)
        levels.append(max(own, levels[-1] if levels else 0))
    return levels


def _halves(layer: Layer) -> bool:
    """Whether the layer makes the picture smaller."""
    strides = layer.node.attributes.get("strides", ())
    shrinks = layer.op in ("Conv", "MaxPool", "AveragePool")
    return shrinks and any(step > 1 for step in strides)


def _blocks(run: Sequence[Layer]) -> tuple[Fold, ...]:
    """Fold a stage into blocks: each ends before the first weighted layer after a join."""
    number, joined = 0, False
    numbers = []
    for layer in run:
        if joined and layer.weighted:
            number, joined = number + 1, False
        joined = joined or (layer.op in _JOINS and len(layer.signals) > 1)
        numbers.append(number)
    folds = []
    key: Callable[[int], int] = lambda i: numbers[i]  # noqa: E731  # for groupby, and typed
    for number, places in groupby(range(len(run)), key=key):
        layers = [run[i] for i in places]
        if len(layers) >= SMALLEST:
            folds.append(Fold(f"block {number + 1}", layers[0].index, layers[-1].index + 1))
    return tuple(folds) if len(folds) > 1 else ()
