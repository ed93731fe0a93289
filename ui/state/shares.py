"""How much relevance each edge of the network carries, from the books of its layers."""

from __future__ import annotations

from collections.abc import Sequence

from onnxlrp.books import LayerBooks
from onnxlrp.graph.model import Model

Edge = tuple[int, int]


def edge_shares(
    model: Model, books: Sequence[LayerBooks], edges: Sequence[Edge]
) -> list[float | None]:
    """Σ R that passes each edge, as a share of Σ R at the output.

    Parameters
    ----------
    model : Model
    books : sequence of LayerBooks
        Of one picture, with what every layer handed to each of its inputs.
    edges : sequence of (int, int)
        Layer indices from tail to head; −1 is the picture.

    Returns
    -------
    list of float or None
        In the order of ``edges``; None where it is not known, or nothing arrived at the output.
    """
    if not books:
        return []
    total = float(books[0].arrived[0])
    if total == 0:
        return [None] * len(edges)
    handed = {
        (name, book.layer.index): float(part[0])
        for book in books
        for name, part in book.inputs.items()
    }
    made: dict[int, tuple[str, ...]] = {-1: (model.input.name,)}
    made |= {layer.index: layer.node.outputs for layer in model.layers}
    found = []
    for tail, head in edges:
        parts = [handed[name, head] for name in made[tail] if (name, head) in handed]
        found.append(sum(parts) / total if parts else None)
    return found
