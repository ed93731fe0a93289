"""A finished drawing, to be had as pixels and as SVG."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from onnxlrp.render.raster import rasterized
from onnxlrp.render.shapes import Shape
from onnxlrp.render.svg import svg_of


@dataclass(frozen=True, slots=True)
class Scene:
    """Shapes on white paper.

    Attributes
    ----------
    width, height : int
        Pixels.
    shapes : tuple of Shape
        The last one lies on top.
    title : str
        What it shows, in words.
    """

    width: int
    height: int
    shapes: tuple[Shape, ...]
    title: str = ""

    def image(self) -> Image.Image:
        """Draw it in pixels, mode "RGB"."""
        return rasterized(self.shapes, self.width, self.height)

    def svg(self) -> str:
        """Write it as an SVG document."""
        return svg_of(self.shapes, self.width, self.height, self.title)
