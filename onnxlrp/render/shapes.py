"""A drawing as values: lines, areas and words on white paper, for pixels or for SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from onnxlrp.render.dashes import Point

Ink: TypeAlias = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

Align: TypeAlias = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points.

    Attributes
    ----------
    points : tuple of (float, float)
        x to the right, y down, in pixels.
    ink : Ink
    width : float
    dashes : tuple of int
        Lengths of dash, gap, …; empty for a whole line.
    """

    points: tuple[Point, ...]
    ink: Ink
    width: float = 1.0
    dashes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon; opacity from 0 to 1."""

    points: tuple[Point, ...]
    ink: Ink
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text.

    Attributes
    ----------
    text : str
    at : (float, float)
        Middle of the line's height; across, where ``align`` says.
    size : int
        Height of the letters in pixels.
    ink : Ink
    align : "start", "middle" or "end"
    upright : bool
        Written from the bottom up, its middle at ``at``.
    """

    text: str
    at: Point
    size: int
    ink: Ink
    align: Align = "start"
    upright: bool = False


Shape: TypeAlias = Line | Area | Words
