"""Judging designs on a data set: tables, streaming, resuming, and what is refused."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from PIL import Image

from onnxlrp.errors import InputError, OutputError, TargetError
from onnxlrp.evaluate import Flipping, entropy, evaluate, flip_pixels, gini, open_evaluation
from onnxlrp.explainer import explain
from onnxlrp.graph.load import load
from tests.cli.conftest import small_network

FLIPPING = Flipping(unit=4, steps=4)
METRICS = ("aopc", "auc_lerf", "abpc", "entropy", "gini", "conservation")


@pytest.fixture(scope="module")
def model():
    return load(small_network(), labels=["cat", "dog", "eel"])


def picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)


def pictures(count):
    return [(f"picture{i}", picture(i)) for i in range(count)]


@pytest.fixture
def folder(tmp_path):
    """Two classes of two pictures each."""
    for number, name in enumerate(["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(path)
    return tmp_path / "data"


def content(out, *names):
    return {name: (out / name).read_bytes() for name in (*names, "scores.csv", "curves.csv")}


class Stopped(Exception):
    """The user's own reason to stop."""


def stop_after(count):
    def progress(done, total, name):
        if done == count:
            raise Stopped

    return progress


def test_scores_are_those_of_the_functions_they_are_named_after(model):
    found = evaluate(model, pictures(1), ["epsilon", "gamma"], METRICS, flipping=FLIPPING)
    value = {(row.design, row.metric): row.value for row in found.scores()}
    x = model.preprocess(picture(0))
    for design in ("epsilon", "gamma"):
        result = explain(model, x, design)
        pixels = result.relevance.sum(axis=1, dtype=np.float64)
        flipped = flip_pixels(model, x, design, unit=4, steps=4, order=["morf", "lerf"])
        logit = float(result.output.max())
        assert value[design, "aopc_morf"] == pytest.approx(flipped.aopc[0, 0, 0])
        assert value[design, "auc_lerf"] == pytest.approx(flipped.auc[0, 0, 1])
        assert value[design, "abpc"] == pytest.approx(flipped.abpc[0, 0])
        assert value[design, "entropy"] == pytest.approx(entropy(pixels))
        assert value[design, "gini"] == pytest.approx(gini(pixels))
        error = abs(pixels.sum() - logit) / abs(logit)
        assert value[design, "conservation"] == pytest.approx(error, rel=1e-4)


def test_tables_have_the_columns_of_the_contract(model, tmp_path):
    out = tmp_path / "out"
    evaluate(model, pictures(2), "epsilon", METRICS, flipping=FLIPPING, out=out)
    with (out / "scores.csv").open() as file:
        scores = list(csv.reader(file))
    with (out / "curves.csv").open() as file:
        curves = list(csv.reader(file))
    assert scores[0] == ["image", "design", "metric", "value"]
    assert curves[0] == ["image", "design", "order", "step", "fraction", "score"]
    assert len(scores) == 1 + 2 * len(METRICS)
    assert len(curves) == 1 + 2 * 2 * 5  # pictures, orders, steps and the start


def test_memory_and_disk_hold_the_same(model, tmp_path):
    options = {"composites": ["epsilon", "gamma"], "metrics": METRICS, "flipping": FLIPPING}
    held = evaluate(model, pictures(3), **options)
    written = evaluate(model, pictures(3), **options, out=tmp_path / "out")
    assert list(held.scores()) == list(written.scores())
    assert list(held.curves()) == list(written.curves())


@pytest.mark.parametrize("finished", [1, 3])
def test_a_stopped_run_goes_on_where_it_was(model, tmp_path, finished):
    options = {"composites": "epsilon", "metrics": METRICS, "flipping": FLIPPING}
    evaluate(model, pictures(4), **options, out=tmp_path / "whole")
    out = tmp_path / "parts"
    with pytest.raises(Stopped):
        evaluate(model, pictures(4), **options, out=out, progress=stop_after(finished))
    told = []
    evaluate(
        model,
        pictures(4),
        **options,
        out=out,
        existing="resume",
        progress=lambda done, total, name: told.append((done, total, name)),
    )
    assert told == [(i + 1, 4, f"picture{i}") for i in range(finished, 4)]
    assert content(out, "progress.csv") == content(tmp_path / "whole", "progress.csv")


