"""The comparison: cells fill in one after the other, and what they show is what the engine says."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

import onnxlrp
from onnxlrp.composites import Composite
from onnxlrp.evaluate import pearson
from onnxlrp.rules import Epsilon
from ui.state import Design, with_rule
from ui.state.cells import FLIPPING, Row
from ui.state.comparison import Comparison


@pytest.fixture
def comparison(bench):
    return Comparison(bench)


def settle(comparison, loop):
    loop.until(lambda: comparison.running is None and not comparison.bench.jobs.busy)


def filled(comparison, loop):
    """Two pictures, two designs, all maps known."""
    comparison.active = True
    for picture in comparison.bench.pictures:
        comparison.add_row(picture)
    settle(comparison, loop)
    return comparison


def test_it_begins_with_the_picture_on_the_screen_and_all_designs(comparison, loop):
    bench = comparison.bench
    assert comparison.rows == ()
    comparison.active = True
    settle(comparison, loop)
    assert comparison.rows == (Row(bench.shown.sha256, "top1"),)
    assert comparison.columns == bench.designs
    assert set(comparison.cells) == {(comparison.rows[0], d.id) for d in bench.designs}


def test_every_cell_is_what_explain_gives(comparison, loop):
    filled(comparison, loop)
    assert len(comparison.cells) == 4
    for (row, identity), cell in comparison.cells.items():
        design = next(d for d in comparison.columns if d.id == identity)
        truth = onnxlrp.explain(
            comparison.bench.model, comparison.picture(row).x, design.composite, row.target
        )
        np.testing.assert_array_equal(cell.explained.full, truth.relevance)


def test_nothing_is_computed_while_it_is_not_on_the_screen(comparison, loop):
    comparison.add_row(comparison.bench.pictures[1])
    assert comparison.running is None
    assert not comparison.bench.jobs.running("compare")


def test_cells_fill_in_one_after_the_other(comparison, loop):
    counts = []
    comparison.param.watch(lambda event: counts.append(len(event.new)), "cells")
    filled(comparison, loop)
    assert counts[-1] == 4
    assert {1, 2, 3} <= set(counts)
    assert counts == sorted(counts)


def test_an_edited_design_is_computed_again_and_the_others_stay(comparison, loop):
    filled(comparison, loop)
    bench = comparison.bench
    before = dict(comparison.cells)
    bench.edit(lambda d: with_rule(d, bench.model, range(5), Epsilon(0.1)), "Edit")
    settle(comparison, loop)
    for (row, identity), cell in comparison.cells.items():
        same = cell.explained.full is before[row, identity].explained.full
        assert same == (identity != bench.current)


def test_columns_are_reordered_hidden_and_shown_again(comparison, loop):
    filled(comparison, loop)
    first, second = (d.id for d in comparison.columns)
    comparison.move_column(second, 0)
    assert [d.id for d in comparison.columns] == [second, first]
    comparison.bench.add_preset("gamma")
    third = comparison.bench.current
    assert [d.id for d in comparison.columns] == [second, first, third]
    comparison.hide(second)
    assert [d.id for d in comparison.columns] == [first, third]
    comparison.show(second)
    assert [d.id for d in comparison.columns] == [first, third, second]
    for identity in (first, third, second):
        comparison.hide(identity)
    assert [d.id for d in comparison.columns] == [second]
    settle(comparison, loop)


def test_rows_are_reordered_retargeted_and_removed(comparison, loop):
    filled(comparison, loop)
    first, second = comparison.rows
    comparison.move_row(second, 0)
    assert comparison.rows == (second, first)
    comparison.retarget(second, "281")
    settle(comparison, loop)
    assert comparison.rows == (replace(second, target="281"), first)
    assert comparison.cell(comparison.rows[0], comparison.columns[0].id).explained.target == 281
    comparison.remove_row(first)
    comparison.remove_row(comparison.rows[0])
    assert comparison.rows == (replace(second, target="281"),)


def test_differences_likeness_and_limits(comparison, loop):
    filled(comparison, loop)
    row = comparison.rows[0]
    a, b = (d.id for d in comparison.columns)
    maps = [comparison.cell(row, i).explained.relevance for i in (a, b)]
    comparison.subtract(a, b)
    comparison.subtract(a, b)
    comparison.subtract(a, a)
    assert comparison.differences == ((a, b),)
    np.testing.assert_array_equal(comparison.difference(row, a, b), maps[0] - maps[1])
    assert comparison.reference == a
    assert comparison.likeness(row, a) is None
    assert comparison.likeness(row, b) == pearson(maps[0], maps[1])
    comparison.similarity = "top 5 %"
    assert 0 <= comparison.likeness(row, b) <= 1

    look = comparison.bench.look
    own = {a: look.limit_of(maps[0]), b: look.limit_of(maps[1])}
    own[f"{a}−{b}"] = look.limit_of(maps[0] - maps[1])
    comparison.scale = "map"
    assert comparison.limits()[row] == own
    comparison.scale = "row"
    assert set(comparison.limits()[row].values()) == {
        look.limit_of(*maps, maps[0] - maps[1]),
    }
    comparison.scale = "all"
    assert len({v for limits in comparison.limits().values() for v in limits.values()}) == 1
    comparison.hide(a)
    assert comparison.differences == ()
    assert comparison.reference == b


def test_areas_are_what_flip_pixels_gives(comparison, loop):
    comparison.active = True
    settle(comparison, loop)
    comparison.hide(comparison.columns[0].id)
    comparison.measure_areas()
    settle(comparison, loop)
    bench, (row,), (design,) = comparison.bench, comparison.rows, comparison.columns
    truth = onnxlrp.evaluate.flip_pixels(bench.model, bench.shown.x, design.composite, **FLIPPING)
    areas = comparison.cell(row, design.id).areas
    assert areas.auc == truth.auc[0, 0, 0]
    assert areas.aopc == truth.aopc[0, 0, 0]


def test_it_can_be_cancelled_and_resumed(comparison, loop):
    comparison.active = True
    comparison.cancel()
    assert comparison.running is None
    loop.drain()
    assert comparison.cells == {} or len(comparison.cells) < 4
    comparison.resume()
    settle(comparison, loop)
    assert len(comparison.cells) == 2


def test_what_cannot_be_explained_fails_alone(comparison, loop):
    bench = comparison.bench
    comparison.active = True
    settle(comparison, loop)
    row = comparison.rows[0]
    comparison.retarget(row, "no such class")
    settle(comparison, loop)
    cells = list(comparison.cells.values())
    assert all("no such class" in cell.failed and cell.explained is None for cell in cells)
    unfit = Design(Composite("unfit", weighted_layers=3))
    bench.designs = (*bench.designs, unfit)
    comparison.retarget(comparison.rows[0], "281")
    settle(comparison, loop)
    cell = comparison.cell(comparison.rows[0], unfit.id)
    assert "made for a model of 3 weighted layers" in cell.failed
    assert comparison.cell(comparison.rows[0], comparison.columns[0].id).explained is not None


def test_a_picture_that_goes_takes_its_rows_along(comparison, loop):
    filled(comparison, loop)
    comparison.bench.remove_picture(0)
    assert [comparison.picture(row).name for row in comparison.rows] == ["coffee"]


def test_the_comparison_dies_with_the_bench(loop):
    from ui.state import Workbench

    bench = Workbench(loop.schedule)
    bench.open_packaged()
    comparison = Comparison(bench)
    filled(comparison, loop)
    watched = weakref.ref(comparison)
    bench.close()
    del bench, comparison
    loop.drain()
    gc.collect()
    assert watched() is None
