"""Curves in one frame: told apart by dashes and marks as well as by colour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import ImageFont

from onnxlrp.errors import InputError, NumericalError
from onnxlrp.render.dashes import Point
from onnxlrp.render.figure import drawable
from onnxlrp.render.scene import Scene
from onnxlrp.render.shapes import Area, Ink, Line, Shape, Words

# All in pixels of the picture.
_WIDTH: Final = 720
_HEIGHT: Final = 440
_MARGIN: Final = 16
_TICK: Final = 5
_TITLE_SIZE: Final = 18
_TEXT_SIZE: Final = 14
_LEGEND_LINE: Final = 22
_SAMPLE: Final = 44  # length of a line in the legend
_MARK: Final = 4
_MARKS: Final = 8  # on a curve, about

_DARK: Final = (34, 34, 34)
_GRID: Final = (225, 225, 225)
_BAND: Final = 0.16  # opacity; of many bands each is fainter

# The colours of Okabe and Ito, which people with any colour vision tell apart.
_COLORS: Final[tuple[Ink, ...]] = (
    *((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167)),
    *((86, 180, 233), (160, 110, 0), (90, 90, 90)),
)
_DASHES: Final[tuple[tuple[int, ...], ...]] = ((), (9, 5), (2, 4), (12, 4, 2, 4))
_SHAPES: Final[tuple[tuple[Point, ...], ...]] = (
    tuple((math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 16)),
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    ((0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)),
    ((0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve.

    Attributes
    ----------
    name : str
        Stands in the legend.
    x, y : array of numbers, (points,)
    low, high : array of numbers, (points,), or None
        A band around the curve.
    look : (int, int), or None
        Number of its colour and mark, and of its dashes, so that curves that belong together look
        alike in one or the other; None: by its place among the curves.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    look: tuple[int, int] | None = None


def curves(
    series: Sequence[Series], *, title: str = "", x_label: str = "", y_label: str = ""
) -> Scene:
    """Draw curves in one frame, with axes and a legend.

    Parameters
    ----------
    series : sequence of Series
        One or more, of one or more points.
    title, x_label, y_label : str

    Returns
    -------
    Scene
        ``.image()`` in pixels, ``.svg()`` as text.

    Raises
    ------
    InputError
        No curve, or its arrays do not go together.
    NumericalError
        NaN or Inf.

    Examples
    --------
    >>> curves([Series("score", [0, 0.5, 1], [3, 1, 0])]).image().mode
    'RGB'
    """
    lines = [_Line.of(each) for each in series]
    if not lines:
        raise InputError("there is no curve to draw: give one series or more.")
    frame = _Frame.around(lines, title, [each.name for each in series])
    shapes = [*_grid(frame), *_words(frame, title, x_label, y_label)]
    styles = [_Style.of(*(each.look or (i, i))) for i, each in enumerate(series)]
    for line, style in zip(lines, styles, strict=True):
        shapes += _band(frame, line, style, _BAND / max(1.0, len(lines) / 3))
    for line, style in zip(lines, styles, strict=True):
        shapes += _curve(frame, line, style)
    for row, (each, style) in enumerate(zip(series, styles, strict=True)):
        shapes += _legend(frame, row, each.name, style)
    return Scene(frame.width, frame.height, tuple(shapes), title or "Curves")


@dataclass(frozen=True, slots=True)
class _Style:
    ink: Ink
    dashes: tuple[int, ...]
    shape: tuple[Point, ...]

    @classmethod
    def of(cls, color: int, dashes: int) -> _Style:
        """Look number so; colours repeat after 7, marks after 5, dashes after 4."""
        return cls(
            _COLORS[color % len(_COLORS)],
            _DASHES[dashes % len(_DASHES)],
            _SHAPES[color % len(_SHAPES)],
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A curve's numbers, checked; without a band low and high are the curve itself."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, series: Series) -> _Line:
        given = (
            *(series.x, series.y, series.y if series.low is None else series.low),
            series.y if series.high is None else series.high,
        )
        x, y, low, high = (np.asarray(values, np.float64) for values in given)
        if x.ndim != 1 or not x.size or any(v.shape != x.shape for v in (y, low, high)):
            raise InputError(f"curve {series.name!r}: x, y and its band need one length.")
        if not all(np.isfinite(values).all() for values in (x, y, low, high)):
            raise NumericalError(f"curve {series.name!r} holds NaN or Inf.")
        return cls(x, y, low, high)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where numbers come to lie on the paper."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    left: int
    top: int
    width: int
    height: int

    @classmethod
    def around(cls, lines: Sequence[_Line], title: str, names: Sequence[str]) -> _Frame:
        """Choose axes that hold all lines, and room for numbers, title and legend."""
        x = _ticks(min(line.x.min() for line in lines), max(line.x.max() for line in lines))
        y = _ticks(min(line.low.min() for line in lines), max(line.high.max() for line in lines))
        font = ImageFont.load_default(_TEXT_SIZE)
        numbers = max(font.getlength(_number(tick)) for tick in y)
        legend = _SAMPLE + 8 + max(font.getlength(drawable(name)) for name in names)
        left = _MARGIN + _TEXT_SIZE + 12 + math.ceil(numbers) + _TICK
        top = _MARGIN + (_TITLE_SIZE + 12 if title else 0)
        plot = _HEIGHT + 2 * _TEXT_SIZE + 3 * _MARGIN
        return cls(
            *(x, y, left, top),
            width=left + _WIDTH + 2 * _MARGIN + math.ceil(legend),
            height=top + max(plot, len(names) * _LEGEND_LINE + _MARGIN),
        )

    def at(self, x: float, y: float) -> Point:
        """Place of a point on the paper."""
        right = (x - self.x[0]) / (self.x[-1] - self.x[0])
        up = (y - self.y[0]) / (self.y[-1] - self.y[0])
        return self.left + right * _WIDTH, self.top + (1.0 - up) * _HEIGHT


def _ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers from below the lowest to above the highest value, five or so.

    Examples
    --------
    >>> _ticks(0.0, 1.0)
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    """
    if low == high:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(i * step, 12) for i in range(first, last + 1))


