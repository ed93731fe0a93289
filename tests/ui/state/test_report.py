"""The report holds what the screen shows, and is made anew when that changes."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np
import pytest

from onnxlrp.evaluate import Flipping
from ui.state.analysis import Analysis


@pytest.fixture
def analysis(bench):
    return Analysis(bench)


def settle(bench, loop):
    loop.until(lambda: not bench.jobs.busy)


def opened(analysis, loop):
    analysis.bench.place = "report"
    loop.until(lambda: analysis.report.made is not None)
    return analysis.report.made


def table(made, name):
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def test_it_holds_every_design_and_the_map_that_is_shown(bench, loop, analysis):
    made = opened(analysis, loop)
    assert all(design.name in made.page for design in bench.designs)
    assert bench.opened.sha256 in made.page
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        name = next(n for n in archive.namelist() if "montavon" in n and n.endswith(".npz"))
        with np.load(io.BytesIO(archive.read(name))) as numbers:
            np.testing.assert_array_equal(numbers["relevance"], bench.explained.full)


def test_curves_and_ablations_come_into_it(bench, loop, analysis):
    analysis.flipping.settings = Flipping(
        unit=32, steps=3, repeats=2, orders=("morf", "lerf", "random")
    )
    analysis.flipping.run()
    loop.until(lambda: not analysis.flipping.running)
    bench.place = "neurons"
    settle(bench, loop)
    analysis.neurons.select_top("fire9_concat", 5)
    analysis.ablation.run()
    settle(bench, loop)
    made = opened(analysis, loop)
    found = {}
    for row in table(made, "scores.csv"):
        found.setdefault(row["design"], {})[row["metric"]] = float(row["value"])
    for design in bench.designs:
        assert found[design.name] == pytest.approx(analysis.flipping.scores(design.id))
    target = next(r for r in table(made, "ablation.csv") if r["label"] == "Egyptian cat")
    assert float(target["after"]) == pytest.approx(float(analysis.ablation.result.score_after[0]))
    assert "fire9_concat" in " ".join(analysis.report.contents)


def test_it_is_made_anew_when_the_screen_changes(bench, loop, analysis):
    first = opened(analysis, loop)
    bench.add_preset("gamma")
    assert analysis.report.made is None
    loop.until(lambda: analysis.report.made is not None)
    assert "gamma" in analysis.report.made.page and "gamma" not in first.page.split("montavon")[0]
    bench.place = "design"
    bench.picture = 1
    settle(bench, loop)
    assert analysis.report.made is None


def test_all_open_pictures_are_in_it_if_asked_for(bench, loop, analysis):
    analysis.report.every = True
    made = opened(analysis, loop)
    assert {row["image"] for row in table(made, "classes.csv")} == {"chelsea", "coffee"}


def test_one_call_makes_it_and_hands_it_over_from_any_view(bench, loop, analysis):
    files = []
    bench.param.watch(lambda event: event.new and files.append(event.new), "file")
    analysis.report.hand_over("report.html")
    analysis.report.hand_over("report.zip")
    assert analysis.report.writing
    loop.until(lambda: len(files) == 2)
    assert not analysis.report.writing
    assert [file.name for file in files] == ["report.html", "report.zip"]
    assert files[0].content.decode() == analysis.report.made.page
    assert zipfile.is_zipfile(io.BytesIO(files[1].content))
    analysis.report.hand_over("report.html")  # it is there: at once, and once more
    assert [file.name for file in files] == ["report.html", "report.zip", "report.html"]


def test_what_was_stopped_is_not_handed_over_later(bench, loop, analysis):
    files = []
    bench.param.watch(lambda event: files.append(event.new), "file")
    analysis.report.hand_over("report.html")
    bench.jobs.cancel()
    assert not analysis.report.writing
    opened(analysis, loop)
    assert files == []
