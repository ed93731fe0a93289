"""What is no CNN is refused politely: one message names every such node, and the exit code is 1."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

MACHINE_LEARNING = ("ai.onnx.ml", 3)
SCORES = np.random.default_rng(0).normal(size=12).tolist()


def port(name, element_type=TensorProto.FLOAT, shape=("N", 3, 8, 8)):
    return helper.make_tensor_value_info(name, element_type, shape)


def file(nodes, inputs, outputs, *domains, **constants):
    """A network; the standard operators are declared unless others are."""
    weights = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "net", inputs, outputs, weights)
    opsets = [helper.make_opsetid(*domain) for domain in domains or [("", 17)]]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def node(name, op, inputs, outputs, domain="", **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name, domain=domain, **attributes)


def probabilities(name):
    """A sequence of maps from class to probability, as scikit-learn's converter declares them."""
    scalar = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    kind = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.INT64, scalar))
    return helper.make_value_info(name, kind)


def text():
    words = {"ngram_counts": [0], "ngram_indexes": [0, 1], "pool_strings": ["cat", "dog"]}
    lengths = {"min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0, "mode": "TF"}
    nodes = [
        node("lower", "StringNormalizer", "x", "a", case_change_action="LOWER"),
        node("count", "TfIdfVectorizer", "a", "b", **words, **lengths),
        node("dense", "MatMul", "b w", "y"),
    ]
    return file(
        nodes, [port("x", TensorProto.STRING, ["N"])], [port("y", shape=[2])],
        w=np.eye(2, dtype=np.float32),
    )  # fmt: skip


def encoded_text():
    codes = {"keys_strings": ["cat", "dog"], "values_floats": [0.0, 1.0]}
    nodes = [
        node("encode", "LabelEncoder", "x", "a", "ai.onnx.ml", **codes),
        node("dense", "MatMul", "a w", "y"),
    ]
    return file(
        nodes, [port("x", TensorProto.STRING, ["N", 2])], [port("y", shape=["N", 2])],
        ("", 17), MACHINE_LEARNING, w=np.eye(2, dtype=np.float32),
    )  # fmt: skip


def logistic_regression(*domains):
    classifier = {"coefficients": SCORES, "intercepts": [0.0] * 3, "classlabels_ints": [0, 1, 2]}
    nodes = [
        node("scale", "Scaler", "x", "a", "ai.onnx.ml", offset=[0.0] * 4, scale=[1.0] * 4),
        node("classify", "LinearClassifier", "a", "label p", "ai.onnx.ml", **classifier),
        node("normalise", "Normalizer", "p", "q", "ai.onnx.ml", norm="L1"),
        node("zip", "ZipMap", "q", "probabilities", "ai.onnx.ml", classlabels_int64s=[0, 1, 2]),
    ]
    outputs = [port("label", TensorProto.INT64, ["N"]), probabilities("probabilities")]
    return file(nodes, [port("x", shape=["N", 4])], outputs, *domains, MACHINE_LEARNING)


def recurrent():
    random = np.random.default_rng(0)
    sizes = {"w": (1, 16, 6), "r": (1, 16, 4), "w2": (1, 9, 4), "r2": (1, 9, 3)}
    nodes = [
        node("long", "LSTM", "x w r", "a", hidden_size=4),
        node("squeeze", "Squeeze", "a one", "b"),
        node("gated", "GRU", "b w2 r2", "c", hidden_size=3),
        node("mean", "Squeeze", "c one", "y"),
    ]
    weights = {name: random.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    return file(
        nodes, [port("x", shape=[5, "N", 6])], [port("y", shape=[5, "N", 3])],
        one=np.array([1]), **weights,
    )  # fmt: skip


def recurrent_with_states():
    """Its states are inputs besides the picture."""
    proto = recurrent()
    proto.graph.node[0].input.extend(["", "", "h"])
    proto.graph.input.append(port("h", shape=[1, "N", 4]))
    return proto


def whole_numbers():
    nodes = [
        node("quantise", "DynamicQuantizeLinear", "x", "q s z"),
        node("conv", "ConvInteger", "q w z", "c"),
        node("cast", "Cast", "c", "d", to=TensorProto.FLOAT),
        node("scale", "Mul", "d s", "y"),
    ]
    return file(nodes, [port("x")], [port("y")], w=np.ones((4, 3, 3, 3), np.int8))


def whole_numbers_alone():
    nodes = [node("conv", "ConvInteger", "x w", "y")]
    ports = [port("x", TensorProto.INT8)], [port("y", TensorProto.INT32)]
    return file(nodes, *ports, w=np.ones((4, 3, 3, 3), np.int8))


def rounded():
    nodes = [
        node("tanh", "Tanh", "x", "a"),
        node("round", "Cast", "a", "b", to=TensorProto.INT32),
        node("back", "Cast", "b", "y", to=TensorProto.FLOAT),
    ]
    return file(nodes, [port("x")], [port("y")])


def custom(*domains):
    nodes = [
        node("swirl", "Swirl", "x", "a", "org.example"),
        node("relu", "Relu", "a", "b"),
        node("twirl", "Twirl", "b", "y", "org.example"),
    ]
    return file(nodes, [port("x")], [port("y")], *domains)


def selected():
    nodes = [node("relu", "Relu", "x", "a"), node("best", "ArgMax", "a", "y", axis=1)]
    return file(nodes, [port("x")], [port("y", TensorProto.INT64)])


CASES = {
    "text": (text(), ["'lower' (StringNormalizer)", "'count' (TfIdfVectorizer)"]),
    "encoded text": (encoded_text(), ["'encode' (LabelEncoder)"]),
    "logistic regression": (
        logistic_regression(("", 17)),
        ["'scale' (Scaler)", "'classify' (LinearClassifier)", "'normalise' (Normalizer)",
         "'zip' (ZipMap)"]),
    "no standard operators at all": (
        logistic_regression(),
        ["'scale' (Scaler)", "'classify' (LinearClassifier)", "'normalise' (Normalizer)",
         "'zip' (ZipMap)"]),
    "recurrent": (recurrent(), ["'long' (LSTM)", "'gated' (GRU)"]),
    "recurrent with states": (recurrent_with_states(), ["'long' (LSTM)", "'gated' (GRU)"]),
    "whole numbers": (
        whole_numbers(), ["'quantise' (DynamicQuantizeLinear)", "'conv' (ConvInteger)"]),
    "whole numbers alone": (whole_numbers_alone(), ["'conv' (ConvInteger)"]),
    "rounded": (rounded(), ["'round' (Cast)"]),
    "custom": (custom(("", 17), ("org.example", 1)), ["'swirl' (Swirl)", "'twirl' (Twirl)"]),
    "custom, not declared": (custom(("", 17)), ["'swirl' (Swirl)", "'twirl' (Twirl)"]),
    "selection": (selected(), ["'best' (ArgMax)"]),
}  # fmt: skip


def refused_nodes(printed: str) -> list[str]:
    """The nodes that a message lists, a line each."""
    lines = [line.strip().removeprefix("✗ ") for line in printed.splitlines()]
    listed = [line for line in lines if line.startswith("node ")]
    assert all(line.endswith(".") for line in listed)
    return [line.removeprefix("node ").split(":")[0] for line in listed]


@pytest.mark.parametrize("case", CASES)
def test_every_refused_node_is_listed(case, folder, onnxlrp):
    proto, nodes = CASES[case]
    onnx.save(proto, folder / "net.onnx")
    before = sorted(folder.iterdir())
    check = onnxlrp("check", "net.onnx")
    assert (check.code, refused_nodes(check.out + check.err)) == (1, nodes)
    explain = onnxlrp("explain", "net.onnx", "cat.png")
    assert (explain.code, explain.out, refused_nodes(explain.err)) == (1, "", nodes)
    assert "cannot be explained:" in explain.err
    assert "Traceback" not in check.err + explain.err
    assert sorted(folder.iterdir()) == before


def test_class_names_inside_a_network_do_not_stand_in_its_way(folder, onnxlrp):
    nodes = [
        node("pool", "GlobalAveragePool", "x", "a"),
        node("flat", "Flatten", "a", "scores"),
        node("best", "ArgMax", "scores", "k", axis=1, keepdims=0),
        node("name", "Gather", "names k", "label"),
    ]
    outputs = [port("label", TensorProto.STRING, ["N"]), port("scores", shape=["N", 3])]
    names = np.array(["cat", "dog", "bird"], object)
    onnx.save(file(nodes, [port("x")], outputs, names=names), folder / "named.onnx")
    assert onnxlrp("explain", "named.onnx", "cat.png", "-q").code == 0


def test_a_mistyped_output_stays_the_users_mistake(folder, onnxlrp):
    onnx.save(whole_numbers(), folder / "net.onnx")
    outcome = onnxlrp("explain", "net.onnx", "cat.png", "--output-name", "yy")
    assert outcome.code == 2
    assert "output 'yy'" in outcome.err and "cannot be explained" not in outcome.err
