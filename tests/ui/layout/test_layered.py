"""The layered drawing keeps what a reader relies on: down is forward, nothing overlaps."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.layout import layered
from ui.layout.layered import draw, longest_paths, spread


@st.composite
def graphs(draw_value: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    count = draw_value(st.integers(2, 14))
    heads = st.integers(1, count - 1)
    edges = draw_value(
        st.lists(heads.flatmap(lambda h: st.tuples(st.integers(0, h - 1), st.just(h))), max_size=30)
    )
    return count, edges


@given(graphs())
def test_every_edge_goes_down(graph: tuple[int, list[tuple[int, int]]]) -> None:
    drawing = draw(*graph)
    for tail, head in graph[1]:
        assert drawing.nodes[tail][1] < drawing.nodes[head][1]


@given(graphs())
def test_neighbours_in_a_row_do_not_overlap(graph: tuple[int, list[tuple[int, int]]]) -> None:
    drawing = draw(*graph)
    rows: dict[float, list[float]] = {}
    for x, y in drawing.nodes.values():
        rows.setdefault(y, []).append(x)
    for xs in map(sorted, rows.values()):
        assert all(b - a >= 1 - 1e-9 for a, b in pairwise(xs))
    assert min(x for x, _ in drawing.nodes.values()) >= -1e-9


@given(graphs())
def test_an_edge_begins_and_ends_at_its_nodes(graph: tuple[int, list[tuple[int, int]]]) -> None:
    drawing = draw(*graph)
    assert set(drawing.edges) == set(graph[1])
    for (tail, head), points in drawing.edges.items():
        assert points[0] == drawing.nodes[tail]
        assert points[-1] == drawing.nodes[head]
        ys = [y for _, y in points]
        assert ys == sorted(ys)


def test_a_chain_is_straight() -> None:
    drawing = draw(5, [(i, i + 1) for i in range(4)])
    assert [drawing.nodes[i] for i in range(5)] == [(0.0, i) for i in range(5)]


def test_a_skip_passes_beside_what_it_skips() -> None:
    drawing = draw(4, [(0, 1), (1, 2), (2, 3), (0, 3)])
    skipped = [drawing.nodes[i][0] for i in (1, 2)]
    bends = [x for x, _ in drawing.edges[0, 3][1:-1]]
    assert all(abs(x - bend) > 0.5 for x, bend in zip(skipped, bends, strict=True))


def test_ordering_undoes_crossings() -> None:
    # 0 → 1, 2, 3, and these to 6, 5, 4: drawn in the order of the numbers, all three cross
    edges = [(0, 1), (0, 2), (0, 3), (1, 6), (2, 5), (3, 4)]
    drawing = draw(7, edges)
    upper = sorted((1, 2, 3), key=lambda i: drawing.nodes[i][0])
    lower = sorted((4, 5, 6), key=lambda i: drawing.nodes[i][0])
    assert lower == [{1: 6, 2: 5, 3: 4}[i] for i in upper]


def test_edges_too_long_to_bend_pass_by_the_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layered, "MOST_BENDS", 1)
    drawing = draw(6, [*((i, i + 1) for i in range(5)), (0, 2), (0, 5), (1, 5)])
    lanes = [drawing.edges[edge][1][0] for edge in ((0, 5), (1, 5))]
    assert all(x > max(x for x, _ in drawing.nodes.values()) + 0.5 for x in lanes)
    assert len(set(lanes)) == 2
    assert len(drawing.edges[0, 2]) == 3


def test_ranks_are_longest_paths() -> None:
    assert longest_paths(5, [(0, 1), (1, 2), (0, 2), (2, 3), (0, 4)]) == [0, 1, 2, 3, 1]


def test_an_edge_upwards_is_refused() -> None:
    with pytest.raises(ValueError, match=r"edge 2 → 1: nodes are 0 to 2"):
        draw(3, [(2, 1)])


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=12))
def test_places_keep_their_distance_and_their_mean(wanted: list[float]) -> None:
    places = spread(wanted, [1.0] * (len(wanted) - 1))
    assert all(b - a >= 1 - 1e-6 for a, b in pairwise(places))
    assert sum(places) == pytest.approx(sum(wanted), abs=1e-6)
