"""``onnxlrp explain``: what it writes is what Python computes, and what it prints adds up."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from PIL import Image

import onnxlrp as package
from onnxlrp.composites import Composite
from tests.cli.conftest import save_picture, small_network


def python_result(folder, picture, composite, **options):
    """The same explanation from Python."""
    model = package.load(folder / "small.onnx")
    return package.explain(model, model.preprocess(folder / picture), composite, **options)


def test_writes_what_python_computes(folder, onnxlrp):
    words = "explain small.onnx cat.png dog.png -c epsilon_plus -c gamma:gamma=0.5 -t 1 -o out -q"
    outcome = onnxlrp(*words.split())
    assert (outcome.code, outcome.err) == (0, "")
    stems = [
        f"{picture}_{composite}"
        for picture in ("cat", "dog")
        for composite in ("epsilon_plus", "gamma-gamma=0.5")
    ]
    written = [f"out/{stem}.{suffix}" for stem in stems for suffix in ("png", "npz")]
    assert outcome.out.split() == written
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(
        name.removeprefix("out/") for name in written
    )
    composite = Composite.preset("gamma", gamma=0.5)
    for picture in ("cat", "dog"):
        result = python_result(folder, f"{picture}.png", composite, target=1)
        with np.load(folder / "out" / f"{picture}_gamma-gamma=0.5.npz") as stored:
            np.testing.assert_array_equal(stored["relevance"], result.relevance)
            np.testing.assert_array_equal(stored["output"], result.output)
            assert stored["target"] == [1]


def test_stores_where_the_numbers_come_from(folder, onnxlrp):
    assert onnxlrp("explain", "small.onnx", "cat.png", "-c", "epsilon_gamma_box").code == 0
    model = package.load(folder / "small.onnx")
    with np.load(folder / "cat_epsilon_gamma_box.npz") as stored:
        metadata = json.loads(str(stored["metadata"]))
        np.testing.assert_array_equal(stored["x"], model.preprocess(folder / "cat.png"))
        assert metadata["target"]["index"] == stored["target"][0]
        assert metadata["relevance"]["at_input"] == pytest.approx(stored["relevance"].sum())
    assert metadata["model"]["sha256"] == model.sha256
    assert Composite.from_dict(metadata["composite"]) == Composite.preset("epsilon_gamma_box")
    assert package.Preprocessing.from_dict(metadata["preprocessing"]) == model.preprocessing
    assert metadata["provider"] in ("CPUExecutionProvider", "CUDAExecutionProvider")
    assert set(metadata["versions"]) == {"onnxlrp", "onnxruntime", "numpy", "numba"}


def test_books_of_every_layer_add_up(folder, onnxlrp):
    onnxlrp("explain", "small.onnx", "cat.png", "-c", "epsilon:epsilon=0.1")
    with np.load(folder / "cat_epsilon-epsilon=0.1.npz") as stored:
        metadata = json.loads(str(stored["metadata"]))
    layers = metadata["layers"]
    assert [layer["layer"] for layer in layers] == ["dense", "flat", "mean", "relu", "conv"]
    assert layers[0]["arrived"] == pytest.approx(metadata["target"]["score"])
    for layer in layers:
        kept = layer["absorbed_by_bias"] + layer["absorbed_by_epsilon"]
        assert layer["handed_on"] + kept == pytest.approx(layer["arrived"], rel=1e-4, abs=1e-5)
    assert layers[-1]["handed_on"] == pytest.approx(metadata["relevance"]["at_input"])


def test_prints_classes_books_and_conservation(folder, onnxlrp):
    (folder / "names.txt").write_text("ant\nbee\ncow\n")
    outcome = onnxlrp("explain", "small.onnx", "cat.png", "--labels", "names.txt", "-t", "bee")
    assert outcome.code == 0
    for line in (
        "provider  CPUExecutionProvider",
        "Softmax softmax cut off: logits are explained",
        "relevance of class 1 (bee)",
        "output to input",
        "conservation error",
        "cat_epsilon_plus.png",
    ):
        assert line in outcome.out
    assert {"ant", "bee", "cow"} <= set(outcome.out.split())


@pytest.mark.parametrize(
    ("composite", "sentence"),
    [
        ("lrp_0:bias=drop", "No layer keeps more than 1 % of the relevance"),
        ("epsilon:epsilon=2", "its ε absorbs"),
        ("epsilon", "its bias absorbs"),
    ],
)
def test_says_in_a_sentence_where_relevance_stays(folder, onnxlrp, composite, sentence):
    assert sentence in onnxlrp("explain", "small.onnx", "cat.png", "-c", composite).out


def test_explains_the_packaged_pictures_without_any_argument(folder, onnxlrp):
    outcome = onnxlrp("explain")
    assert outcome.code == 0
    assert "285  " in outcome.out
    assert "Egyptian cat" in outcome.out
    assert "espresso" in outcome.out
    assert (folder / "chelsea_epsilon_plus.png").exists()
    assert (folder / "coffee_epsilon_plus.npz").exists()


def test_draws_picture_heatmap_and_overlay_side_by_side(folder, onnxlrp):
    onnxlrp("explain", "small.onnx", "cat.png", "-o", "plain")
    onnxlrp("explain", "small.onnx", "cat.png", "-o", "over", "--overlay")
    with (
        Image.open(folder / "plain" / "cat_epsilon_plus.png") as plain,
        Image.open(folder / "over" / "cat_epsilon_plus.png") as over,
    ):
        assert plain.height == over.height
        assert over.width > 1.3 * plain.width


def test_replaces_results_only_when_forced(folder, onnxlrp):
    words = ("explain", "small.onnx", "cat.png", "-q")
    assert onnxlrp(*words).code == 0
    first = (folder / "cat_epsilon_plus.npz").read_bytes()
    assert onnxlrp(*words, "-t", "0").code == 2
    assert (folder / "cat_epsilon_plus.npz").read_bytes() == first
    assert onnxlrp(*words, "-t", "0", "--force").code == 0
    with np.load(folder / "cat_epsilon_plus.npz") as stored:
        assert stored["target"] == [0]


def test_the_same_command_writes_the_same_bytes(folder, onnxlrp):
    for out in ("one", "two"):
        assert onnxlrp("explain", "small.onnx", "cat.png", "-o", out).code == 0
    for name in ("cat_epsilon_plus.npz", "cat_epsilon_plus.png"):
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()


def test_takes_input_tensors_and_pictures_from_arrays(folder, onnxlrp):
    model = package.load(folder / "small.onnx")
    x = model.preprocess([folder / "cat.png", folder / "dog.png"])
    np.save(folder / "batch.npy", x)
    np.savez(folder / "single.npz", x=x[0], y=np.zeros(3))
    np.save(folder / "pixels.npy", np.asarray(Image.open(folder / "dog.png")))
    words = "explain small.onnx batch.npy single.npz pixels.npy cat.png -q"
    assert onnxlrp(*words.split()).code == 0

    def relevance(name):
        with np.load(folder / f"{name}_epsilon_plus.npz") as stored:
            return stored["relevance"]

    np.testing.assert_array_equal(relevance("batch_0"), relevance("cat"))
    np.testing.assert_array_equal(relevance("single"), relevance("cat"))
    np.testing.assert_array_equal(relevance("batch_1"), relevance("pixels"))


def test_pictures_of_one_name_get_results_of_their_own(folder, onnxlrp):
    (folder / "other").mkdir()
    save_picture(folder / "other" / "cat.png", seed=9)
    assert onnxlrp("explain", "small.onnx", "cat.png", "other/cat.png", "-q").code == 0
    with (
        np.load(folder / "cat_epsilon_plus.npz") as one,
        np.load(folder / "cat_2_epsilon_plus.npz") as two,
    ):
        assert not np.array_equal(one["x"], two["x"])


def test_pictures_of_several_sizes_are_explained_in_one_run(folder, onnxlrp):
    onnx.save(small_network(size="S"), folder / "any.onnx")
    save_picture(folder / "wide.png", size=20)
    words = "explain any.onnx cat.png wide.png dog.png -q"
    assert onnxlrp(*words.split()).code == 0
    for name, size in (("cat", 12), ("wide", 20), ("dog", 12)):
        with np.load(folder / f"{name}_epsilon_plus.npz") as stored:
            assert stored["relevance"].shape == (1, 3, size, size)


def test_a_network_of_a_fixed_batch_takes_any_number_of_pictures(folder, onnxlrp):
    proto = small_network()
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    onnx.save(proto, folder / "pairs.onnx")
    save_picture(folder / "cow.png", seed=3)
    pictures = ("cat.png", "dog.png", "cow.png")
    assert onnxlrp("explain", "pairs.onnx", *pictures, "-q", "-o", "pairs").code == 0
    assert onnxlrp("explain", "small.onnx", *pictures, "-q", "-o", "single").code == 0
    for name in ("cat", "dog", "cow"):
        file = f"{name}_epsilon_plus.npz"
        with np.load(folder / "pairs" / file) as pair, np.load(folder / "single" / file) as one:
            np.testing.assert_allclose(pair["relevance"], one["relevance"], rtol=1e-5, atol=1e-8)


def test_stores_recorded_tensors(folder, onnxlrp):
    words = "explain small.onnx --record conv p -c epsilon -q -- cat.png"
    assert onnxlrp(*words.split()).code == 0
    result = python_result(folder, "cat.png", "epsilon", record=["conv", "p"])
    with np.load(folder / "cat_epsilon.npz") as stored:
        for name in ("conv", "p"):
            np.testing.assert_array_equal(stored[f"tensors/{name}"], result.tensors[name])


def test_options_may_stand_between_the_paths(folder, onnxlrp):
    words = "explain -q small.onnx -t 2 cat.png --init one dog.png"
    assert onnxlrp(*words.split()).code == 0
    with np.load(folder / "dog_epsilon_plus.npz") as stored:
        metadata = json.loads(str(stored["metadata"]))
    assert metadata["relevance"]["at_output"] == pytest.approx(1)


def test_preprocessing_can_be_corrected(folder, onnxlrp):
    (folder / "how.json").write_text('{"channels": "BGR", "scale": 1}')
    for out, how in (("text", "channels=BGR,scale=1"), ("file", "how.json")):
        words = ("explain", "small.onnx", "cat.png", "--preprocessing", how, "-q", "-o", out)
        assert onnxlrp(*words).code == 0
    model = package.load(folder / "small.onnx")
    guessed = model.preprocess(folder / "cat.png")
    for out in ("text", "file"):
        with np.load(folder / out / "cat_epsilon_plus.npz") as stored:
            np.testing.assert_allclose(stored["x"], 255 * guessed[:, ::-1], rtol=1e-5)


def test_draws_signals_and_volumes(folder, onnxlrp):
    from onnxlrp.cli.figures import relevance_map

    model = package.load(small_network())
    rng = np.random.default_rng(0)
    for shape in ((7,), (2, 9), (1, 5000), (3, 4, 5), (3, 2, 4, 5)):
        relevance = rng.normal(size=(1, *shape)).astype(np.float32)
        drawn = relevance_map(model, relevance)
        assert drawn.ndim == 2
        assert max(drawn.shape) <= 448
        if len(shape) >= 3:
            assert drawn.shape == (4, 5)
            assert drawn.sum() == pytest.approx(relevance.sum(), rel=1e-4)


def test_a_report_on_demand_is_not_overwritten_unasked(folder, onnxlrp):
    words = [
        "explain",
        "small.onnx",
        "cat.png",
        "-c",
        "epsilon",
        "-c",
        "epsilon_plus",
        "-o",
        "out",
        "-q",
        "--report",
    ]
    outcome = onnxlrp(*words)
    assert outcome.code == 0, outcome.err
    assert outcome.out.split()[-2:] == ["out/report.html", "out/report.zip"]
    assert "epsilon_plus: class" in (folder / "out" / "report.html").read_text()
    for path in (folder / "out").glob("cat_*"):
        path.unlink()
    refused = onnxlrp(*words)
    assert refused.code == 2 and "report.html (and 1 more): is there already" in refused.err
    assert not list((folder / "out").glob("cat_*"))
