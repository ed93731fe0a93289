"""Networks and pictures of one's own: what is wrong with them is told, and nothing is lost."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onnxlrp.rules import Flat
from ui.state import Store, Workbench, ruled_layers, with_rule
from ui.state.opening import Opening
from ui.state.saving import as_python, design_text, read_design

MODELS = Path(__file__).parents[2] / "data" / "models"


def png(size=(40, 30), colour=(200, 30, 10)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def opening(bench: Workbench) -> Opening:
    bench.folder = MODELS
    return Opening(bench)


def settle(opening, loop):
    loop.until(lambda: not opening.bench.jobs.busy)


def test_a_network_is_looked_at_before_it_is_on_the_screen(opening, loop):
    bench, before = opening.bench, opening.bench.network
    name = "cifar10_vgglike_keras_tf2onnx.onnx"
    opening.read_upload((MODELS / name).read_bytes(), name)
    settle(opening, loop)
    assert opening.candidate.name == name
    assert opening.candidate.explainable
    assert bench.network is before
    opening.accept()
    settle(opening, loop)
    assert bench.opened.name == name
    assert [p.name for p in bench.pictures] == ["chelsea", "coffee"]
    assert bench.explained.relevance.shape == (32, 32)
    assert (opening.candidate, bench.place) == (None, "design")


def test_the_designs_of_a_network_are_there_when_it_comes_back(opening, loop):
    bench = opening.bench
    bench.duplicate()
    mine = bench.designs
    opening.read_offered("cifar10_vgglike_keras_tf2onnx.onnx")
    settle(opening, loop)
    opening.accept()
    settle(opening, loop)
    opening.read_packaged()
    settle(opening, loop)
    opening.accept()
    settle(opening, loop)
    assert bench.designs == mine


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0 a JPEG", b"", png()])
def test_what_is_no_network_is_told_and_nothing_changes(opening, loop, content):
    before = opening.bench.network
    opening.read_upload(content, "cat.jpg")
    settle(opening, loop)
    assert "cat.jpg" in opening.problem
    assert str(opening.bench.store.folder) not in opening.problem
    assert (opening.candidate, opening.bench.network) == (None, before)
    opening.read_offered("../secret.onnx")
    assert "not in the server's folder" in opening.problem


def test_a_network_that_cannot_be_explained_is_shown_with_the_reason(opening, loop):
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weights = {
        "w": rng.normal(size=(1, 40, 192)).astype(np.float32),
        "r": rng.normal(size=(1, 40, 10)).astype(np.float32),
        "seq": np.array([1, 1, 192], np.int64),
        "flat": np.array([1, 10], np.int64),
    }
    nodes = [
        helper.make_node("Reshape", ["x", "seq"], ["s"], "to_sequence"),
        helper.make_node("LSTM", ["s", "w", "r"], ["h"], "memory", hidden_size=10),
        helper.make_node("Reshape", ["h", "flat"], ["y"], "to_scores"),
    ]
    graph = helper.make_graph(
        nodes,
        "lstm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(v, k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    before = opening.bench.network
    opening.read_upload(model.SerializeToString(), "lstm.onnx")
    settle(opening, loop)
    assert not opening.candidate.explainable
    assert "memory" in opening.candidate.inspection.problems[0].problem
    opening.accept()
    settle(opening, loop)
    assert "memory" in opening.problem
    assert opening.bench.network is before


def test_preprocessing_is_corrected_and_pictures_are_seen_anew(opening, loop):
    bench = opening.bench
    before = bench.shown.x
    assert opening.see_as(channels="RGB")
    assert not opening.see_as(std=0)
    assert "std" in opening.problem
    opening.accept()
    settle(opening, loop)
    np.testing.assert_array_equal(bench.shown.x.mean(axis=(2, 3)).shape, (1, 3))
    assert not np.array_equal(bench.shown.x, before)


def test_class_names_must_fit(opening, loop):
    assert not opening.name_classes(b"cat\ndog\n", "two.txt")
    assert "2 names were given, the model has 1000" in opening.problem
    assert not opening.name_classes(b"\xff\xfe\x00", "binary.txt")
    names = "\n".join(f"thing {i}" for i in range(1000)).encode()
    assert opening.name_classes(names, "names.txt")
    opening.accept()
    settle(opening, loop)
    assert opening.bench.model.label(285) == "thing 285"


def test_pictures_are_added_and_what_is_none_is_told(opening, loop):
    good = png()
    files = [("red.png", good), ("broken.png", good[:60]), ("model.onnx", b"no picture")]
    opening.add_pictures(files)
    settle(opening, loop)
    bench = opening.bench
    assert [p.name for p in bench.pictures] == ["chelsea", "coffee", "red.png"]
    assert bench.shown.name == "red.png"
    assert "model.onnx" in opening.problem
    opening.add_pictures([("red.png", png(colour=(0, 0, 255)))])
    settle(opening, loop)
    assert bench.shown.name.startswith("red.png (")


def test_a_huge_picture_is_refused(opening, loop):
    opening.add_pictures([("huge.png", bytes(300 * 2**20))])
    settle(opening, loop)
    assert "300 MB" in opening.problem


def test_a_link_restores_the_exact_state(opening, loop, tmp_path):
    bench = opening.bench
    name = "cifar10_vgglike_keras_tf2onnx.onnx"
    opening.read_upload((MODELS / name).read_bytes(), name)
    settle(opening, loop)
    opening.accept()
    settle(opening, loop)
    opening.add_pictures([("red.png", png())])
    settle(opening, loop)
    layers = ruled_layers(bench.model)[:2]
    bench.edit(lambda d: with_rule(d, bench.model, layers, Flat()))
    bench.duplicate()
    bench.ask(target="3")
    bench.see(sign="positive")
    bench.select(layers)
    settle(opening, loop)
    other = Workbench(loop.schedule, bench.store)
    other.open_packaged()
    again = Opening(other)
    again.restore(opening.link())
    loop.until(lambda: not other.jobs.busy)
    assert other.opened.sha256 == bench.opened.sha256
    assert [p.sha256 for p in other.pictures] == [p.sha256 for p in bench.pictures]
    assert (other.designs, other.current) == (bench.designs, bench.current)
    assert (other.question, other.look) == (bench.question, bench.look)
    assert (other.selection, other.picture) == (bench.selection, bench.picture)
    np.testing.assert_array_equal(other.explained.relevance, bench.explained.relevance)
    assert again.link() == opening.link()
    other.close()


def test_a_link_to_what_is_not_here_is_told(opening, loop, tmp_path):
    name = "cifar10_vgglike_keras_tf2onnx.onnx"
    opening.read_upload((MODELS / name).read_bytes(), name)
    settle(opening, loop)
    opening.accept()
    settle(opening, loop)
    link = opening.link()
    other = Workbench(loop.schedule, Store(tmp_path / "elsewhere"))
    other.open_packaged()
    Opening(other).restore(link)
    loop.until(lambda: not other.jobs.busy)
    assert name in other.notice.text
    Opening(other).restore(link[:20])
    loop.until(lambda: not other.jobs.busy)
    assert "damaged" in other.notice.text
    other.close()


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_a_design_is_saved_and_opened(bench, suffix):
    text = design_text(bench.design, suffix)
    read = read_design(text.encode(), f"mine{suffix}", bench.model)
    assert read.composite == bench.design.composite


def test_a_file_with_an_unknown_rule_is_told_with_its_name(bench):
    text = design_text(bench.design, ".yaml").replace("rule: gamma", "rule: gama")
    with pytest.raises(Exception, match=r"mine.yaml.*entry 1.*gama.*Did you mean 'gamma'"):
        read_design(text.encode(), "mine.yaml", bench.model)


@pytest.mark.parametrize("kind", ["logit", "probability"])
def test_the_python_code_computes_what_is_on_the_screen(bench, loop, kind):
    bench.ask(target="281", kind=kind)
    loop.until(lambda: not bench.jobs.busy)
    code = as_python(bench.design, bench.opened, bench.shown, bench.question)
    names: dict[str, object] = {}
    exec(code, names)
    np.testing.assert_allclose(names["heatmap"], bench.explained.relevance, rtol=1e-5, atol=1e-7)
