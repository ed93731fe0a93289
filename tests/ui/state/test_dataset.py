"""A run over a data set: the command line's files, watched, stopped, resumed and opened."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from onnxlrp.evaluate import Flipping, evaluate, open_evaluation, rank_designs
from ui.state.analysis import Analysis


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(7):
        pixels = random.integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def dataset(bench, pictures):
    dataset = Analysis(bench).dataset
    dataset.param.update(source=str(pictures), metrics=("entropy", "gini"))
    return dataset


def run(dataset, loop):
    dataset.start()
    loop.until(lambda: not dataset.running)


def test_a_run_gives_what_evaluate_gives(bench, loop, dataset, pictures, tmp_path):
    dataset.output = str(tmp_path / "out")
    run(dataset, loop)
    designs = {d.name: d.composite for d in bench.designs}
    truth = evaluate(bench.model, pictures, designs, ("entropy", "gini"))
    assert list(dataset.evaluation.scores()) == list(truth.scores())
    assert [f.image for f in dataset.failures] == ["broken.png"]
    assert dataset.ranking == rank_designs(truth.scores())
    table = dataset.table
    assert table.values.shape == (7, 2, 2)
    first = next(truth.scores())
    assert table.values[0, 0, 0] == first.value
    found = table.differences("gini", "montavon", "epsilon_plus")
    scores = table.of_metric("gini")
    np.testing.assert_array_equal(found.values, scores[:, 0] - scores[:, 1])
    assert found.low < found.mean < found.high
    assert open_evaluation(tmp_path / "out").images == 8


def test_a_stopped_run_goes_on_where_it_was(bench, loop, dataset):
    dataset.param.update(flipping=Flipping(unit=32, steps=20), metrics=("aopc_morf",))
    dataset.start()
    loop.until(lambda: bench.jobs.fraction > 0)
    dataset.cancel()
    assert not dataset.running
    assert 0 < dataset.evaluation.images < 8
    loop.drain()
    run(dataset, loop)
    assert dataset.evaluation.images == 8
    assert len(dataset.table.images) == 7


def test_an_earlier_result_is_opened(bench, loop, dataset, tmp_path):
    dataset.output = str(tmp_path / "out")
    run(dataset, loop)
    other = Analysis(bench).dataset
    other.open(str(tmp_path / "out"))
    np.testing.assert_array_equal(other.table.values, dataset.table.values)
    other.open(str(tmp_path))
    assert "holds no evaluation" in bench.notice.text


def test_a_picture_of_it_is_opened(bench, loop, dataset):
    dataset.open_picture("3.png")
    loop.until(lambda: not bench.jobs.busy)
    assert bench.shown.name == "3.png"
    dataset.open_picture("8.png")
    loop.until(lambda: not bench.jobs.busy)
    assert "8.png: is not in" in bench.notice.text


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"source": ""}, "name a folder of pictures"),
        ({"source": "/nowhere"}, "no folder or file '/nowhere'"),
        ({"metrics": ("nice",)}, "metric='nice'"),
        ({"target": "label"}, "has no class labels"),
    ],
)
def test_mistakes_are_told(bench, loop, dataset, values, line):
    dataset.param.update(**values)
    run(dataset, loop)
    assert line in bench.notice.text
    assert dataset.table is None


def test_a_run_of_another_network_is_not_shown(bench, loop, dataset):
    run(dataset, loop)
    bench.param.trigger("network")
    assert dataset.table is None


def test_flipping_is_part_of_the_settings(bench, loop, dataset):
    dataset.param.update(flipping=Flipping(unit=64, steps=2), metrics=("aopc_morf",))
    run(dataset, loop)
    assert np.isfinite(dataset.table.values).all()
