"""A drawing as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from onnxlrp.render.dashes import Point
from onnxlrp.render.shapes import Area, Ink, Line, Shape, Words


def svg_of(shapes: Iterable[Shape], width: int, height: int, title: str = "") -> str:
    """Write shapes on white paper as an SVG document.

    Parameters
    ----------
    shapes : iterable of Shape
        The last one lies on top.
    width, height : int
        Pixels.
    title : str
        What it shows, for those who do not see it.

    Examples
    --------
    >>> print(svg_of([Line(((0, 0), (4, 3)), (0, 0, 0))], 4, 3, "a < b").splitlines()[1])
    <title>a &lt; b</title>
    """
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        'font-family="Helvetica, Arial, sans-serif">'
    )
    paper = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", paper, *map(_element, shapes)]) + (
        "\n</svg>\n"
    )


def _element(shape: Shape) -> str:
    """Write one shape."""
    if isinstance(shape, Line):
        dashes = f' stroke-dasharray="{" ".join(map(str, shape.dashes))}"' if shape.dashes else ""
        return (
            f'<polyline points="{_points(shape.points)}" fill="none" stroke="{_color(shape.ink)}" '
            f'stroke-width="{shape.width:g}" stroke-linejoin="round"{dashes}/>'
        )
    if isinstance(shape, Area):
        opacity = f' fill-opacity="{shape.opacity:.2g}"' if shape.opacity < 1 else ""
        return f'<polygon points="{_points(shape.points)}" fill="{_color(shape.ink)}"{opacity}/>'
    return _text(shape)


def _text(words: Words) -> str:
    """Write one line of text."""
    x, y = words.at
    turned = f' transform="rotate(-90 {x:g} {y:g})"' if words.upright else ""
    align = "middle" if words.upright else words.align
    anchor = f' text-anchor="{align}"' if align != "start" else ""
    return (
        f'<text x="{x:g}" y="{y:g}" dy="0.35em" font-size="{words.size}" '
        f'fill="{_color(words.ink)}"{anchor}{turned}>{escape(words.text)}</text>'
    )


def _points(points: Iterable[Point]) -> str:
    """Write places, to a hundredth of a pixel."""
    return " ".join(f"{round(x, 2):g},{round(y, 2):g}" for x, y in points)


def _color(ink: Ink) -> str:
    """Write a colour."""
    return "#{:02x}{:02x}{:02x}".format(*ink)
