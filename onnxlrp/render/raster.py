"""A drawing as pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFont

from onnxlrp.render.dashes import Point, dashed
from onnxlrp.render.figure import drawable
from onnxlrp.render.shapes import Area, Line, Shape, Words

_FINER = 3  # drawn so much larger, then reduced: smooth lines
_ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}


def rasterized(shapes: Iterable[Shape], width: int, height: int) -> Image.Image:
    """Draw shapes on white paper.

    Parameters
    ----------
    shapes : iterable of Shape
        The last one lies on top.
    width, height : int
        Pixels.

    Returns
    -------
    PIL.Image.Image
        Mode "RGB".
    """
    paper = Image.new("RGB", (width * _FINER, height * _FINER), "white")
    draw = ImageDraw.Draw(paper, "RGBA")
    for shape in shapes:
        if isinstance(shape, Line):
            _draw_line(draw, shape)
        elif isinstance(shape, Area):
            opacity = round(255 * shape.opacity)
            draw.polygon([_finer(p) for p in shape.points], fill=(*shape.ink, opacity))
        elif shape.upright:
            _write_upright(draw, shape)
        else:
            font, anchor = ImageFont.load_default(shape.size * _FINER), _ANCHORS[shape.align]
            draw.text(_finer(shape.at), drawable(shape.text), shape.ink, font, anchor)
    return paper.reduce(_FINER)


def _finer(point: Point) -> Point:
    """Place of a point on the finer paper."""
    return point[0] * _FINER, point[1] * _FINER


def _draw_line(draw: ImageDraw.ImageDraw, line: Line) -> None:
    """Draw a line, in its dashes."""
    points = [_finer(point) for point in line.points]
    for piece in dashed(points, [length * _FINER for length in line.dashes]):
        draw.line(piece, fill=line.ink, width=round(line.width * _FINER), joint="curve")


def _write_upright(draw: ImageDraw.ImageDraw, words: Words) -> None:
    """Write from the bottom up."""
    font, text = ImageFont.load_default(words.size * _FINER), drawable(words.text)
    if not text:
        return
    left, top, right, bottom = font.getbbox(text)
    mask = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)))
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=font)
    turned = mask.rotate(90, expand=True)
    x, y = _finer(words.at)
    draw.bitmap((round(x - turned.width / 2), round(y - turned.height / 2)), turned, words.ink)
