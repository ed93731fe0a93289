"""Flipping on the screen: the command line's numbers, curve by curve, and never those of before."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from onnxlrp import assets
from onnxlrp.cli import main
from onnxlrp.evaluate import Flipping
from ui.state.analysis import Analysis

QUICK = Flipping(unit=32, steps=3, repeats=2, orders=("morf", "lerf", "random"))


@pytest.fixture
def flipping(bench):
    flipping = Analysis(bench).flipping
    flipping.settings = QUICK
    return flipping


def run(flipping, loop):
    flipping.run()
    loop.until(lambda: not flipping.running)


def test_areas_and_curves_are_those_of_the_command_line(bench, loop, flipping, tmp_path):
    run(flipping, loop)
    words = ["flip", str(assets.default_images()["chelsea"]), "-o", str(tmp_path / "out")]
    words += ["-c", "montavon", "-c", "epsilon_plus"]
    words += ["--unit", "32", "--steps", "3", "--repeats", "2"]
    assert main(words) == 0
    found = {}
    with (tmp_path / "out" / "scores.csv").open() as file:
        for row in csv.DictReader(file):
            found.setdefault(row["design"], {})[row["metric"]] = float(row["value"])
    assert {d.name: flipping.scores(d.id) for d in bench.designs} == found
    with (tmp_path / "out" / "curves.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["design"] == "epsilon_plus"]
    for order in QUICK.orders:
        curve = flipping.curve(bench.designs[1].id, order)
        written = [float(r["score"]) for r in rows if r["order"] == order]
        np.testing.assert_allclose(curve.mean, written, rtol=1e-12)


def test_only_what_changed_is_flipped_again(bench, loop, flipping):
    run(flipping, loop)
    before = dict(flipping.curves)
    bench.rename(bench.current, "renamed")
    assert flipping.curves == before
    bench.add_preset("gamma")
    assert flipping.curves == before
    run(flipping, loop)
    assert all(flipping.curves[key] is result for key, result in before.items())
    assert (bench.current, "lerf") in flipping.curves
    bench.ask(target="281")
    assert not flipping.curves
    bench.ask(target="top1")
    assert len(flipping.curves) == 7


def test_a_result_that_comes_too_late_is_not_shown(bench, loop, flipping):
    flipping.run()
    bench.picture = 1
    loop.until(lambda: not bench.jobs.busy)
    loop.drain()
    assert not flipping.curves and not flipping.running


def test_cancelled_work_leaves_the_curves_that_are_there(bench, loop, flipping):
    flipping.run()
    loop.until(lambda: flipping.curves)
    flipping.cancel()
    loop.drain()
    assert not flipping.running and not bench.jobs.busy
    assert len(flipping.curves) < 5


def test_settings_that_change_on_the_way_hold_for_what_is_on_the_way(bench, loop, flipping):
    flipping.run()
    flipping.set(steps=4)
    assert flipping.running
    loop.until(lambda: not flipping.running)
    assert len(flipping.curves) == 2 * len(bench.designs) + 1
    assert all(len(curve.curve(curve.designs[0], order).mean) == 5
               for (_, order), curve in flipping.curves.items())  # fmt: skip
    flipping.set(steps=3)
    assert not flipping.running and not flipping.curves  # nobody asked for these yet


def test_the_film_shows_what_the_curve_scores(bench, loop, flipping):
    run(flipping, loop)
    flipping.play(bench.current, "morf")
    loop.until(lambda: not bench.jobs.busy)
    film = flipping.film
    assert film.frames.shape == (4, 227, 227, 3)
    np.testing.assert_array_equal(film.frames[0], bench.shown.rgb)
    scores = film.playback.outputs[:, 285]
    np.testing.assert_allclose(scores, flipping.curve(bench.current, "morf").mean, rtol=1e-5)
    flipping.step = 2
    bench.picture = 1
    assert flipping.film is None and flipping.step == 0


def test_a_setting_that_makes_no_sense_is_told_and_not_taken(bench, flipping):
    flipping.set(steps=0)
    assert "steps=0" in bench.notice.text
    assert flipping.settings is QUICK


def test_stopping_all_work_stops_flipping(bench, loop, flipping):
    flipping.run()
    assert flipping.running
    bench.jobs.cancel()
    assert not flipping.running
    flipping.run()
    loop.until(lambda: not flipping.running)
    assert len(flipping.curves) == 5
