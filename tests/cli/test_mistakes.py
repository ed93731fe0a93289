"""A user's mistake costs one clear line that names what is wrong, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.cli.conftest import small_network, unsupported_network


def no_onnx(folder: Path) -> None:
    (folder / "notes.onnx").write_text("this is no network")


def truncated(folder: Path) -> None:
    whole = (folder / "small.onnx").read_bytes()
    (folder / "half.onnx").write_bytes(whole[: len(whole) // 2])


def without_its_data(folder: Path) -> None:
    proto = small_network()
    path = folder / "big.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="big.data", size_threshold=0)
    (folder / "big.data").unlink()


def too_new(folder: Path) -> None:
    proto = small_network()
    proto.opset_import[0].version = 999
    (folder / "new.onnx").write_bytes(proto.SerializeToString())


def too_new_ir(folder: Path) -> None:
    proto = small_network()
    proto.ir_version = 999
    (folder / "new.onnx").write_bytes(proto.SerializeToString())


def refused(folder: Path) -> None:
    onnx.save(unsupported_network(), folder / "refused.onnx")


def no_picture(folder: Path) -> None:
    (folder / "cat.jpg").write_text("this is no picture")


def torn_picture(folder: Path) -> None:
    whole = (folder / "cat.png").read_bytes()
    (folder / "torn.png").write_bytes(whole[: len(whole) // 2])


def wrong_size(folder: Path) -> None:
    np.save(folder / "x.npy", np.zeros((1, 3, 8, 9), np.float32))


def wrong_channels(folder: Path) -> None:
    np.save(folder / "x.npy", np.zeros((1, 4, 8, 8), np.float32))


def not_finite(folder: Path) -> None:
    np.save(folder / "x.npy", np.full((1, 3, 8, 8), np.nan, np.float32))


def no_array(folder: Path) -> None:
    (folder / "x.npy").write_text("this is no array")


def two_arrays(folder: Path) -> None:
    np.savez(folder / "x.npz", a=np.zeros(2), b=np.zeros(3))


def names(folder: Path) -> None:
    (folder / "names.txt").write_text("cat\ndog\ndog\n")


def too_few_names(folder: Path) -> None:
    (folder / "names.txt").write_text("cat\ndog\n")


def lost_selector(folder: Path) -> None:
    (folder / "design.yaml").write_text(
        "schema: 1\nname: lost\nentries:\n- {select: {name: conv7}, rule: gamma}\n"
    )


def broken_design(folder: Path) -> None:
    (folder / "design.yaml").write_text("schema: 1\nname: [broken\n")


def misspelt_rule(folder: Path) -> None:
    (folder / "design.yaml").write_text(
        "schema: 1\nname: bad\nentries:\n- {select: {}, rule: gama}\n"
    )


def file_in_the_way(folder: Path) -> None:
    (folder / "out").write_text("a file")


def earlier_results(folder: Path) -> None:
    (folder / "cat_epsilon_plus.npz").write_text("precious")


def nothing(folder: Path) -> None:
    """The folder is as it is."""


CAT = "explain small.onnx cat.png"
MISTAKES: dict[str, tuple[Callable[[Path], None], str, list[str]]] = {
    "no such model": (nothing, "explain gone.onnx cat.png", ["gone.onnx", "check the path"]),
    "model is a folder": (nothing, "check .", [".: is a directory", "name the .onnx file"]),
    "no ONNX file": (no_onnx, "check notes.onnx", ["notes.onnx", "export or copy"]),
    "truncated model": (truncated, "check half.onnx", ["half.onnx", "export or copy"]),
    "external data missing": (without_its_data, "check big.onnx", ["big.onnx", "big.data"]),
    "opset too new": (too_new, "check new.onnx", ["opset 999", "upgrade"]),
    "IR too new": (too_new_ir, "check new.onnx", ["IR 999", "upgrade"]),
    "no such output": (nothing, f"{CAT} --output-name prob", ["prob", "'probability'"]),
    "picture as model": (nothing, "check cat.png", ["cat.png", "not an ONNX model"]),
    "two models": (nothing, "explain small.onnx small.onnx cat.png", ["one at a time"]),
    "no picture given": (nothing, "explain small.onnx", ["small.onnx", "cat.jpg"]),
    "no such picture": (nothing, "explain small.onnx gone.png", ["gone.png", "check the path"]),
    "no picture": (no_picture, "explain small.onnx cat.jpg", ["cat.jpg", "not a picture"]),
    "torn picture": (torn_picture, "explain small.onnx torn.png", ["torn.png", "truncated"]),
    "wrong size": (wrong_size, "explain small.onnx x.npy", ["x.npy", "(N, 3, 8, 8)"]),
    "wrong channels": (wrong_channels, "explain small.onnx x.npy", ["x.npy", "(N, 3, 8, 8)"]),
    "NaN": (not_finite, "explain small.onnx x.npy", ["x.npy", "NaN"]),
    "no array": (no_array, "explain small.onnx x.npy", ["x.npy", "numpy.save"]),
    "no such array": (nothing, "explain small.onnx gone.npy", ["gone.npy", "check the path"]),
    "two arrays": (two_arrays, "explain small.onnx x.npz", ["x.npz", "name 'x'"]),
    "class out of range": (nothing, f"{CAT} -t 3", ["target 3", "0 to 2"]),
    "negative class": (nothing, f"{CAT} -t -1", ["target -1", "0 to 2"]),
    "no labels": (nothing, f"{CAT} -t cat", ["'cat'", "no labels"]),
    "unknown label": (names, f"{CAT} --labels names.txt -t cut", ["'cut'", "'cat'"]),
    "ambiguous label": (names, f"{CAT} --labels names.txt -t dog", ["1 (dog), 2 (dog)"]),
    "too few labels": (too_few_names, f"{CAT} --labels names.txt", ["2 names", "3 outputs"]),
    "no such labels": (nothing, f"{CAT} --labels gone.txt", ["labels", "gone.txt"]),
    "unknown preset": (nothing, f"{CAT} -c epsilonplus", ["'epsilonplus'", "'epsilon_plus'"]),
    "α − β ≠ 1": (nothing, f"{CAT} -c alpha_beta:alpha=2,beta=2", ["alpha", "beta", "1"]),
    "negative ε": (nothing, f"{CAT} -c epsilon:epsilon=-1", ["epsilon", "-1"]),
    "unknown parameter": (nothing, f"{CAT} -c gamma:gama=1", ["'gama'", "'gamma'"]),
    "no such design": (nothing, f"{CAT} -c gone.yaml", ["gone.yaml"]),
    "broken design": (broken_design, f"{CAT} -c design.yaml", ["design.yaml", "line"]),
    "unknown rule": (misspelt_rule, f"{CAT} -c design.yaml", ["design.yaml", "'gamma'"]),
    "selector without layer": (lost_selector, f"{CAT} -c design.yaml", ["'lost'", "conv7"]),
    "unknown record": (nothing, f"{CAT} --record covn", ["'covn'", "'conv'"]),
    "output is a file": (file_in_the_way, f"{CAT} -o out", ["out", "name a folder"]),
    "results are there": (earlier_results, CAT, ["cat_epsilon_plus.npz", "--force"]),
    "unknown colours": (nothing, f"{CAT} --colormap redblue", ["redblue", "'red-blue'"]),
    "unknown device": (nothing, f"{CAT} --device gpu", ["--device", "'cuda'"]),
    "unknown field": (nothing, f"{CAT} --preprocessing sizze=8", ["'sizze'", "'size'"]),
    "no value": (nothing, f"{CAT} --preprocessing BGR", ["field 'BGR'", "channels"]),
    "no fields": (nothing, f"{CAT} --preprocessing =", ["--preprocessing =", "channels=BGR"]),
    "zero deviation": (nothing, f"{CAT} --preprocessing std=0", ["std", "greater than 0"]),
    "unknown option": (nothing, f"{CAT} --tarjet 1", ["--tarjet", "explain --help"]),
    "unknown command": (nothing, "explainn", ["'explainn'", "'explain'"]),
    "unknown preset map": (nothing, "presets montavn", ["'montavn'", "'montavon'"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_costs_one_line_and_loses_nothing(mistake, folder, onnxlrp):
    prepare, words, expected = MISTAKES[mistake]
    prepare(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*")}
    outcome = onnxlrp(*words.split())
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert line.startswith("onnxlrp: error: ")
    assert [fragment for fragment in expected if fragment not in line] == []
    assert {path: path.read_bytes() for path in folder.rglob("*")} == before


def test_explaining_an_unsupported_network_names_every_node(folder, onnxlrp):
    refused(folder)
    outcome = onnxlrp("explain", "refused.onnx", "cat.png")
    assert outcome.code == 1
    assert "topk" in outcome.err
    assert "hardmax" in outcome.err
    assert list(folder.glob("cat_*")) == []


def test_debug_shows_the_traceback(folder):
    from onnxlrp.cli import main
    from onnxlrp.errors import ModelFileError

    with pytest.raises(ModelFileError, match=r"gone\.onnx"):
        main(["check", "gone.onnx", "--debug"])


def test_a_numerical_failure_in_one_picture_writes_none(folder, onnxlrp):
    proto = small_network()
    proto.graph.node.insert(0, helper.make_node("Log", ["x"], ["logs"], name="log"))
    proto.graph.node[1].input[0] = "logs"
    onnx.save(proto, folder / "logs.onnx")
    np.save(folder / "good.npy", np.ones((1, 3, 8, 8), np.float32))
    np.save(folder / "bad.npy", np.full((1, 3, 8, 8), -1, np.float32))
    outcome = onnxlrp("explain", "logs.onnx", "good.npy", "bad.npy", "-o", "out")
    assert outcome.code == 2
    assert "log" in outcome.err
    assert not (folder / "out").exists()
