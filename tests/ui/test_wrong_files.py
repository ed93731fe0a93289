"""Wrong files: each gets one clear line on the page, and the session goes on."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from playwright.sync_api import Page, expect

from onnxlrp import assets
from tests.ui.conftest import Benches, Serve, Visit, ready
from tests.ui.steps import show
from tests.ui.watch import Watch
from ui import app as designer

UNDECODABLE = "uncaught error: The source image could not be decoded."


def with_lstm(path: Path) -> Path:
    """A small network with an LSTM in it."""
    weights = {"W": (1, 12, 4), "R": (1, 12, 3)}
    stored = [
        helper.make_tensor(name, TensorProto.FLOAT, shape, [0.1] * (shape[1] * shape[2]))
        for name, shape in weights.items()
    ]
    node = helper.make_node("LSTM", ["x", "W", "R"], ["y"], name="lstm_1", hidden_size=3)
    graph = helper.make_graph(
        [node],
        "recurrent",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (5, 1, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (5, 1, 1, 3))],
        stored,
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


@pytest.fixture
def page(serve: Serve, visit: Visit, benches: Benches) -> Page:
    page = visit(serve(designer.create_app))
    ready(page)
    return page


def says(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


def goes_on(page: Page, benches: Benches) -> None:
    """The packaged network is still there and answers."""
    bench = benches[0]()
    assert bench is not None
    assert bench.opened.packaged
    show(page, "Design")
    page.get_by_role("button", name="tabby").click()
    expect(page.get_by_role("img", name="Relevance of each pixel for tabby")).to_be_visible()


def test_wrong_networks_and_pictures(
    page: Page, benches: Benches, watch: Watch, tmp_path: Path
) -> None:
    show(page, "Open")
    fields = page.locator("input[type=file]")

    photograph = tmp_path / "photograph.onnx"
    Image.new("RGB", (64, 64), "red").save(photograph, "JPEG")
    fields.first.set_input_files(photograph)
    says(page, "not an ONNX model, or truncated")

    fields.first.set_input_files(with_lstm(tmp_path / "recurrent.onnx"))
    says(page, "recurrent layers are not explained here")
    expect(page.get_by_role("button", name="Use this network")).to_be_disabled()

    truncated = tmp_path / "truncated.png"
    truncated.write_bytes(assets.default_images()["coffee"].read_bytes()[:5000])
    fields.last.set_input_files(truncated)
    says(page, "is damaged or truncated")

    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(300 * 2**20)
    fields.last.set_input_files(huge)
    says(page, "too large")
    goes_on(page, benches)
    # The field itself looks whether it could preview a picture, and leaves that error uncaught.
    watch.faults[:] = [fault for fault in watch.faults if fault != UNDECODABLE]


def test_a_design_with_an_unknown_rule(page: Page, benches: Benches, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("schema: 1\nname: wrong\nentries:\n- {rule: gama, gamma: 0.1}\n")
    page.get_by_role("button", name="New design").click()
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(wrong)
    says(page, "Did you mean 'gamma'?")
    page.keyboard.press("Escape")
    goes_on(page, benches)
