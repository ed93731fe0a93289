"""Rows of the table of layers, and shares of the graph's edges, from the books of a sweep."""

from __future__ import annotations

import numpy as np
import pytest

import onnxlrp
from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.rules import Epsilon, Gamma, ZBox
from ui.layout.network import INPUT, signal_edges
from ui.state import Design
from ui.state.layers import layer_rows
from ui.state.networks import packaged_network, packaged_pictures, read_picture
from ui.state.shares import edge_shares

MODEL = packaged_network().model
DESIGN = Design(
    Composite(
        "d",
        (
            Entry(Selector(), Epsilon(0.25, relative=True)),
            Entry(Selector(index=(0, 20)), Gamma(0.1, bias="drop")),
            Entry(Selector(first=True), ZBox()),
        ),
    )
)


@pytest.fixture(scope="module")
def result() -> onnxlrp.Result:
    name, data = next(iter(packaged_pictures().items()))
    picture = read_picture(MODEL, data, name)
    return onnxlrp.explain(MODEL, picture.x, DESIGN.composite, books=True)


def test_a_row_says_rule_parameters_and_who_won() -> None:
    rows = layer_rows(DESIGN, MODEL)
    assert (rows[0].rule, rows[0].parameters, rows[0].entry) == ("z_box", "", "3 (over 1, 2)")
    assert (rows[3].rule, rows[3].parameters) == ("gamma", "gamma=0.1, bias=drop")
    assert rows[3].entry == "2 (over 1)"
    assert rows[22].parameters == "epsilon=0.25, relative=true"
    assert (rows[1].rule, rows[1].entry) == ("", "")
    assert np.isnan(rows[3].arrived)


def test_leakage_is_what_was_not_handed_on(result: onnxlrp.Result) -> None:
    rows = layer_rows(DESIGN, MODEL, result.books)
    for book in result.books:
        row = rows[book.layer.index]
        assert row.arrived == pytest.approx(float(book.arrived[0]))
        assert row.absorbed == pytest.approx(float((book.bias + book.epsilon + book.other)[0]))


def test_what_enters_a_layer_is_its_share_split_over_its_edges(result: onnxlrp.Result) -> None:
    edges = signal_edges(MODEL)
    shares = dict(zip(edges, edge_shares(MODEL, result.books, edges), strict=True))
    total = float(result.books[0].arrived[0])
    for book in result.books:
        own = [s for (_, head), s in shares.items() if head == book.layer.index]
        assert sum(own) == pytest.approx(float(book.handed[0]) / total, abs=1e-9)
    into_picture = sum(s for (tail, _), s in shares.items() if tail == INPUT)
    assert into_picture == pytest.approx(result.relevance.sum() / total, rel=1e-4)


def test_without_books_nothing_is_known() -> None:
    assert edge_shares(MODEL, (), signal_edges(MODEL)) == []
