"""A model as a graph to draw: its layers, the edges that carry relevance, and what was folded."""

from __future__ import annotations

from dataclasses import dataclass

from onnxlrp.graph.model import Model

from .layered import Drawing, Edge, draw

INPUT = -1
"""Stands for the picture, above the first layers."""


@dataclass(frozen=True, slots=True)
class NetworkDrawing:
    """A drawn network.

    Attributes
    ----------
    drawing : Drawing
        Node 0 is the picture; node i + 1 is layer i.
    folded : mapping of int to tuple of str
        Layer index → nodes of the file whose work it took over.
    """

    drawing: Drawing
    folded: dict[int, tuple[str, ...]]


def signal_edges(model: Model) -> list[Edge]:
    """Edges that carry relevance, between layer indices; :data:`INPUT` is the picture."""
    made = {model.input.name: INPUT}
    made |= {out: layer.index for layer in model.layers for out in layer.node.outputs if out}
    edges = [
        (made[layer.node.inputs[i]], layer.index)
        for layer in model.layers
        for i in layer.signals
        if layer.node.inputs[i] in made
    ]
    return list(dict.fromkeys(edges))


def draw_network(model: Model) -> NetworkDrawing:
    """Lay out the whole network; once a model.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> draw_network(model).drawing.height
    48
    """
    found = model.derived.get("drawing")
    if not isinstance(found, NetworkDrawing):
        edges = [(tail + 1, head + 1) for tail, head in signal_edges(model)]
        folded = {layer.index: layer.merged for layer in model.layers if layer.merged}
        found = NetworkDrawing(draw(len(model.layers) + 1, edges), folded)
        model.derived["drawing"] = found
    return found