@pytest.mark.parametrize("table", ["scores.csv", "curves.csv", "progress.csv"])
def test_what_a_crash_left_half_written_is_taken_away(model, tmp_path, table):
    options = {"composites": "epsilon", "metrics": METRICS, "flipping": FLIPPING}
    evaluate(model, pictures(3), **options, out=tmp_path / "whole")
    out = tmp_path / "crashed"
    with pytest.raises(Stopped):
        evaluate(model, pictures(3), **options, out=out, progress=stop_after(2))
    with (out / table).open("ab") as file:
        file.write(b"picture2,eps")
    evaluate(model, pictures(3), **options, out=out, existing="resume")
    assert content(out, "progress.csv") == content(tmp_path / "whole", "progress.csv")


def test_a_resumed_run_that_was_finished_changes_nothing(model, tmp_path):
    options = {"composites": "epsilon", "metrics": "gini", "out": tmp_path / "out"}
    evaluate(model, pictures(2), **options)
    before = content(tmp_path / "out")
    assert evaluate(model, pictures(2), **options, existing="resume").images == 2
    assert content(tmp_path / "out") == before


def test_other_settings_are_not_mixed_into_a_run(model, tmp_path):
    out = tmp_path / "out"
    evaluate(model, pictures(1), "epsilon", "gini", out=out)
    before = content(out)
    with pytest.raises(OutputError, match="seed: 0 before, 1 now"):
        evaluate(model, pictures(1), "epsilon", "gini", out=out, seed=1, existing="resume")
    with pytest.raises(OutputError, match="another designs"):
        evaluate(model, pictures(1), "gamma", "gini", out=out, existing="resume")
    with pytest.raises(OutputError, match="fill"):
        zero = Flipping(fill="zero")
        evaluate(model, pictures(1), "epsilon", "gini", out=out, flipping=zero, existing="resume")
    assert content(out) == before


