"""How long a person waits for the designer: for its page, and for the heatmap of a slider's move.

    python benchmarks/designer.py                    the packaged network (SqueezeNet 1.1, 227×227)
    python benchmarks/designer.py --network vgg      VGG-16, 224×224, seeded random weights
    python benchmarks/designer.py --write            and put the table into designer.md

Starts ``onnxlrp serve`` on a free port and drives the Chromium of the tests; the clock is the
browser's own, so that all is in it: message, debounce, sweep, message back, painting.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import networks
from benchmarks.page import FIND, browsing, open_page, served
from benchmarks.report import markdown, setting, write_section
from tests.ui.steps import show

PAGE = Path(__file__).with_name("designer.md")
NETWORKS = {
    "packaged": "SqueezeNet 1.1, 227×227",
    "vgg": "VGG-16, 224×224, random weights",
}
OPENINGS = 5

DRAWN = (
    "() => {"
    + FIND
    + """
  const map = all(document, "canvas").find((e) => e.ariaLabel?.startsWith("Relevance of each"));
  return map?.dataset.drawn ? performance.now() : false;
}"""
)
PAINTED = """() => Object.fromEntries(
  performance.getEntriesByType("paint").map((e) => [e.name, e.startTime])
)"""

MOVE = (
    "([label, position]) => new Promise((tell, fail) => {"
    + FIND
    + """
  const map = all(document, "canvas").find((e) => e.ariaLabel?.startsWith("Relevance of each"));
  const slider = all(document, "input[type=range]").find((e) => e.ariaLabel?.startsWith(label));
  const before = map.dataset.drawn, begun = performance.now();
  const seen = new MutationObserver(() => {
    if (map.dataset.drawn === before) return;
    seen.disconnect();
    requestAnimationFrame(() => tell(performance.now() - begun));
  });
  seen.observe(map, { attributes: true });
  slider.value = position;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  setTimeout(() => fail(new Error("no new heatmap within 30 s")), 30000);
})"""
)


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", choices=tuple(NETWORKS), default="packaged")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.network == "vgg":
            (Path(folder) / "vgg16.onnx").write_bytes(networks.vgg())
        with served(Path(folder)) as address, browsing() as browser:
            rows = measure(browser, address, arguments.network, arguments.rounds)
    table = markdown([("ms", "median", "least", "most", "times"), *rows])
    print(table)
    if arguments.write:
        chosen = f"--network {arguments.network} --rounds {arguments.rounds}"
        command = f"python benchmarks/designer.py {chosen} --write"
        text = f"`{command}`, {setting()}\n\n{table}"
        write_section(NETWORKS[arguments.network], text, PAGE)


def measure(browser: Browser, address: str, network: str, rounds: int) -> list[tuple[str, ...]]:
    """Rows of the table: opening the page, and two sliders."""
    rows = opening(browser, address) if network == "packaged" else []
    page = open_page(browser, address)
    if network == "vgg":
        use(page, "vgg16.onnx")
    for number, key, label in ((2, "γ1+", "γ of the lower half"), (3, "ε", "ε of the middle")):
        page.get_by_role("button", name=f"Segment {number}:").click()
        page.wait_for_timeout(1000)
        times = [move(page, key, 400 + 17 * i) for i in range(rounds)]
        rows.append(row(f"slider {label} → heatmap", times))
    return rows


def opening(browser: Browser, address: str) -> list[tuple[str, ...]]:
    """Rows for the page, each time for a new person with an empty cache."""
    first, content, heatmap = [], [], []
    for _ in range(OPENINGS):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address, wait_until="commit")
        heatmap.append(float(page.wait_for_function(DRAWN, polling=20).json_value()))
        paints = page.evaluate(PAINTED)
        first.append(paints["first-paint"])
        content.append(paints["first-contentful-paint"])
        page.close()
    after = [last - begun for begun, last in zip(first, heatmap, strict=True)]
    return [
        row("page asked for → first paint", first),
        row("page asked for → first paint of content", content),
        row("page asked for → heatmap", heatmap),
        row("first paint → heatmap", after),
    ]


def row(label: str, times: Sequence[float]) -> tuple[str, ...]:
    """One line of the table."""
    numbers = (statistics.median(times), min(times), max(times))
    return (label, *(f"{n:.0f}" for n in numbers), str(len(times)))


def use(page: Page, name: str) -> None:
    """Open a network of the server's folder, and wait until nothing is computed any more."""
    show(page, "Open")
    page.get_by_label("On the server").click()
    page.get_by_role("menuitem", name=name).click()
    page.get_by_role("button", name="Use this network").click()
    page.get_by_role("tab", name="Design", selected=True).wait_for(timeout=60_000)
    page.get_by_role("img", name="Relevance of each pixel").wait_for(timeout=60_000)
    for _ in range(2):  # the heatmap, then the books of every layer
        page.wait_for_timeout(1000)
        page.get_by_role("progressbar").wait_for(state="hidden", timeout=60_000)


def move(page: Page, key: str, position: int) -> float:
    """Move a slider; milliseconds until the new heatmap is painted."""
    waited = float(page.evaluate(MOVE, [key, position]))
    page.wait_for_timeout(600)
    return waited


if __name__ == "__main__":
    main()
