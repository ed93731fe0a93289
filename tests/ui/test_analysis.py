"""The second half on the page: flip, mask, ablate, report; the command line agrees."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from onnxlrp import assets
from onnxlrp.cli import main
from tests.ui.access import serious_violations
from tests.ui.conftest import PATIENCE, Serve, Visit
from tests.ui.snapshots import snapshot
from tests.ui.steps import show, start_flipping, wait_until
from ui.app import create_app

CAT = str(assets.default_images()["chelsea"])
DESIGNS = ("montavon", "epsilon_plus")

expect.set_options(timeout=PATIENCE)  # flipping is real work, on a machine that may be busy


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def flip(page: Page) -> None:
    show(page, "Pixel flipping")
    page.get_by_role("button", name="Flip", exact=True).click()
    expect(page.locator(".tabulator-row", has_text="epsilon_plus").first).to_contain_text(
        re.compile(r"epsilon_plus(\s*-?\d+\.\d{4}){5}")
    )
    expect(page.get_by_text(re.compile("step 0 of 20: 0 %"))).to_be_visible()


def barriers(page: Page) -> list[str]:
    """Serious violations, but for the roles that Tabulator gives its parts."""
    return [line for line in serious_violations(page) if "tabulator" not in line]


def cursor(page: Page) -> float:
    return page.evaluate("Bokeh.documents[0].get_model_by_name('cursor').location")


def test_from_flipping_to_the_report(serve: Serve, visit: Visit, tmp_path: Path) -> None:
    page = visit(serve(create_app), accept_downloads=True)

    # Curves appear; the areas are the command line's.
    flip(page)
    words = [word for name in DESIGNS for word in ("-c", name)]
    assert main(["flip", CAT, *words, "-o", str(tmp_path / "flip")]) == 0
    areas = {}
    for row in rows(tmp_path / "flip" / "scores.csv"):
        areas.setdefault(row["design"], {})[row["metric"]] = float(row["value"])
    for design in DESIGNS:
        shown = page.locator(".tabulator-row", has_text=design).first
        for metric in ("auc_morf", "auc_lerf", "aopc_morf", "aopc_lerf", "abpc"):
            expect(shown).to_contain_text(f"{areas[design][metric]:.4f}")

    # The film plays, and the cursor follows.
    assert cursor(page) == 0
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text(re.compile("step 1 of 20: 5 %"))).to_be_visible()
    wait_until(lambda: cursor(page) == pytest.approx(0.05, abs=0.01), page)
    snapshot(page, "flipping")
    assert barriers(page) == []

    # A band of relevance is masked.
    page.get_by_role("button", name="Band", exact=True).click()
    expect(page.get_by_text(re.compile(r"5\.0 % of the pixels masked"))).to_be_visible()
    snapshot(page, "band")

    # The five most relevant neurons of a layer; without them the score falls.
    show(page, "Neurons")
    expect(page.get_by_text("512 neurons, 0 selected")).to_be_visible()
    page.get_by_role("button", name="Select the first ones").click()
    expect(page.get_by_text("512 neurons, 5 selected")).to_be_visible()
    expect(page.get_by_text(re.compile("Most relevance is lost at"))).to_be_visible()
    snapshot(page, "neurons")
    assert barriers(page) == []
    page.get_by_role("button", name="Ablate them").click()
    options = ["-c", "montavon", "--layer", "fire9_concat", "--top", "5"]
    assert main(["ablate", CAT, *options, "-o", str(tmp_path / "ablate")]) == 0
    target = next(
        row for row in rows(tmp_path / "ablate" / "ablation.csv") if row["label"] == "Egyptian cat"
    )
    before, after = float(target["before"]), float(target["after"])
    assert after < before
    expect(page.get_by_text(f"Egyptian cat: {before:.4g} → {after:.4g}")).to_be_visible()
    page.get_by_role("button", name="Explain again").click()
    expect(page.get_by_text(re.compile("after: Σ R at the picture"))).to_be_visible()
    page.get_by_role("button", name="Curve", exact=True).click()
    expect(page.get_by_text(re.compile("in random order"))).to_be_visible()
    snapshot(page, "ablation")
    assert barriers(page) == []

    # The report downloads in one click, and opens where there is no network.
    with page.expect_download() as download:
        page.get_by_role("button", name="Report: everything found in this session").click()
    assert download.value.suggested_filename == "report.html"
    show(page, "Report")
    html, archive = (
        page.get_by_role("button", name="One page (HTML)", exact=True),
        page.get_by_text("Everything (ZIP)"),
    )
    expect(page.locator("iframe")).to_be_visible()
    snapshot(page, "report")
    for button, name in ((html, "report.html"), (archive, "report.zip")):
        with page.expect_download() as download:
            button.click()
        download.value.save_as(tmp_path / name)
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.get_by_role("heading", name="Explanations of squeezenet1_1")).to_be_visible()
    expect(page.get_by_text("fire9_concat").first).to_be_attached()
    with zipfile.ZipFile(tmp_path / "report.zip") as packed:
        written = [*csv.DictReader(io.StringIO(packed.read("scores.csv").decode()))]
    for row in written:
        value = areas[row["design"]][row["metric"]]
        assert float(row["value"]) == pytest.approx(value, rel=1e-12)


def test_what_is_painted_on_the_heatmap_is_masked(serve: Serve, visit: Visit) -> None:
    page = visit(serve(create_app))
    show(page, "Pixel flipping")
    page.get_by_role("button", name="Brush", exact=True).click()
    heatmap = page.get_by_label(re.compile("Brush on the heatmap"))
    heatmap.hover(position={"x": 60, "y": 60})
    page.mouse.down()
    box = heatmap.bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 100, steps=8)
    page.mouse.up()
    masked = page.get_by_text(re.compile(r"\d+\.\d % of the pixels masked"))
    expect(masked).to_be_visible()
    snapshot(page, "brush")
    assert barriers(page) == []
    before = masked.inner_text()
    page.get_by_label(re.compile("Brush on the picture")).press("Space")
    expect(masked).not_to_have_text(before)
    page.get_by_label(re.compile("Brush on the picture")).press("Backspace")
    expect(masked).to_have_text(before)
    page.get_by_label(re.compile("Brush on the picture")).press("Backspace")
    expect(page.get_by_text("Nothing is masked yet.")).to_be_visible()


def test_neurons_are_chosen_by_mouse_and_by_keyboard(serve: Serve, visit: Visit) -> None:
    page = visit(serve(create_app))
    show(page, "Neurons")
    expect(page.get_by_text("512 neurons, 0 selected")).to_be_visible()
    strip = page.get_by_label(re.compile(r"^R⁺ of fire9_concat"))
    strip.press("ArrowRight")
    strip.press("ArrowRight")
    expect(page.get_by_text("512 neurons, 2 selected")).to_be_visible()
    expect(page.get_by_text(re.compile(r"fire9_concat: \d+, \d+$"))).to_be_visible()
    page.get_by_label(re.compile("Neuron matrix")).click(position={"x": 5, "y": 5})
    expect(page.get_by_text("512 neurons, 3 selected")).to_be_visible()
    box = strip.bounding_box()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 20, steps=5)
    page.mouse.up()
    expect(page.get_by_text(re.compile("512 neurons, [1-9] selected"))).to_be_visible()
    strip.press("Escape")
    expect(page.get_by_text("512 neurons, 0 selected")).to_be_visible()


def test_a_long_run_in_one_session_leaves_another_free(serve: Serve, visit: Visit) -> None:
    url = serve(create_app)
    busy, other = visit(url), visit(url)
    stop = start_flipping(busy, 100)
    expect(stop).to_be_visible()
    show(other, "Pixel flipping")
    other.get_by_role("button", name="Brush", exact=True).click()
    slider = other.get_by_role("slider", name=re.compile("Brush"))
    slider.focus()
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "11")
    other.get_by_label(re.compile("Brush on the picture")).press("Space")
    expect(other.get_by_text(re.compile(r"\d+\.\d % of the pixels masked"))).to_be_visible()
    expect(stop).to_be_visible()
    stop.click()
    expect(stop).to_be_hidden()


def test_a_data_set_is_judged_and_one_of_its_pictures_opened(
    serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, path in assets.default_images().items():
        (folder / f"{name}.png").write_bytes(path.read_bytes())
    page = visit(serve(create_app))
    show(page, "Data set")
    page.get_by_label("Pictures: a folder, .csv or .npz").fill(str(folder))
    page.get_by_label("Results folder").fill(str(tmp_path / "out"))
    page.get_by_label("Results folder").press("Enter")
    page.get_by_role("button", name="Start or resume").click()
    expect(page.get_by_text("2 pictures judged, 0 of them failed.")).to_be_visible()
    expect(page.get_by_text(re.compile("comes first"))).to_be_visible()
    assert barriers(page) == []
    score = next(
        row
        for row in rows(tmp_path / "out" / "scores.csv")
        if (row["image"], row["design"], row["metric"]) == ("coffee.png", "montavon", "aopc_morf")
    )
    shown = page.locator(".tabulator-row", has_text="coffee.png")
    expect(shown).to_contain_text(f"{float(score['value']):.4f}")
    shown.locator(".tabulator-cell", has_text="coffee.png").click()
    show(page, "Design")
    expect(page.get_by_alt_text("The picture coffee")).to_be_visible()
