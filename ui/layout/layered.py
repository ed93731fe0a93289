"""A layered drawing of a network: inputs on top, every edge downwards, few crossings.

Sugiyama, Tagawa, Toda 1981 (doi 10.1109/TSMC.1981.4308636), in its usual four steps: ranks by the
longest path, long edges cut into pieces by bends, order within a rank by the barycentre of the
neighbours, and places along the rank by least squares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[int, int]
"""From a node to a node that reads it."""

Point = tuple[float, float]
"""x, in widths of a node; y, the rank."""

MOST_BENDS = 6000
"""Edges longer than this many bends in all allow pass by the side instead."""

_SWEEPS = 6
_BEND_WIDTH = 0.3  # how much room an edge that passes a rank takes, in widths of a node


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where the nodes and edges of a graph lie.

    Attributes
    ----------
    nodes : mapping of int to (x, y)
        Centre of each node: x in widths of a node, the leftmost one at 0; y is the rank.
    edges : mapping of (int, int) to tuple of (x, y)
        The points that each edge passes, ends included.
    width : float
        The rightmost centre.
    height : int
        The last rank.
    """

    nodes: Mapping[int, Point]
    edges: Mapping[Edge, tuple[Point, ...]]
    width: float
    height: int


def draw(count: int, edges: Sequence[Edge]) -> Drawing:
    """Lay out a graph whose nodes are numbered in topological order.

    Parameters
    ----------
    count : int
        Nodes are 0 to count − 1.
    edges : sequence of (int, int)
        Each from a lower to a higher number.

    Raises
    ------
    ValueError
        An edge that does not go from a lower to a higher number.

    Examples
    --------
    >>> draw(4, [(0, 1), (0, 2), (1, 3), (2, 3)]).nodes[3]
    (0.5, 2)
    """
    edges = list(dict.fromkeys(edges))
    for tail, head in edges:
        if not 0 <= tail < head < count:
            raise ValueError(f"edge {tail} → {head}: nodes are 0 to {count - 1}, in order.")
    ranks = longest_paths(count, edges)
    longest = _longest_bent(ranks, edges)
    pieces = _Pieces(ranks, [e for e in edges if ranks[e[1]] - ranks[e[0]] <= longest])
    rows = _ordered(pieces)
    xs = _placed(pieces, rows)
    left = min(xs, default=0.0)
    xs = [x - left for x in xs]
    width = max(xs[:count], default=0.0)
    bent = {
        edge: tuple((xs[i], float(pieces.ranks[i])) for i in chain)
        for edge, chain in pieces.chains.items()
    }
    lanes = _aside([e for e in edges if e not in bent], ranks, max(xs, default=0.0))
    routes = {
        edge: bent[edge] if edge in bent else _around(edge, lanes[edge], xs, ranks)
        for edge in edges
    }
    nodes = {i: (xs[i], ranks[i]) for i in range(count)}
    return Drawing(nodes, routes, width, max(ranks, default=0))


def longest_paths(count: int, edges: Sequence[Edge]) -> list[int]:
    """Rank of each node: the most edges on a way to it.

    Examples
    --------
    >>> longest_paths(4, [(0, 1), (1, 2), (0, 3)])
    [0, 1, 2, 1]
    """
    readers: list[list[int]] = [[] for _ in range(count)]
    for tail, head in edges:
        readers[tail].append(head)
    ranks = [0] * count
    for tail in range(count):
        for head in readers[tail]:
            ranks[head] = max(ranks[head], ranks[tail] + 1)
    return ranks


def _longest_bent(ranks: Sequence[int], edges: Sequence[Edge]) -> int:
    """The longest edge that can be bent if all up to it are, within the bends allowed."""
    spans = sorted(ranks[head] - ranks[tail] for tail, head in edges)
    bends = 0
    for span in spans:
        bends += span - 1
        if bends > MOST_BENDS:
            return span - 1
    return spans[-1] if spans else 0


class _Pieces:
    """The graph with a bend on every rank that an edge passes, so that all edges are short."""

    def __init__(self, ranks: Sequence[int], edges: Sequence[Edge]) -> None:
        self.count = len(ranks)
        self.ranks = list(ranks)
        self.chains: dict[Edge, list[int]] = {}
        for tail, head in edges:
            chain = [tail]
            for rank in range(ranks[tail] + 1, ranks[head]):
                chain.append(len(self.ranks))
                self.ranks.append(rank)
            self.chains[tail, head] = [*chain, head]
        self.above: list[list[int]] = [[] for _ in self.ranks]
        self.below: list[list[int]] = [[] for _ in self.ranks]
        for chain in self.chains.values():
            for upper, lower in pairwise(chain):
                self.below[upper].append(lower)
                self.above[lower].append(upper)

    def gap(self, left: int, right: int) -> float:
        """The least distance between two neighbours' centres."""
        widths = [1.0 if i < self.count else _BEND_WIDTH for i in (left, right)]
        return sum(widths) / 2


