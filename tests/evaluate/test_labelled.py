"""Results as labelled arrays: the numbers of the tables, by name, whole after an interruption."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import xarray

from onnxlrp.errors import InputError, OutputError, RuntimeSetupError
from onnxlrp.evaluate import Flipping, evaluate, open_evaluation
from onnxlrp.explainer import explain
from onnxlrp.graph.load import load
from tests.cli.conftest import small_network

DESIGNS = ["epsilon", "gamma"]
OPTIONS = {"metrics": ["aopc", "entropy"], "flipping": Flipping(unit=4, steps=4), "zarr": True}


@pytest.fixture(scope="module")
def model():
    return load(small_network(), labels=["cat", "dog", "eel"])


def pictures(count, broken=()):
    random = np.random.default_rng(0)
    drawn = random.integers(0, 256, (count, 12, 12, 3), np.uint8)
    return [
        (f"{i}", np.zeros((2, 2, 9), np.uint8) if i in broken else drawn[i]) for i in range(count)
    ]


def same(found, table, axes):
    """Whether a labelled array holds what the rows of a table say."""
    return all(
        found.sel({axis: getattr(row, axis) for axis in axes}).item() == row.value for row in table
    )


def test_labelled_arrays_hold_what_the_tables_do_and_the_maps(model, tmp_path):
    data = pictures(3, broken={1})
    found = evaluate(model, data, DESIGNS, **OPTIONS, out=tmp_path / "out")
    with xarray.open_zarr(tmp_path / "out" / "results.zarr", chunks=None) as kept:
        assert kept.score.dims == ("image", "design", "metric")
        assert kept.curve.dims == kept.fraction.dims == ("image", "design", "order", "step")
        assert kept.relevance.dims == ("image", "design", "y", "x")
        assert kept.image.values.tolist() == ["0", "1", "2"]
        assert kept.failed.values.tolist() == [False, True, False]
        scores = list(found.scores())
        assert len(scores) == 2 * 2 * 2
        assert same(kept.score, scores, ("image", "design", "metric"))
        for row in found.curves():
            one = {"image": row.image, "design": row.design, "order": row.order}
            assert kept.curve.sel(one)[row.step].item() == row.score
            assert kept.fraction.sel(one)[row.step].item() == row.fraction
        assert np.isnan(kept.score.sel(image="1")).all()
        assert np.isnan(kept.relevance.sel(image="1")).all()
        relevance = explain(model, model.preprocess(data[2][1]), "gamma").relevance
        kept_map = kept.relevance.sel(image="2", design="gamma").values
        np.testing.assert_allclose(kept_map, relevance[0].sum(axis=0), rtol=1e-4, atol=1e-6)


def test_a_resumed_run_leaves_the_same_arrays_as_a_whole_one(model, tmp_path):
    def stop(done, total, name):
        if done == 2:
            raise KeyboardInterrupt

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    data = pictures(4, broken={0})
    evaluate(model, data, DESIGNS, **OPTIONS, out=whole)
    with pytest.raises(KeyboardInterrupt):
        evaluate(model, data, DESIGNS, **OPTIONS, out=parts, progress=stop)
    with open_evaluation(parts).to_xarray() as half:
        assert half.image.values.tolist() == ["0", "1"]
    with (parts / "progress.csv").open("a") as file:
        file.write('"2",1')  # a line that was cut off
    evaluate(model, data, DESIGNS, **OPTIONS, out=parts, existing="resume")
    with open_evaluation(whole).to_xarray() as a, open_evaluation(parts).to_xarray() as b:
        xarray.testing.assert_identical(a.load(), b.load())


def test_superpixels_make_curves_of_several_lengths(model, tmp_path):
    flipping = Flipping(unit="superpixel", steps=None)
    data = [*pictures(2), ("flat", np.full((12, 12, 3), 90, np.uint8))]
    found = evaluate(
        model, data, "epsilon", "aopc", flipping=flipping, zarr=True, out=tmp_path / "out"
    )
    lengths = {}
    for row in found.curves():
        lengths[row.image] = max(lengths.get(row.image, 0), row.step + 1)
    with found.to_xarray() as kept:
        curves = kept.curve.sel(design="epsilon", order="morf")
        counted = np.isfinite(curves).sum("step")
        assert dict(zip(kept.image.values, counted.values.tolist(), strict=True)) == lengths


def test_tables_become_labelled_arrays_without_files(model):
    options = OPTIONS | {"zarr": False}
    found = evaluate(model, pictures(3, broken={0}), DESIGNS, **options)
    kept = found.to_xarray()
    assert same(kept.score, found.scores(), ("image", "design", "metric"))
    assert kept.failed.sel(image="0").item() and not kept.failed.sel(image="1").item()
    assert "relevance" not in kept and kept.curve.sizes["step"] == 5


def test_replacing_takes_earlier_arrays_away(model, tmp_path):
    out = tmp_path / "out"
    evaluate(model, pictures(2), DESIGNS, **OPTIONS, out=out)
    evaluate(model, pictures(1), DESIGNS, **OPTIONS | {"zarr": False}, out=out, existing="replace")
    assert not (out / "results.zarr").exists()


def test_what_is_refused(model, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="name a folder"):
        evaluate(model, pictures(1), DESIGNS, **OPTIONS)
    out = tmp_path / "out"
    evaluate(model, pictures(1), DESIGNS, **OPTIONS | {"zarr": False}, out=out)
    with pytest.raises(OutputError, match="another maps: false before, true now"):
        evaluate(model, pictures(1), DESIGNS, **OPTIONS, out=out, existing="resume")
    monkeypatch.setitem(sys.modules, "zarr", None)  # as if it was not installed
    with pytest.raises(RuntimeSetupError, match=r"pip install 'onnxlrp\[zarr\]'"):
        evaluate(model, pictures(1), DESIGNS, **OPTIONS, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()
