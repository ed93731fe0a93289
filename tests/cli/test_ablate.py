"""``onnxlrp ablate``: channels ranked and silenced."""

from __future__ import annotations

import csv

import pytest


def lines(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_curve(onnxlrp, folder):
    outcome = onnxlrp("ablate", "small.onnx", "cat.png", "dog.png", "--layer", "conv", "-o", "out")
    assert outcome.code == 0, outcome.err
    neurons, ablation = lines(folder / "out/neurons.csv"), lines(folder / "out/ablation.csv")
    assert neurons[0] == [
        *("image", "layer", "channel", "relevance"),
        *("positive", "negative", "absolute", "activation"),
    ]
    assert ablation[0] == ["image", "layer", "mode", "n", "label", "before", "after"]
    assert len(neurons) == 1 + 2 * 4
    assert [row[3] for row in ablation[1:6]] == ["0", "1", "2", "3", "4"]
    assert float(ablation[1][5]) == pytest.approx(float(ablation[1][6]))  # nothing silenced
    assert (folder / "out/curves.png").exists() and (folder / "out/report.html").exists()


@pytest.mark.parametrize("words", [("--top", "2"), ("--channels", "0", "3", "--mode", "keep")])
def test_some_channels(onnxlrp, folder, words):
    outcome = onnxlrp("ablate", "small.onnx", "cat.png", "--layer", "conv", "-o", "out", *words)
    assert outcome.code == 0, outcome.err
    ablation = lines(folder / "out/ablation.csv")
    assert {row[3] for row in ablation[1:]} == {"2"} and len(ablation) == 1 + 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--layer", "con"), "Did you mean 'conv'"),
        (("--layer", "conv", "--top", "5"), "it has 4"),
        (("--layer", "conv", "--channels", "4"), "4"),
        (("--layer", "conv", "--top", "1", "--channels", "1"), "exclude each other"),
        (("--layer", "conv", "--mode", "kep"), "Did you mean 'keep'"),
        (("--layer", "conv", "--by", "luck"), "by='luck'"),
    ],
)
def test_mistakes_leave_nothing_behind(onnxlrp, folder, words, message):
    outcome = onnxlrp("ablate", "small.onnx", "cat.png", "-o", "out", *words)
    assert outcome.code == 2 and message in outcome.err and outcome.err.count("\n") == 1
    assert not (folder / "out").exists()
