"""How long a person waits for the designer: from a slider's move to the heatmap on the screen.

    python benchmarks/designer.py                    the packaged network (SqueezeNet 1.1, 227×227)
    python benchmarks/designer.py --network vgg      VGG-16, 224×224, seeded random weights

Starts ``onnxlrp serve`` on a free port and drives the Chromium of the tests; the clock is the
browser's own, so that all is in it: message, debounce, sweep, message back, painting.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import networks
from benchmarks.page import FIND, browsing, open_page, served

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
    parser.add_argument("--network", choices=("packaged", "vgg"), default="packaged")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.network == "vgg":
            (Path(folder) / "vgg16.onnx").write_bytes(networks.vgg())
        with served(Path(folder)) as address:
            measure(address, arguments.network, arguments.rounds)


def measure(address: str, network: str, rounds: int) -> None:
    """Open the page, use the network, move sliders."""
    with browsing() as browser:
        begun = time.perf_counter()
        page = open_page(browser, address)
        print(f"page asked for → heatmap on the screen: {time.perf_counter() - begun:.2f} s")
        if network == "vgg":
            use(page, "vgg16.onnx")
        for segment, label in ((1, "γ on the lower half"), (2, "ε on the middle")):
            page.get_by_role("button", name=f"Segment {segment + 1}:").click()
            page.wait_for_timeout(1000)
            key = "γ1+" if segment == 1 else "ε"
            times = [move(page, key, 400 + 17 * i) for i in range(rounds)]
            print(
                f"{label}: median {statistics.median(times):.0f} ms, "
                f"from {min(times):.0f} to {max(times):.0f} ms, {rounds} moves"
            )


def use(page: Page, name: str) -> None:
    """Open a network of the server's folder."""
    page.get_by_role("tab", name="Open").click()
    page.get_by_label("On the server").click()
    page.get_by_role("menuitem", name=name).click()
    page.get_by_role("button", name="Use this network").click()
    page.get_by_role("button", name="class ").first.wait_for(timeout=60_000)
    page.wait_for_timeout(5000)


def move(page: Page, key: str, position: int) -> float:
    """Move a slider; milliseconds until the new heatmap is painted."""
    waited = float(page.evaluate(MOVE, [key, position]))
    page.wait_for_timeout(600)
    return waited


if __name__ == "__main__":
    main()
