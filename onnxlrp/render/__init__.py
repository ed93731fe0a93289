"""Relevance made visible: colours, figures, curves, reports."""

from __future__ import annotations

from onnxlrp.render.colormaps import DEFAULT_COLORMAP, colormap, colormap_names
from onnxlrp.render.figure import figure
from onnxlrp.render.files import save_image
from onnxlrp.render.heatmap import channel_sum, color_limit, heatmap_rgb, overlay

__all__ = [
    "DEFAULT_COLORMAP",
    "channel_sum",
    "color_limit",
    "colormap",
    "colormap_names",
    "figure",
    "heatmap_rgb",
    "overlay",
    "save_image",
]
