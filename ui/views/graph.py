"""The network as a graph: tinted by rule, edges as wide as their share of relevance."""

from __future__ import annotations

from typing import Any

from panel.viewable import Viewable, Viewer

from ..components.graph import NetworkGraph, edges_of, nodes_of
from ..layout.network import draw_network
from ..state import Workbench, rule_label, rules_of
from ..state.shares import edge_shares
from .parts import when


class GraphView(Viewer):
    """The graph of the network on the screen, under the current design.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self.bench = bench
        self.graph = NetworkGraph(sizing_mode="stretch_both", min_height=360)
        self.graph.on_gesture(self._pick)
        when(bench, ["network"], self._open)
        when(bench, ["network", "designs", "current"], self._paint)
        when(bench, ["books"], self._weigh)
        when(bench, ["selection"], self._select)

    def __panel__(self) -> Viewable:
        return self.graph

    def _open(self) -> None:
        model = self.bench.model
        drawn = draw_network(model)
        self.graph.param.update(
            nodes=nodes_of(model, drawn), edges=edges_of(drawn), shares=[], selection=[]
        )

    def _paint(self) -> None:
        """Tint each layer that takes a rule as the ruler does."""
        model = self.bench.model
        cut = self.bench.segments
        rules = rules_of(self.bench.design.composite, model)
        colours = {i: s.colour for s in cut for i in s.layers if i in rules}
        known = {s.rule: s.colour for s in reversed(cut)}
        tints = {str(i): known.get(rule, colours[i]) for i, rule in rules.items()}
        tints |= {str(i): colours[i] for i in rules if model.layers[i].weighted}
        badges = {str(i): rule_label(rule) for i, rule in rules.items()}
        self.graph.param.update(tints=tints, badges=badges)

    def _weigh(self) -> None:
        edges = [(edge["tail"], edge["head"]) for edge in self.graph.edges]
        self.graph.shares = edge_shares(self.bench.model, self.bench.books, edges)

    def _select(self) -> None:
        self.graph.selection = sorted(self.bench.selection)

    def _pick(self, kind: str, layers: list[int], **values: Any) -> None:
        self.bench.select(layers)