def _number(value: float) -> str:
    """Write a tick."""
    return f"{value:g}"


def _grid(frame: _Frame) -> Iterator[Shape]:
    """Yield grid, axes and the numbers beside them."""
    for tick in frame.x:
        (x, bottom), (_, top) = frame.at(tick, frame.y[0]), frame.at(tick, frame.y[-1])
        yield Line(((x, top), (x, bottom)), _GRID)
        below = (x, bottom + _TICK + _TEXT_SIZE / 2)
        yield Words(_number(tick), below, _TEXT_SIZE, _DARK, "middle")
    for tick in frame.y:
        (left, y), (right, _) = frame.at(frame.x[0], tick), frame.at(frame.x[-1], tick)
        yield Line(((left, y), (right, y)), _GRID)
        yield Words(_number(tick), (left - _TICK, y), _TEXT_SIZE, _DARK, "end")
    (left, bottom), (right, top) = (frame.at(frame.x[end], frame.y[end]) for end in (0, -1))
    yield Line(((left, top), (left, bottom), (right, bottom)), _DARK)


def _words(frame: _Frame, title: str, x_label: str, y_label: str) -> Iterator[Shape]:
    """Yield what the axes and the whole are called."""
    (left, bottom), (right, top) = (frame.at(frame.x[end], frame.y[end]) for end in (0, -1))
    below = bottom + _TICK + 1.5 * _TEXT_SIZE + _MARGIN
    yield Words(x_label, ((left + right) / 2, below), _TEXT_SIZE, _DARK, "middle")
    beside = (_MARGIN + _TEXT_SIZE / 2, (top + bottom) / 2)
    yield Words(y_label, beside, _TEXT_SIZE, _DARK, upright=True)
    if title:
        yield Words(title, (left, _MARGIN + _TITLE_SIZE / 2), _TITLE_SIZE, _DARK)


def _band(frame: _Frame, line: _Line, style: _Style, opacity: float) -> Iterator[Shape]:
    """Yield the band, if there is one."""
    upper = [frame.at(x, y) for x, y in zip(line.x, line.high, strict=True)]
    lower = [frame.at(x, y) for x, y in zip(line.x, line.low, strict=True)]
    if len(upper) > 1 and upper != lower:
        yield Area((*upper, *reversed(lower)), style.ink, opacity)


def _curve(frame: _Frame, line: _Line, style: _Style) -> Iterator[Shape]:
    """Yield the curve, and some marks upon it."""
    points = tuple(frame.at(x, y) for x, y in zip(line.x, line.y, strict=True))
    yield Line(points, style.ink, 2, style.dashes)
    for i in np.unique(np.linspace(0, len(points) - 1, _MARKS).round().astype(int)):
        yield _mark(points[i], style)


def _mark(place: Point, style: _Style) -> Shape:
    """Return the mark of a style."""
    corners = ((place[0] + _MARK * x, place[1] + _MARK * y) for x, y in style.shape)
    return Area(tuple(corners), style.ink)


def _legend(frame: _Frame, row: int, name: str, style: _Style) -> Iterator[Shape]:
    """Yield one line of the legend."""
    left = frame.left + _WIDTH + _MARGIN
    y = frame.top + _LEGEND_LINE * (row + 0.5)
    right = left + _SAMPLE
    yield Line(((left, y), (right, y)), style.ink, 2, style.dashes)
    yield _mark(((left + right) / 2, y), style)
    yield Words(name, (right + 8, y), _TEXT_SIZE, _DARK)