def test_nothing_is_overwritten_unless_wanted(model, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for existing in ("refuse", "resume"):
        with pytest.raises(OutputError, match="is not empty"):
            evaluate(model, pictures(1), "epsilon", "gini", out=out, existing=existing)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    evaluate(model, pictures(2), "epsilon", "gini", out=out, existing="replace")
    found = evaluate(model, pictures(1), "epsilon", "gini", out=out, existing="replace")
    assert len(list(found.scores())) == 1
    assert (out / "thesis.txt").read_text() == "years of work"


def test_two_runs_in_one_folder_are_noticed(model, tmp_path):
    def intrude(done, total, name):
        with (tmp_path / "scores.csv").open("ab") as file:
            file.write(b"other,run,gini,0\n")

    with pytest.raises(OutputError, match="one run at a time"):
        evaluate(model, pictures(2), "epsilon", "gini", out=tmp_path, progress=intrude)


def test_a_broken_picture_costs_only_itself(model, folder, tmp_path):
    (folder / "cat" / "1b.png").write_bytes((folder / "cat" / "1.png").read_bytes()[:60])
    found = evaluate(model, folder, "epsilon", "gini", out=tmp_path / "out")
    (failure,) = found.failures()
    assert failure.image == "cat/1b.png" and "damaged" in failure.reason
    assert [row.image for row in found.scores()] == [
        *("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")
    ]
    resumed = evaluate(model, folder, "epsilon", "gini", out=tmp_path / "out", existing="resume")
    assert resumed.images == 5 and len(list(resumed.failures())) == 1


def test_random_numbers_do_not_depend_on_the_other_pictures(model):
    options = {"flipping": Flipping(unit=4, steps=4, fill="uniform"), "metrics": "auc_random"}
    alone = evaluate(model, pictures(3)[2:], "epsilon", **options)
    among = evaluate(model, pictures(3), "epsilon", **options)
    assert list(alone.scores()) == list(among.scores())[2:]
    other = evaluate(model, pictures(3)[2:], "epsilon", **options, seed=1)
    assert list(alone.scores()) != list(other.scores())


def test_a_network_of_a_fixed_batch_judges_each_picture_alone(model):
    proto = small_network()
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    fixed = load(proto, model.preprocessing)
    options = {"composites": "epsilon", "metrics": METRICS, "flipping": FLIPPING}
    for one, two in zip(
        evaluate(model, pictures(2), **options).scores(),
        evaluate(fixed, pictures(2), **options).scores(),
        strict=True,
    ):
        assert (one.image, one.metric) == (two.image, two.metric)
        assert one.value == pytest.approx(two.value, rel=1e-4, abs=1e-5)


def test_every_picture_may_be_explained_for_its_own_class(model, folder):
    own = evaluate(model, folder, "epsilon", "conservation", target="label")
    for label in ("cat", "dog"):
        of_class = evaluate(model, folder, "epsilon", "conservation", target=label)
        expected = [row for row in of_class.scores() if row.image.startswith(label)]
        assert [row for row in own.scores() if row.image.startswith(label)] == expected


def test_max_sensitivity_is_measured(model):
    (row,) = evaluate(model, pictures(1), "epsilon", "max_sensitivity").scores()
    assert 0 < row.value < math.inf


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metrics": "aopc_mor"}, InputError, "Did you mean 'aopc_morf'"),
        ({"metrics": []}, InputError, "metrics is empty"),
        ({"target": "cow"}, TargetError, "cow"),
        ({"target": 7}, TargetError, "7"),
        ({"data": []}, InputError, "not one picture"),
        ({"data": 3}, InputError, "is no data set"),
        ({"data": [("a", picture(0)), ("a", picture(1))]}, InputError, "two pictures"),
        ({"data": [picture(0)]}, InputError, r"must be \(name, image\)"),
        ({"data": "nowhere"}, InputError, "no folder or file"),
        ({"composites": np.zeros((1, 12, 12))}, InputError, "is an array"),
        ({"flipping": Flipping(fill=300)}, InputError, "from 0 to 255"),
        ({"seed": -1}, InputError, "seed"),
        ({"existing": "destroy"}, InputError, "existing"),
    ],
)
def test_mistakes_are_one_clear_line(model, tmp_path, options, error, message):
    standard = {"data": pictures(1), "composites": "epsilon", "metrics": "gini"}
    with pytest.raises(error, match=message) as raised:
        evaluate(model, out=tmp_path / "out", **(standard | options))
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out" / "progress.csv").exists() or "two pictures" in message


def test_labels_that_nobody_gave_are_missed_at_once(model, folder, tmp_path):
    for path in folder.rglob("*.png"):
        path.rename(folder / f"{path.parent.name}{path.name}")
    with pytest.raises(InputError, match="no class labels"):
        evaluate(model, folder, "epsilon", "gini", target="label", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_is_read_from_its_folder_as_far_as_it_is_finished(model, tmp_path):
    options = {"flipping": FLIPPING, "out": tmp_path, "seed": 3}
    with pytest.raises(Stopped):
        evaluate(model, pictures(4), ["epsilon"], METRICS, progress=stop_after(2), **options)
    with (tmp_path / "scores.csv").open("a") as file:
        file.write("picture2,epsilon,entropy,1")  # a picture that was cut off
    before = (tmp_path / "scores.csv").read_bytes()
    found = open_evaluation(tmp_path)
    assert (found.images, found.designs) == (2, ("epsilon",))
    assert {row.image for row in found.scores()} == {"picture0", "picture1"}
    assert (tmp_path / "scores.csv").read_bytes() == before
    whole = evaluate(model, pictures(4), ["epsilon"], METRICS, existing="resume", **options)
    again = open_evaluation(tmp_path)
    assert list(again.scores()) == list(whole.scores())
    assert list(again.curves()) == list(whole.curves())
    assert again.settings.flipping.unit == FLIPPING.unit
    assert (again.settings.metrics, again.settings.seed) == (whole.settings.metrics, 3)


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no evaluation"):
        open_evaluation(tmp_path)
