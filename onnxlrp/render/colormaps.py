"""Diverging colour maps for signed relevance: zero is white, either sign darkens evenly.

A map is a table of 256 colours. Row 128 is zero, row 255 the upper limit, row 1 the lower limit
(row 0 repeats it), so that zero has a row of its own and equal strengths lie equally far from it.
Each is drawn through a few anchor colours in OKLab, a space in which equal steps look equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import InputError, did_you_mean

DEFAULT_COLORMAP: Final = "red-blue"

ZERO_ROW: Final = 128
"""The row of a table that holds the colour of zero; the limits lie 127 rows from it."""

_WHITE = "#ffffff"

# From the lower limit to the upper one, evenly spaced.
_ANCHORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "red-blue": ("#0b2f66", "#1f66ae", "#7db3da", _WHITE, "#f2997c", "#c4302f", "#67081f"),
        "purple-green": ("#3f0d5c", "#7a449b", "#bb9acf", _WHITE, "#9bcf98", "#2f8a4c", "#04451f"),
        "seismic": ("#000052", "#0000ff", _WHITE, "#ff0000", "#7d0000"),
    }
)

# Ottosson 2020, "A perceptual color space for image processing": linear sRGB to cone responses,
# and their cube roots to lightness, green-red and blue-yellow.
_CONES_OF_RGB = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB_OF_ROOTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def colormap_names() -> tuple[str, ...]:
    """Return the names that `colormap` knows, the default one first."""
    return tuple(_ANCHORS)


def colormap(name: str = DEFAULT_COLORMAP) -> NDArray[np.uint8]:
    """Look a colour map up by its name.

    Parameters
    ----------
    name : str
        "red-blue" (safe for colour-blind people), "purple-green" (likewise) or "seismic".

    Returns
    -------
    ndarray of shape (256, 3), uint8
        RGB from the lower limit through white at row 128 to the upper limit.

    Raises
    ------
    InputError
        If there is no such map.

    Examples
    --------
    >>> colormap("seismic")[128]
    array([255, 255, 255], dtype=uint8)
    """
    if name not in _ANCHORS:
        raise InputError(
            f"There is no colour map '{name}'.{did_you_mean(name, _ANCHORS)} "
            f"Known: {', '.join(_ANCHORS)}."
        )
    return _table(_ANCHORS[name])


def oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Convert sRGB colours to OKLab, in which distances are about as large as they look.

    Parameters
    ----------
    rgb : ndarray of shape (..., 3), uint8

    Returns
    -------
    ndarray of shape (..., 3), float64
        Lightness (0 black, 1 white), green to red, blue to yellow.
    """
    encoded = np.asarray(rgb, np.float64) / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float64] = np.cbrt(linear @ _CONES_OF_RGB.T) @ _LAB_OF_ROOTS.T
    return lab


def _srgb(lab: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Convert OKLab colours (..., 3) back to sRGB; what no screen shows is clipped."""
    cones = (lab @ np.linalg.inv(_LAB_OF_ROOTS).T) ** 3
    linear = np.clip(cones @ np.linalg.inv(_CONES_OF_RGB).T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(encoded * 255.0).astype(np.uint8)


def _table(anchors: tuple[str, ...]) -> NDArray[np.uint8]:
    """Draw a table (256, 3) through evenly spaced anchors "#rrggbb", the middle one at zero."""
    rgb = np.array([list(bytes.fromhex(anchor[1:])) for anchor in anchors], np.uint8)
    at_anchor = np.linspace(-1.0, 1.0, len(anchors))
    at_row = (np.arange(256) - ZERO_ROW) / 127.0
    lab = oklab(rgb)
    return _srgb(np.stack([np.interp(at_row, at_anchor, axis) for axis in lab.T], axis=-1))