def _ordered(pieces: _Pieces) -> list[list[int]]:
    """The rows, each sorted by the barycentre of its neighbours in the row before."""
    rows: list[list[int]] = [[] for _ in range(max(pieces.ranks, default=-1) + 1)]
    for i, rank in enumerate(pieces.ranks):
        rows[rank].append(i)
    best, fewest = [list(row) for row in rows], _crossings(pieces, rows)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = pieces.above if down else pieces.below
        order = range(1, len(rows)) if down else range(len(rows) - 2, -1, -1)
        for rank in order:
            before = rows[rank - 1 if down else rank + 1]
            place = {i: float(p) for p, i in enumerate(before)}
            own = {i: float(p) for p, i in enumerate(rows[rank])}
            rows[rank].sort(key=lambda i: _mean([place[n] for n in neighbours[i]], own[i]))
        crossings = _crossings(pieces, rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(pieces: _Pieces, rows: Sequence[Sequence[int]]) -> int:
    """How many pairs of edges cross, over all pairs of neighbouring rows."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {i: p for p, i in enumerate(lower)}
        ends = [p for i in upper for p in sorted(place[n] for n in pieces.below[i])]
        total += _inversions(ends)
    return total


def _inversions(values: list[int]) -> int:
    """How many pairs stand in the wrong order; by merging sorted halves."""
    if len(values) < 2:
        return 0
    half = len(values) // 2
    left, right = values[:half], values[half:]
    count = _inversions(left) + _inversions(right)
    left.sort()
    right.sort()
    i = 0
    for value in right:
        while i < len(left) and left[i] <= value:
            i += 1
        count += len(left) - i
    return count


def _placed(pieces: _Pieces, rows: Sequence[Sequence[int]]) -> list[float]:
    """Place nodes and bends along their ranks, as near to their neighbours as distances allow."""
    xs = [0.0] * len(pieces.ranks)
    for row in rows:
        at = 0.0
        for left, right in zip([-1, *row], row, strict=False):
            at = at + pieces.gap(left, right) if left >= 0 else 0.0
            xs[right] = at
        for i in row:
            xs[i] -= at / 2
    for sweep in range(2 * _SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            near = [(pieces.above if down else pieces.below)[i] for i in row]
            wanted = [_mean([xs[n] for n in n_s], xs[i]) for i, n_s in zip(row, near, strict=True)]
            gaps = [pieces.gap(a, b) for a, b in pairwise(row)]
            for i, x in zip(row, spread(wanted, gaps), strict=True):
                xs[i] = x
    return xs


def spread(wanted: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones, by least squares, that keep the distances.

    Pool adjacent violators: with the distances taken off, places must not fall; where they do,
    neighbours share their mean.

    Examples
    --------
    >>> spread([0.0, 0.0], [1.0])
    [-0.5, 0.5]
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[tuple[float, int]] = []  # mean and size
    for place, offset in zip(wanted, offsets, strict=False):
        mean, size = place - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, others = blocks.pop()
            mean = (mean * size + before * others) / (size + others)
            size += others
        blocks.append((mean, size))
    means = [mean for mean, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _aside(edges: Sequence[Edge], ranks: Sequence[int], right: float) -> dict[Edge, float]:
    """A lane beside the drawing for each edge that is too long to bend, short ones inside."""
    lanes: dict[Edge, float] = {}
    busy: list[list[tuple[int, int]]] = []
    for edge in sorted(edges, key=lambda e: ranks[e[1]] - ranks[e[0]]):
        top, bottom = ranks[edge[0]], ranks[edge[1]]
        free = (i for i, taken in enumerate(busy) if all(bottom <= t or b <= top for t, b in taken))
        number = next(free, len(busy))
        if number == len(busy):
            busy.append([])
        busy[number].append((top, bottom))
        lanes[edge] = right + 1.0 + 0.08 * number
    return lanes


def _around(
    edge: Edge, lane: float, xs: Sequence[float], ranks: Sequence[int]
) -> tuple[Point, ...]:
    """Points of an edge that leaves for its lane, and comes back."""
    tail, head = edge
    return (
        (xs[tail], float(ranks[tail])),
        (lane, ranks[tail] + 1.0),
        (lane, ranks[head] - 1.0),
        (xs[head], float(ranks[head])),
    )
