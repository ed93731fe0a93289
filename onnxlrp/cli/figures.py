"""The figure of an explanation: the heatmap, beside the picture if there is one."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from onnxlrp.cli.explaining import Explanation
from onnxlrp.graph.model import Model
from onnxlrp.render import colormap, figure
from onnxlrp.render.heatmap import LimitMethod
from onnxlrp.render.maps import relevance_map

OVERLAY_STRENGTH = 0.9


@dataclass(frozen=True, slots=True)
class Drawing:
    """How heatmaps are drawn.

    Raises
    ------
    InputError
        There is no such colour map.
    """

    normalize: LimitMethod
    colormap: str
    overlay: bool

    def __post_init__(self) -> None:
        colormap(self.colormap)


def draw(model: Model, explanation: Explanation, drawing: Drawing) -> Image.Image:
    """Draw the heatmap, beside the picture if there is one."""
    sample = explanation.sample
    label = explanation.label(model)
    title = f"{sample.name}: {label} ({explanation.score:.2f}), {explanation.composite.name}"
    return figure(
        relevance_map(model, explanation.result.relevance),
        picture=sample.picture,
        overlay_strength=OVERLAY_STRENGTH if drawing.overlay else None,
        title=title,
        limit=drawing.normalize,
        colormap_name=drawing.colormap,
    )
