"""The network as it is, branches and skips included: pan, zoom, search, select."""

from __future__ import annotations

from typing import Any, ClassVar

import param

from onnxlrp.graph.model import Model

from ..layout.network import NetworkDrawing
from .script import Gestures, script, style


class NetworkGraph(Gestures):
    """A drawing of a network from the picture (top) to the output.

    Gesture: ``pick(layers)`` these layers are selected. Layer −1 is the picture.
    """

    nodes = param.List(doc="[{id, name, op, x, y, folded}]; see `nodes_of`.")
    edges = param.List(doc="[{tail, head, points}]; see `edges_of`.")
    tints = param.Dict({}, doc="Layer index as text → colour of its rule.")
    badges = param.Dict({}, doc="Layer index as text → what its rule is called.")
    shares = param.List(doc="Of each edge, its share of the relevance at the output; [] unknown.")
    selection = param.List(doc="Indices of the selected layers.")

    _esm = script("graph")
    _stylesheets: ClassVar[list[str]] = [style("graph")]


def nodes_of(model: Model, drawn: NetworkDrawing) -> list[dict[str, Any]]:
    """Write a network's nodes as the graph takes them; the picture is layer −1."""
    places = drawn.drawing.nodes
    picture = {"id": -1, "name": model.input.name, "op": "picture", "folded": []}
    layers = [
        {"id": layer.index, "name": layer.name, "op": layer.op, "folded": list(layer.merged)}
        for layer in model.layers
    ]
    return [
        {**node, "x": round(places[i][0], 3), "y": places[i][1]}
        for i, node in enumerate([picture, *layers])
    ]


def edges_of(drawn: NetworkDrawing) -> list[dict[str, Any]]:
    """Write a network's edges as the graph takes them."""
    return [
        {"tail": tail - 1, "head": head - 1, "points": [[round(x, 3), y] for x, y in points]}
        for (tail, head), points in drawn.drawing.edges.items()
    ]
