"""Pictures and maps as addresses that stand in a page: small images of few kilobytes."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from onnxlrp.render.heatmap import heatmap_rgb

from ..state import Look


def picture_url(rgb: NDArray[np.uint8], largest: int = 0) -> str:
    """A picture (H, W, 3) as a data address; scaled down to ``largest`` pixels if that is not 0."""
    image = Image.fromarray(rgb)
    if largest:
        image.thumbnail((largest, largest))
    return _url(image)


def map_url(relevance: NDArray[np.float32], look: Look, limit: float | None = None) -> str:
    """A map (H, W) as a data address, for where no value is to be read: a thumbnail."""
    shown = look.signed(relevance)
    size = look.limit_of(relevance) if limit is None else limit
    return _url(Image.fromarray(heatmap_rgb(shown, size, look.colormap)))


def _url(image: Image.Image) -> str:
    return _encoded(image.tobytes(), image.size)


@lru_cache(maxsize=64)
def _encoded(pixels: bytes, size: tuple[int, int]) -> str:
    """PNG of RGB pixels; the same picture is asked for again and again."""
    out = io.BytesIO()
    # The fastest level: what is drawn while a slider moves must not wait for a smaller file.
    Image.frombytes("RGB", size, pixels).save(out, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
