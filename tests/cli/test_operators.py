"""The page of all operators, and what `check` says of choices and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser

from onnxlrp.cli.operators import operators_page
from tests.graph.networks import network

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"


def test_page_is_current():
    message = "write what 'onnxlrp operators --all' prints to docs/operators.md"
    assert PAGE.read_text(encoding="utf-8").rstrip() == operators_page().rstrip(), message


def test_every_operator_of_onnx_has_a_line(onnxlrp):
    lines = onnxlrp("operators", "--all").out.splitlines()
    names = {line.split("|")[1].strip() for line in lines if line.startswith("| ")}
    standard = {s.name for s in onnx.defs.get_all_schemas() if not s.domain and not s.deprecated}
    assert standard <= names
    assert not [line for line in lines if "no LRP treatment" in line]


def test_check_says_which_options_decide(folder, onnxlrp):
    text = """(float[1, 2, 8, 8] x) => (float[1, 2, 4, 4] y) {
        a = Conv(x, w)  b = Conv(x, v)  c = Mul(a, b)
        y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (c) }"""
    w, v = np.random.default_rng(0).standard_normal((2, 2, 2, 1, 1)).astype(np.float32)
    onnx.save(network(text, w=w, v=v), folder / "model.onnx")
    outcome = onnxlrp("check", "model.onnx")
    assert outcome.code == 0
    assert "choice (1, winner takes all; max_pool: average" in outcome.out
    assert "choice (1, half to each of two signals; product: first or second" in outcome.out


REFUSED = {
    "LSTM": "h = Reshape(x, s)  y, a, b = LSTM <hidden_size = 2> (h, w, r)",
    "GRU": "h = Reshape(x, s)  y, a = GRU <hidden_size = 2> (h, w3, r3)",
    "ConvInteger": "q, t, z = DynamicQuantizeLinear(x) i = ConvInteger(q, k) y = Cast <to = 1> (i)",
    "ai.onnx.ml.Scaler": "y = ai.onnx.ml.Scaler <offset = [1.0], scale = [2.0]> (x)",
    "acme.Blur": "y = acme.Blur(x)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_names_the_node_and_says_why(name, folder, onnxlrp):
    proto = parser.parse_model(f"""
        <ir_version: 8, opset_import: ["" : 17, "ai.onnx.ml" : 3, "acme" : 1]>
        net (float[1, 2, 4, 4] x) => (float y) {{ {REFUSED[name]} }}""")
    sizes = {"w": (1, 8, 4), "r": (1, 8, 2), "w3": (1, 6, 4), "r3": (1, 6, 2)}
    arrays = {key: np.ones(size, np.float32) for key, size in sizes.items()}
    arrays |= {"s": np.array([4, 2, 4]), "k": np.ones((2, 2, 1, 1), np.uint8)}
    for key, values in arrays.items():
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values, key))
    onnx.save(proto, folder / "refused.onnx")
    outcome = onnxlrp("check", "refused.onnx")
    assert outcome.code == 1
    assert f"{name.rpartition('.')[2]}): " in outcome.out
    assert "Traceback" not in outcome.out + outcome.err


def test_network_of_another_domain_alone_is_refused_by_its_nodes(folder, onnxlrp):
    """It imports no version of the standard operators at all."""
    proto = parser.parse_model("""<ir_version: 8, opset_import: ["ai.onnx.ml" : 3]>
        net (float[1, 2, 4, 4] x) => (float[1, 2, 4, 4] y)
        { a = ai.onnx.ml.Scaler <offset = [1.0], scale = [2.0]> (x)
          y = ai.onnx.ml.Scaler <offset = [1.0], scale = [2.0]> (a) }""")
    onnx.save(proto, folder / "scaler.onnx")
    outcome = onnxlrp("check", "scaler.onnx")
    assert outcome.code == 1
    assert outcome.out.count("classical machine-learning operators") == 2
