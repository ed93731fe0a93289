"""``onnxlrp flip``: tables, curves and a report, or one line that says what is wrong."""

from __future__ import annotations

import csv
import json

import pytest
from PIL import Image

QUICK = ("--unit", "4", "--steps", "2", "--repeats", "2")


def lines(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file))


def test_files_and_columns(onnxlrp, folder):
    outcome = onnxlrp(
        *("flip", "small.onnx", "cat.png", "dog.png", "-c", "epsilon", "-c", "gamma:gamma=0.1"),
        *("-o", "out", *QUICK),
    )
    assert outcome.code == 0, outcome.err
    curves, scores = lines(folder / "out" / "curves.csv"), lines(folder / "out" / "scores.csv")
    assert curves[0] == ["image", "design", "order", "step", "fraction", "score"]
    assert scores[0] == ["image", "design", "metric", "value"]
    assert len(curves) == 1 + 2 * 2 * 3 * 3  # pictures, designs, orders, steps and the start
    assert {row[1] for row in curves[1:]} == {"epsilon", "gamma:gamma=0.1"}
    means = json.loads((folder / "out" / "summary.json").read_text())["means"]
    values = [float(r[3]) for r in scores if r[1:3] == ["epsilon", "abpc"]]
    assert means["epsilon"]["abpc"] == pytest.approx(sum(values) / 2)
    with Image.open(folder / "out" / "curves.png") as image:
        assert image.width > 600
    assert (folder / "out" / "curves.svg").read_text().startswith("<svg")
    page = (folder / "out" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2 * 3  # a picture and two maps each
    assert "http" not in page and "<script" not in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--fill", "300"), "from 0 to 255"),
        (("--fill", "blurr"), "Did you mean 'blur'"),
        (("--unit", "huge"), "give a side in pixels"),
        (("--unit", "99"), "a side of 1 to 8"),
        (("--steps", "0"), "steps=0"),
        (("--score", "logits"), "Did you mean 'logit'"),
        (("-t", "cow"), "cow"),
        (("-c", "gamma", "-c", "gamma"), "another design"),
    ],
)
def test_mistakes_leave_nothing_behind(onnxlrp, folder, words, message):
    outcome = onnxlrp("flip", "small.onnx", "cat.png", "-o", "out", *words)
    assert outcome.code == 2 and message in outcome.err and outcome.err.count("\n") == 1
    assert not (folder / "out").exists()


def test_results_are_replaced_only_by_force(onnxlrp, folder):
    words = ("flip", "small.onnx", "cat.png", "-o", "out", *QUICK)
    assert onnxlrp(*words).code == 0
    refused = onnxlrp(*words)
    assert refused.code == 2 and "not empty" in refused.err
    assert onnxlrp(*words, "--force").code == 0
