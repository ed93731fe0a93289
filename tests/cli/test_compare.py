"""``onnxlrp compare``: designs ranked on a data set."""

from __future__ import annotations

import csv

import pytest

from tests.cli.conftest import save_picture

QUICK = ("--unit", "4", "--steps", "2", "-m", "conservation", "-m", "abpc")


@pytest.fixture
def data(folder):
    (folder / "data").mkdir()
    for number in range(7):
        save_picture(folder / "data" / f"{number}.png", seed=number)
    return folder / "data"


def test_a_ranking(onnxlrp, folder, data):
    words = ("compare", "small.onnx", "epsilon", "gamma", "--data", "data", *QUICK, "-o", "out")
    outcome = onnxlrp(*words)
    assert outcome.code == 0, outcome.err
    assert "comes first" in outcome.out
    with (folder / "out" / "ranking.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["metric"] for row in rows[::2]] == ["mean rank", "conservation", "abpc"]
    assert {row["images"] for row in rows} == {"7"}
    assert all(float(row["behind"]) >= 0 for row in rows)
    assert "<h2>Ranking</h2>" in (folder / "out" / "report.html").read_text()


def test_without_a_folder_nothing_is_written(onnxlrp, folder, data):
    before = sorted(folder.iterdir())
    assert onnxlrp("compare", "small.onnx", "epsilon", "gamma", "--data", "data", *QUICK).code == 0
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("epsilon",), "1 designs"),
        (("epsilon", "gama"), "Did you mean 'gamma'"),
        (("epsilon", "gamma", "--level", "95"), "between 0 and 1"),
        (("epsilon", "gamma", "other.onnx"), "2 networks"),
    ],
)
def test_mistakes_are_one_line(onnxlrp, data, words, message):
    outcome = onnxlrp("compare", "small.onnx", *words, "--data", "data", *QUICK)
    assert outcome.code == 2 and message in outcome.err and outcome.err.count("\n") == 1
