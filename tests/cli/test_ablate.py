"""``onnxlrp ablate``: channels ranked and silenced."""

from __future__ import annotations

import csv

import pytest

import onnxlrp as package
from onnxlrp.evaluate import ablate, rank_neurons
from tests.cli.conftest import save_picture


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
        (("--layer", "conv", "--layer", "mean"), "say with --top N how many channels"),
        (("--layer", "conv", "--layer", "conv", "--top", "1"), "conv"),
        (("--layer", "conv", "--reference", "cat.png"), "'--mode mean' averages over"),
        (("--layer", "conv", "--mode", "mean", "--reference", "nowhere"), "no folder or file"),
    ],
)
def test_mistakes_leave_nothing_behind(onnxlrp, folder, words, message):
    outcome = onnxlrp("ablate", "small.onnx", "cat.png", "-o", "out", *words)
    assert outcome.code == 2 and message in outcome.err and outcome.err.count("\n") == 1
    assert not (folder / "out").exists()


def test_several_layers_at_once_and_the_mean_over_a_data_set(onnxlrp, folder):
    (folder / "data").mkdir()
    save_picture(folder / "data" / "a.png", seed=5)
    save_picture(folder / "data" / "b.png", seed=6)
    outcome = onnxlrp(
        *("ablate", "small.onnx", "cat.png", "--layer", "conv", "--layer", "mean", "--top", "2"),
        *("--mode", "mean", "--reference", "data", "-o", "out"),
    )
    assert outcome.code == 0, outcome.err
    model = package.load(folder / "small.onnx")
    x = model.preprocess(folder / "cat.png")
    reference = model.preprocess([folder / "data" / "a.png", folder / "data" / "b.png"])
    first, second = (rank_neurons(model, x, layer).top(2)[0] for layer in ("conv", "mean"))
    expected = ablate(
        model, x, "conv", first, mode="mean", more={"mean": second}, reference=reference
    )
    found = lines(folder / "out/ablation.csv")
    assert found[1][1:4] == ["conv + mean", "mean", "4"]
    assert float(found[1][6]) == pytest.approx(expected.top()[0].after, rel=1e-6)
    assert {row[1] for row in lines(folder / "out/neurons.csv")[1:]} == {"conv", "mean"}
