"""What views show as HTML and pictures: a rule's equation, a relevance map as an address."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

import numpy as np
from latex2mathml.converter import convert
from numpy.typing import NDArray
from PIL import Image

from onnxlrp.render.heatmap import heatmap_rgb
from onnxlrp.rules import Rule

from ..state import Look


@lru_cache(maxsize=512)
def equation(rule: Rule) -> str:
    r"""Write a rule's equation with its numbers filled in, what its symbols mean below (MathML).

    Examples
    --------
    >>> from onnxlrp.rules import Epsilon
    >>> equation(Epsilon(0.25))[:28]
    '<div class="main"><math disp'
    """
    main, *where = rule.latex().split(r",\quad ")
    lines = [f'<div class="main">{_math(main)}</div>']
    if where:
        meaning = _math(r",\quad ".join(where))
        lines.append(f'<div class="where">{meaning}</div>')
    return "".join(lines)


def _math(latex: str) -> str:
    return str(convert(latex, xmlns="", display="block")).replace(' xmlns=""', "")


def address_of_map(relevance: NDArray[np.float32], look: Look, limit: float) -> str:
    """Draw a relevance map (H, W) as a PNG picture's address, one pixel an element."""
    rgb = heatmap_rgb(look.signed(relevance), limit, look.colormap)
    return address_of(rgb)


def address_of(rgb: NDArray[np.uint8]) -> str:
    """Write a picture (H, W, 3) as the address of a PNG file that holds it."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
