"""``onnxlrp evaluate``: a folder judged, resumed, and refused."""

from __future__ import annotations

import pytest

from onnxlrp.evaluate import open_evaluation
from tests.cli.conftest import save_picture

QUICK = ("--unit", "4", "--steps", "2", "-m", "aopc", "-m", "gini", "-o", "out")


@pytest.fixture
def data(folder):
    (folder / "data" / "0").mkdir(parents=True)
    for number in range(3):
        save_picture(folder / "data" / "0" / f"{number}.png", seed=number)
    return folder / "data"


def test_a_folder_with_a_broken_picture(onnxlrp, folder, data):
    (data / "0" / "torn.png").write_bytes(b"torn")
    outcome = onnxlrp("evaluate", "small.onnx", "data", "-c", "gamma", "-t", "label", *QUICK)
    assert outcome.code == 0, outcome.err
    assert "3 pictures" in outcome.out and "failed: 0/torn.png" in outcome.out
    assert "0/torn.png" in (folder / "out" / "failures.csv").read_text()
    assert "Failed pictures: 1" in (folder / "out" / "report.html").read_text()


def test_resume(onnxlrp, folder, data):
    assert onnxlrp("evaluate", "small.onnx", "data", *QUICK).code == 0
    before = (folder / "out" / "scores.csv").read_bytes()
    save_picture(data / "0" / "9.png", seed=9)
    assert onnxlrp("evaluate", "small.onnx", "data", *QUICK, "--resume").code == 0
    after = (folder / "out" / "scores.csv").read_bytes()
    assert after.startswith(before) and after.count(b"\n") == before.count(b"\n") + 2
    other = onnxlrp("evaluate", "small.onnx", "data", *QUICK, "--resume", "--fill", "zero")
    assert other.code == 2 and "another flipping" in other.err


def test_nothing_but_broken_pictures_is_a_failure(onnxlrp, folder):
    (folder / "torn").mkdir()
    (folder / "torn" / "1.png").write_bytes(b"torn")
    assert onnxlrp("evaluate", "small.onnx", "torn", *QUICK).code == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("empty",), "no picture in 'empty'"),
        (("nowhere",), "no folder or file"),
        (("flat", "-t", "label"), "no class labels"),
        (("data", "flat"), "2 data sets"),
        (("data", "-m", "ginny"), "Did you mean 'gini'"),
        (("data", "--force", "--resume"), "exclude each other"),
    ],
)
def test_mistakes_leave_nothing_behind(onnxlrp, folder, data, words, message):
    (folder / "empty").mkdir()
    (folder / "flat").mkdir()
    save_picture(folder / "flat" / "1.png")
    outcome = onnxlrp("evaluate", "small.onnx", *words, *QUICK)
    assert outcome.code == 2 and message in outcome.err and outcome.err.count("\n") == 1
    assert not (folder / "out").exists()


def test_labelled_arrays_lie_beside_the_tables(onnxlrp, folder, data):
    assert onnxlrp("evaluate", "small.onnx", "data", *QUICK, "--zarr").code == 0
    with open_evaluation(folder / "out").to_xarray() as kept:
        assert kept.relevance.sizes["image"] == 3 and kept.score.sizes["metric"] == 2
    refused = onnxlrp("compare", "small.onnx", "gamma", "epsilon", "--data", "data", "--zarr")
    assert refused.code == 2 and "name one with -o" in refused.err
