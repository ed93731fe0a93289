"""A heatmap as a picture for people: large and crisp, with a title and a colour bar."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from onnxlrp.render.colormaps import DEFAULT_COLORMAP, ZERO_ROW, colormap
from onnxlrp.render.heatmap import LimitMethod, color_limit, heatmap_rgb, overlay

# All in pixels of the figure.
_PANEL_SIDE: Final = 448
_MARGIN: Final = 20
_GAP: Final = 16
_BAR_WIDTH: Final = 18
_TICK_LENGTH: Final = 5
_TITLE_SIZE: Final = 19
_TICK_SIZE: Final = 15

_INK: Final = (34, 34, 34)
_FRAME: Final = (150, 150, 150)


def figure(
    relevance_map: ArrayLike,
    *,
    picture: NDArray[np.uint8] | None = None,
    overlay_strength: float | None = None,
    title: str = "",
    limit: LimitMethod | float | None = None,
    colormap_name: str = DEFAULT_COLORMAP,
) -> Image.Image:
    """Draw the heatmap with a colour bar and a title; beside it, if given, the picture.

    Parameters
    ----------
    relevance_map : array of shape (H, W)
        Enlarged by a whole factor, each pixel a square of one colour.
    picture : ndarray of shape (H, W, 3), uint8, or None
        RGB, as the network sees it; stands at the left.
    overlay_strength : float or None
        If given, a panel shows the heatmap laid over the picture with this strength (0 to 1).
    title : str
        One line; cut with "…" where it is longer than the figure is wide.
    limit, colormap_name
        As for `heatmap_rgb`.

    Returns
    -------
    PIL.Image.Image
        Mode "RGB".

    Raises
    ------
    InputError
        If the shapes do not fit, or limit, strength or colour map are unknown.
    NumericalError
        If the map holds NaN or Inf.

    Examples
    --------
    >>> figure(np.eye(28), title="one digit").mode
    'RGB'
    """
    values = np.asarray(relevance_map, np.float64)
    panels = [heatmap_rgb(values, limit, colormap_name)]
    if picture is not None:
        panels.insert(0, picture)
        if overlay_strength is not None:
            panels.append(overlay(picture, values, overlay_strength, limit, colormap_name))
    largest = color_limit(values, "max" if limit is None else limit)
    bar = _ColorBar(largest, colormap_name)
    return _compose([_enlarged(panel) for panel in panels], bar, title)


def _enlarged(rgb: NDArray[np.uint8]) -> Image.Image:
    """Scale by the whole factor that comes nearest to the panel's side; never down."""
    factor = max(1, round(_PANEL_SIDE / max(rgb.shape[:2])))
    return Image.fromarray(rgb.repeat(factor, axis=0).repeat(factor, axis=1))


def _compose(panels: list[Image.Image], bar: _ColorBar, title: str) -> Image.Image:
    """Put title, panels and colour bar on white paper."""
    top = _MARGIN + (_TITLE_SIZE + _GAP if title else 0)
    height = max(panel.height for panel in panels)
    right = _MARGIN + sum(panel.width + _GAP for panel in panels)
    width = right + bar.width + _MARGIN
    paper = Image.new("RGB", (width, top + height + _MARGIN), "white")
    draw = ImageDraw.Draw(paper)
    if title:
        font = ImageFont.load_default(_TITLE_SIZE)
        line = _fitted(drawable(title), font, width - 2 * _MARGIN)
        draw.text((_MARGIN, _MARGIN), line, fill=_INK, font=font, anchor="lt")
    left = _MARGIN
    for panel in panels:
        paper.paste(panel, (left, top))
        _frame(draw, left, top, panel.width, panel.height)
        left += panel.width + _GAP
    bar.draw(paper, right, top, height)
    return paper


@dataclass(frozen=True, slots=True)
class _ColorBar:
    """The colours from +limit at the top to −limit at the bottom, with numbers."""

    limit: float
    colormap_name: str

    @property
    def width(self) -> int:
        """Pixels that bar, ticks and the widest number take."""
        font = ImageFont.load_default(_TICK_SIZE)
        widest = max(font.getlength(text) for _, text in self.ticks)
        return _BAR_WIDTH + 2 * _TICK_LENGTH + math.ceil(widest)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Positions (−1 to 1) and numbers: the limits, their halves, and zero."""
        if self.limit == 0.0:
            return [(0.0, "0")]
        return [(at, f"{at * self.limit:.3g}") for at in (1.0, 0.5, 0.0, -0.5, -1.0)]

    def draw(self, paper: Image.Image, left: int, top: int, height: int) -> None:
        """Paint the bar on the paper, as high as the panels."""
        at_row = np.linspace(1.0, -1.0, height)
        rows = ZERO_ROW + np.rint(127.0 * at_row).astype(np.intp)
        column = colormap(self.colormap_name)[rows]
        paper.paste(Image.fromarray(column[:, None].repeat(_BAR_WIDTH, axis=1)), (left, top))
        draw = ImageDraw.Draw(paper)
        _frame(draw, left, top, _BAR_WIDTH, height)
        font = ImageFont.load_default(_TICK_SIZE)
        right = left + _BAR_WIDTH
        for at, text in self.ticks:
            y = top + round((1.0 - at) / 2.0 * (height - 1))
            draw.line((right, y, right + _TICK_LENGTH, y), fill=_INK)
            # The outermost numbers stay within the bar's height.
            anchor = "lt" if at == 1.0 else "lb" if at == -1.0 else "lm"
            draw.text((right + 2 * _TICK_LENGTH, y), text, fill=_INK, font=font, anchor=anchor)


def _frame(draw: ImageDraw.ImageDraw, left: int, top: int, width: int, height: int) -> None:
    """Draw a hairline around a panel, outside of its pixels: white panels need an edge."""
    draw.rectangle((left - 1, top - 1, left + width, top + height), outline=_FRAME)


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """Cut the text with "…" until it fits."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def drawable(text: str) -> str:
    """Spell the text with the characters that Pillow's own font has: "ε" becomes "epsilon".

    Examples
    --------
    >>> drawable("LRP-ε, Σ R = −1, café")
    'LRP-epsilon, sum R = -1, cafe'
    """
    return "".join(_spelled(character) for character in text)


_SPELLED: Final = {"Σ": "sum", "−": "-", "–": "-", "×": "x", "→": ">"}


def _spelled(character: str) -> str:
    """One character with the font's own: itself, its spelling, its base letter, or "?"."""
    if character in _SPELLED:
        return _SPELLED[character]
    if not character.isprintable():
        return " "
    if character.isascii() or character in "·±…°":
        return character
    name = unicodedata.name(character, "")
    if name.startswith("GREEK"):
        return name.rpartition(" ")[2].lower()
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base.isascii() and base.isprintable() else "?"
