"""The whole story of a session, and what the page shows against what the command line writes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page, expect

from onnxlrp import assets
from onnxlrp.cli import main
from onnxlrp.composites import Composite
from tests.ui.conftest import PATIENCE, Benches, Serve, Visit, ready
from tests.ui.steps import show, wait_until
from ui import app as designer
from ui.state import Workbench

MODELS = Path(__file__).parents[1] / "data/models"


def settled(bench: Workbench, page: Page) -> None:
    wait_until(lambda: not bench.jobs.busy and not bench.pending, page, timeout=PATIENCE)


def segment(page: Page, number: int) -> Locator:
    return page.locator(".ruler .row").nth(number - 1)


def drag_bound(page: Page) -> None:
    """Drag the bound of segment 4 down to conv10."""
    slider = page.get_by_role("slider", name="Bound between segments 3 and 4", exact=True)
    layers = page.get_by_role("listbox", name="Layers, from the input")
    aim = layers.get_by_role("option", name="conv10, Conv").bounding_box()
    handle = slider.bounding_box()
    assert aim is not None
    assert handle is not None
    x = handle["x"] + handle["width"] / 2
    page.mouse.move(x, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(x, (handle["y"] + aim["y"]) / 2, steps=4)
    page.mouse.move(x, aim["y"] + 2, steps=4)
    page.mouse.up()


def rule_by_table(page: Page, layer: str, rule: str) -> None:
    page.get_by_role("button", name="Layers", exact=True).click()
    line = page.locator(".tabulator-row").filter(has_text=layer).first
    line.locator("[tabulator-field=Rule]").click()
    page.locator(".tabulator-edit-list-item", has_text=rule).click()
    page.get_by_role("button", name="Segments", exact=True).click()


def test_the_whole_story(serve: Serve, visit: Visit, benches: Benches, tmp_path: Path) -> None:
    url = serve(designer.create_app)
    page = visit(url, reduced_motion="reduce")
    ready(page)
    bench = benches[0]()
    assert bench is not None
    settled(bench, page)

    # A segment's rule changes by dragging and by table; equation and heatmap follow.
    heatmap = page.get_by_role("img", name="Relevance of each pixel for Egyptian cat")
    before = heatmap.evaluate("canvas => canvas.toDataURL()")
    equation = segment(page, 1).inner_text()
    drag_bound(page)
    expect(segment(page, 4)).to_contain_text("layers 61 to 63")
    rule_by_table(page, "conv1", "flat")
    expect(segment(page, 1)).to_contain_text("1 · flat · layers 0 to 2")
    assert segment(page, 1).inner_text() != equation
    settled(bench, page)
    wait_until(lambda: heatmap.evaluate("canvas => canvas.toDataURL()") != before, page)
    same_as_command_line(bench, tmp_path)

    # A second design beside it; the comparison reads both under one crosshair.
    page.get_by_role("button", name="Duplicate montavon").click()
    wait_until(lambda: bench.design.name == "montavon 2", page)
    page.get_by_role("button", name="Segment 4: LRP-0").click()
    page.get_by_role("button", name="LRP-ε", exact=True).click()
    expect(segment(page, 4)).to_contain_text("LRP-ε")
    settled(bench, page)
    show(page, "Compare")
    expect(page.locator(".cell[data-state=done]")).to_have_count(3)
    page.locator("[data-cell='chelsea | montavon 2'] canvas").hover(position={"x": 70, "y": 70})
    chips = page.locator(".chip")
    expect(chips).to_have_count(3)
    for chip in chips.all():
        expect(chip).not_to_be_empty()

    # Undo, and redo.
    show(page, "Design")
    edited = bench.design
    page.keyboard.press("Control+z")
    wait_until(lambda: bench.design != edited, page)
    page.keyboard.press("Control+Shift+z")
    wait_until(lambda: bench.design == edited, page)

    # Saved, it is the file that the command line reads.
    page.get_by_role("button", name="Save the design").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="YAML").click()
    download.value.save_as(tmp_path / "saved.yaml")
    assert Composite.load(tmp_path / "saved.yaml") == edited.composite
    page.keyboard.press("Escape")

    # The link restores the same state for somebody else.
    page.get_by_role("button", name="Share").click()
    link = page.get_by_role("textbox", name="Link to exactly this")
    expect(link).to_have_value(re.compile(f"^{re.escape(url)}/.*state="))
    other = visit(link.input_value(), reduced_motion="reduce")
    ready(other)
    restored = benches[1]()
    assert restored is not None
    settled(restored, other)
    assert [d.composite for d in restored.designs] == [d.composite for d in bench.designs]
    assert restored.design.composite == bench.design.composite
    assert restored.question == bench.question
    np.testing.assert_array_equal(restored.explained.full, bench.explained.full)

    # Another network and picture of one's own: looked at, then used.
    show(other, "Open")
    fields = other.locator("input[type=file]")
    fields.first.set_input_files(MODELS / "cifar10_vgglike_keras_tf2onnx.onnx")
    expect(other.get_by_text("not in use yet")).to_be_visible()
    expect(other.get_by_text("✓ Every layer can be explained.")).to_be_visible()
    other.get_by_role("button", name="Use this network").click()
    wait_until(lambda: len(restored.model.layers) != len(bench.model.layers), other)
    fields.last.set_input_files(assets.default_images()["coffee"])
    wait_until(lambda: restored.shown is not None and restored.shown.name.startswith("coffee"))
    settled(restored, other)
    show(other, "Design")
    expect(other.get_by_role("img", name="Relevance of each pixel")).to_be_visible()
    assert np.abs(restored.explained.relevance).sum() > 0


def same_as_command_line(bench: Workbench, folder: Path) -> None:
    """What the page shows is, bit by bit, what ``onnxlrp explain`` writes for the same design."""
    bench.design.composite.save(folder / "design.yaml")
    assert (
        main(["explain", "-q", "-c", str(folder / "design.yaml"), "-o", str(folder / "out")]) == 0
    )
    written = np.load(next((folder / "out").glob("chelsea*.npz")))
    np.testing.assert_array_equal(bench.explained.full, written["relevance"])
    np.testing.assert_array_equal(bench.explained.output, written["output"].reshape(-1))
