"""Ranking designs: paired, and silent where nothing can be told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxlrp.errors import InputError
from onnxlrp.evaluate.judgement import CurveRow, ScoreRow
from onnxlrp.evaluate.ranking import OVERALL, rank_designs
from onnxlrp.evaluate.summary import mean_curves, mean_scores


def rows(values, metric="abpc"):
    """From {design: one number a picture} to a table."""
    return [
        ScoreRow(f"{i}", design, metric, float(value))
        for design, found in values.items()
        for i, value in enumerate(found)
    ]


def test_a_small_gain_on_every_picture_is_seen_through_large_differences_of_pictures():
    hard = np.linspace(-100, 100, 20)
    ranking = rank_designs(rows({"a": hard, "b": hard + 0.1 + 0.01 * np.cos(hard)}))
    first, second = ranking.of("abpc")
    assert (first.design, second.design, second.worse) == ("b", "a", True)
    assert second.behind == pytest.approx(0.1, abs=0.02)
    assert second.behind_low > 0 and first.low < second.mean < first.high


def test_designs_that_win_by_turns_are_not_told_apart():
    swing = np.array([1.0, -1.0] * 10)
    ranking = rank_designs(rows({"a": swing, "b": 0.01 - swing}))
    assert not any(row.worse for row in ranking.rows)
    assert "not told apart" in ranking.statement("abpc")


def test_few_pictures_prove_nothing():
    ranking = rank_designs(rows({"a": [0, 0, 0], "b": [1, 1, 1]}))
    assert not any(row.worse for row in ranking.rows)
    assert "too few" in ranking.statement()


@pytest.mark.parametrize(
    ("metric", "score", "best"),
    [
        ("abpc", "logit", "high"),
        ("auc_morf", "logit", "low"),
        ("auc_morf", "rank", "high"),
        ("entropy", "rank", "low"),
        ("gini", "logit", "high"),
        ("conservation", "logit", "low"),
    ],
)
def test_each_metric_has_its_own_better(metric, score, best):
    table = rows({"low": [0.0] * 6, "high": [1.0] * 6}, metric)
    first, second = rank_designs(table, score=score).of(metric)
    assert first.design == best and second.worse
    assert (first.mean, first.low, first.high) == pytest.approx([float(best == "high")] * 3)


def test_metrics_of_different_units_weigh_the_same():
    table = [
        *rows({"a": [1000.0] * 8, "b": [0.0] * 8, "c": [1.0] * 8}, "abpc"),
        *rows({"a": [0.2] * 8, "b": [0.1] * 8, "c": [0.3] * 8}, "entropy"),
        *rows({"a": [0.2] * 8, "b": [0.3] * 8, "c": [0.1] * 8}, "conservation"),
    ]
    ranks = {row.design: row.mean for row in rank_designs(table).of(OVERALL)}
    assert ranks == pytest.approx({"a": 5 / 3, "b": 7 / 3, "c": 2})


def test_pictures_without_a_number_are_left_out_for_all_designs():
    table = rows({"a": [math.nan, *[1.0] * 7], "b": [5.0, *[2.0] * 7]}, "entropy")
    ranking = rank_designs(table)
    assert [(row.design, row.mean, row.images) for row in ranking.of("entropy")] == [
        *(("a", 1.0, 7), ("b", 2.0, 7))
    ]


@given(st.lists(st.floats(-5, 5), min_size=6, max_size=12), st.floats(0.5, 3))
def test_intervals_hold_their_means_and_the_first_is_behind_nobody(values, gain):
    for row in rank_designs(rows({"a": values, "b": [value * gain for value in values]})).rows:
        assert row.low <= row.mean + 1e-9 and row.mean <= row.high + 1e-9
        assert row.behind >= -1e-9


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(InputError, match="two or more designs"):
        rank_designs(rows({"a": [1, 2]}))
    with pytest.raises(InputError, match="nothing can be ranked"):
        rank_designs(rows({"a": [1], "b": [2]}, "auc_random"))
    with pytest.raises(InputError, match="no picture"):
        rank_designs(rows({"a": [math.nan], "b": [2]}))
    with pytest.raises(InputError, match="level"):
        rank_designs(rows({"a": [1, 2], "b": [2, 3]}), level=95)


def test_mean_curves_are_the_means_over_pictures():
    heights = np.random.default_rng(0).normal(size=(30, 4))
    table = [
        CurveRow(f"{i}", design, order, step, step / 3, score)
        for i, curve in enumerate(heights)
        for design in ("a", "b")
        for order in ("morf", "random")
        for step, score in enumerate(curve)
    ]
    curves = mean_curves(table)
    assert set(curves) == {("a", "morf"), ("b", "morf"), ("", "random")}
    for curve in curves.values():
        error = heights.std(axis=0, ddof=1) / np.sqrt(30)
        assert curve.mean == pytest.approx(heights.mean(axis=0))
        assert curve.high - curve.mean == pytest.approx(1.959964 * error, rel=1e-5)
        assert curve.fraction == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_mean_scores_leave_out_what_is_no_number():
    table = rows({"a": [1.0, 3.0, math.nan], "b": [math.nan] * 3}, "gini")
    means = mean_scores(table)
    assert means["a", "gini"] == 2.0 and math.isnan(means["b", "gini"])
