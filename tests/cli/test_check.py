"""``onnxlrp check``: the truth about a network, layer by layer."""

from __future__ import annotations

import json

import onnx
from onnx import TensorProto, helper

from tests.cli.conftest import small_network, unsupported_network


def normalised_network() -> onnx.ModelProto:
    """The small network with a normalisation after its convolution and an Identity at its end."""
    proto = small_network()
    norm = helper.make_node(
        "BatchNormalization", ["z", "ones", "zeros", "zeros", "ones"], ["n"], name="bn"
    )
    proto.graph.node.insert(1, norm)
    proto.graph.node[2].input[0] = "n"
    for name, value in (("ones", 1.0), ("zeros", 0.0)):
        proto.graph.initializer.append(
            helper.make_tensor(name, TensorProto.FLOAT, [4], [value] * 4)
        )
    return proto


def row(text: str, name: str) -> list[str]:
    """The cells of a layer's row."""
    return next(line.split() for line in text.splitlines() if f" {name} " in line)


def test_shows_every_layer_with_shape_and_treatment(folder, onnxlrp):
    outcome = onnxlrp("check", "small.onnx")
    assert (outcome.code, outcome.err) == (0, "")
    assert row(outcome.out, "conv")[:5] == ["0", "conv", "Conv", "1×4×8×8", "✓"]
    assert row(outcome.out, "dense")[2:4] == ["Gemm", "1×3"]
    assert "passes relevance" in " ".join(row(outcome.out, "relu"))
    assert "Softmax softmax cut off: logits are explained" in outcome.out
    assert "Guessed preprocessing: RGB" in outcome.out
    assert "5 layers, 0 unsupported" in outcome.out


def test_tells_what_was_merged(folder, onnxlrp):
    onnx.save(normalised_network(), folder / "normalised.onnx")
    assert row(onnxlrp("check", "normalised.onnx").out, "conv")[-1] == "bn"


def test_shows_rules_and_passes_of_a_composite(folder, onnxlrp):
    outcome = onnxlrp("check", "small.onnx", "-c", "epsilon_gamma_box")
    assert outcome.code == 0
    assert row(outcome.out, "conv")[5] == "z_box:low=[…],high=[…]"
    assert row(outcome.out, "dense")[5:] == ["epsilon", "0+1"]
    assert "adjoint passes" in outcome.out


def test_names_every_unsupported_node_and_exits_with_1(folder, onnxlrp):
    onnx.save(unsupported_network(), folder / "refused.onnx")
    for words in (("check", "refused.onnx"), ("check", "refused.onnx", "-c", "epsilon")):
        outcome = onnxlrp(*words)
        assert (outcome.code, outcome.err) == (1, "")
        assert "✓" in row(outcome.out, "conv")
        for name in ("topk", "hardmax"):
            assert "✗" in row(outcome.out, name)
            assert f"✗ node {name!r}" in outcome.out
        assert "cannot be explained" in outcome.out


def test_open_sizes_are_question_marks(folder, onnxlrp):
    onnx.save(small_network(size="S"), folder / "any.onnx")
    assert row(onnxlrp("check", "any.onnx").out, "conv")[3] == "?"
    sized = onnxlrp("check", "any.onnx", "--preprocessing", "size=[6, 5]")
    assert row(sized.out, "conv")[3] == "1×4×6×5"


def test_the_same_as_json(folder, onnxlrp):
    report = json.loads(onnxlrp("check", "small.onnx", "--json", "-c", "gamma").out)
    assert report["explainable"] is True
    assert report["unsupported"] == 0
    assert [layer["name"] for layer in report["layers"]] == [
        "conv", "relu", "mean", "flat", "dense",
    ]  # fmt: skip
    first = report["layers"][0]
    assert first["shape"] == [1, 4, 8, 8]
    assert first["rule"] == {"rule": "gamma"}
    assert report["model"]["input"]["shape"] == ["N", 3, 8, 8]
    assert report["changes"] == [
        {
            "kind": "cut",
            "node": "softmax",
            "into": "",
            "detail": "Softmax softmax cut off: logits are explained",
        }
    ]


def test_json_of_an_unsupported_network_says_why(folder, onnxlrp):
    onnx.save(unsupported_network(), folder / "refused.onnx")
    outcome = onnxlrp("check", "refused.onnx", "--json")
    assert outcome.code == 1
    report = json.loads(outcome.out)
    assert report["explainable"] is False
    problems = {layer["name"]: layer["problem"] for layer in report["layers"] if layer["problem"]}
    assert report["unsupported"] == len(problems)
    assert set(problems) >= {"topk", "hardmax"}
    assert all(name in problem for name, problem in problems.items())


def test_checks_the_packaged_network(folder, onnxlrp):
    outcome = onnxlrp("check")
    assert outcome.code == 0
    assert "squeezenet1_1" in outcome.out
    assert "1000 class names" in outcome.out
