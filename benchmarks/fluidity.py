"""Whether the designer stays fluid: two people at once, 1000 neurons, 200 pictures.

    python benchmarks/fluidity.py                    all three
    python benchmarks/fluidity.py neurons --write    one of them, into designer.md

Each figure is a hand's movement → what it changes is painted, by the browser's own clock: from the
time stamp of the mouse's event to the end of the first frame that shows it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.designer import PAGE, move, row
from benchmarks.page import FIND, browsing, open_page, served
from benchmarks.report import markdown, setting, write_section
from onnxlrp import assets
from onnxlrp.cli import main as onnxlrp
from tests.ui.steps import show, start_flipping

PICTURES = 200
DESIGNS = ("montavon", "epsilon_plus")
ROUNDS = 7

STOPWATCH = (
    "([event, seen]) => {"
    + FIND
    + """
  const find = (what) => all(document, what);
  const test = new Function("find", `return ${seen || 0}`);
  const before = test(find);
  window.lap = new Promise((tell, fail) => addEventListener(event, (happened) => {
    const look = () => requestAnimationFrame(() => {
      if (seen && test(find) === before) return look();
      const painted = new MessageChannel();
      painted.port1.onmessage = () => tell(performance.now() - happened.timeStamp);
      painted.port2.postMessage(0);
    });
    look();
    setTimeout(() => fail(new Error(`after 10 s not seen: ${seen}`)), 10000);
  }, { capture: true, once: true }));
}"""
)
"""Times from the next event of a kind until an expression has another value than before; with none,
until the next frame is painted: what the page does by itself is in it."""


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "stories", nargs="*", default=[*STORIES], metavar="STORY", help=", ".join(STORIES)
    )
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made, browsing() as browser:
        folder = Path(made)
        with served(folder / "served") as address:
            for name in arguments.stories:
                title, story = STORIES[name]
                rows = story(browser, address, folder)
                table = markdown([("ms", "median", "least", "most", "times"), *rows])
                print(table, flush=True)
                if arguments.write:
                    command = f"python benchmarks/fluidity.py {name} --write"
                    write_section(title, f"`{command}`, {setting()}\n\n{table}", PAGE)


def two_people(browser: Browser, address: str, folder: Path) -> Rows:
    """One flips pixels in 100 steps; another one drags γ, before, meanwhile and after."""
    busy, other = open_page(browser, address), open_page(browser, address)
    other.get_by_role("button", name="Segment 2:").click()
    other.wait_for_timeout(2000)
    moves = iter(range(300, 900, 7))
    alone = [move(other, "γ1+", next(moves)) for _ in range(ROUNDS)]
    stop = start_flipping(busy, 100)
    stop.wait_for()
    times = []
    while len(times) < ROUNDS and stop.is_visible():
        times.append(move(other, "γ1+", next(moves)))
    if stop.is_visible():
        stop.click()
    busy.close()
    other.close()
    return [
        row("slider γ → heatmap, alone", alone),
        row("the same, while another session flips 100 steps", times),
    ]


def many_neurons(browser: Browser, address: str, folder: Path) -> Rows:
    """The 1000 neurons of SqueezeNet's last convolution: brush, click, rank, and as a table."""
    page = open_page(browser, address)
    show(page, "Neurons")
    page.get_by_text("512 neurons, 0 selected").wait_for()
    page.locator(".MuiChip-deletable", has_text="fire9_concat").locator("svg").click()
    page.get_by_role("combobox", name="Layers").click()
    page.locator("li", has_text="conv10").click()
    page.wait_for_timeout(1000)
    page.keyboard.press("Escape")
    page.get_by_text("1000 neurons, 0 selected").wait_for()
    page.wait_for_timeout(3000)  # until the chart above has its place
    rows = brush(page)
    page.get_by_label("Show", exact=True).click()
    page.locator(".tabulator-row").first.wait_for()
    page.wait_for_timeout(1000)
    rows += brush(page, ", with the table of them open")
    page.close()
    return rows


def brush(page: Page, state: str = "") -> Rows:
    """Brush a strip, click a square, take the first of a ranking."""
    strip = page.get_by_label("activation of conv10")
    shown = "find('[aria-label=Maps]').map((maps) => maps.parentNode.textContent).join()"
    moved, let_go, clicked, taken = [], [], [], []
    for i in range(ROUNDS):
        strip.scroll_into_view_if_needed()
        box = strip.bounding_box()
        assert box is not None
        y, left = box["y"] + 20, box["x"] + 8 + 3 * i
        page.mouse.move(left, y)
        page.mouse.down()
        page.mouse.move(left + 10, y)
        for k in range(2):
            with timed(page, "pointermove", "", moved):
                page.mouse.move(left + 40 + 60 * k, y)
        with timed(page, "pointerup", shown, let_go):
            page.mouse.up()
        square = {"x": 6 + 14 * i, "y": 6.0}
        matrix = page.get_by_label("Neuron matrix")
        with timed(page, "pointerup", shown, clicked):
            matrix.click(position=square)
        with timed(page, "pointerup", shown, taken):
            page.get_by_role("button", name="Select the first ones").click()
    return [
        row(f"brush over a strip → painted{state}", moved),
        row(f"brush let go → maps of those selected{state}", let_go),
        row(f"click on a square → its maps{state}", clicked),
        row(f"the first five → their maps{state}", taken),
    ]


def many_pictures(browser: Browser, address: str, folder: Path) -> Rows:
    """A data set of 200 pictures: sort, point at one, open one."""
    pictures, results = folder / "photographs", folder / "scores"
    crop(pictures)
    words = [word for name in DESIGNS for word in ("-c", name)] + ["-m", "gini", "-m", "entropy"]
    onnxlrp(["evaluate", str(pictures), *words, "-o", str(results)])
    page = open_page(browser, address)
    show(page, "Data set")
    page.get_by_label("Pictures: a folder, .csv or .npz").fill(str(pictures))
    page.get_by_label("Results folder").fill(str(results))
    page.get_by_label("Results folder").press("Enter")
    page.get_by_role("button", name="Open these results").click()
    page.locator(".tabulator-row", has_text="crop_").first.wait_for()
    page.wait_for_timeout(2000)
    first = "find('.tabulator-row')[0].textContent"
    marked = "find('.tabulator-selected').map((row) => row.textContent).join()"
    sorts: list[float] = []
    points: list[float] = []
    marks: list[float] = []
    opens: list[float] = []
    chart = page.locator(".bk-events:visible").first.bounding_box()
    assert chart is not None
    for i in range(ROUNDS):
        with timed(page, "pointerup", first, sorts):
            page.locator(
                ".tabulator-col-content:visible", has_text=f"{DESIGNS[i % 2]}"
            ).first.click()
        with timed(page, "pointermove", "", points):
            page.mouse.move(chart["x"] + 150 + 20 * i, chart["y"] + 50 + 2 * i)
        line = page.locator(".tabulator-row:visible").nth(1 + i % 7)
        with timed(page, "pointerup", marked, marks):
            line.click(position={"x": 20, "y": 8})
        page.wait_for_timeout(1500)
    for i in range(ROUNDS):
        line = page.locator(".tabulator-row:visible").nth(8 + i)  # none of those opened above
        line.scroll_into_view_if_needed()
        with timed(page, "pointerup", "find('.pick').length", opens):
            line.click(position={"x": 20, "y": 8})
        page.wait_for_timeout(1500)
    page.close()
    return [
        row("click on a heading → sorted", sorts),
        row("pointer over the distribution → painted", points),
        row("click on a row → marked", marks),
        row("click on a row → the picture is open", opens),
    ]


def crop(folder: Path) -> None:
    """Cut 200 pictures out of the packaged ones."""
    folder.mkdir()
    whole = [Image.open(path).convert("RGB") for path in assets.default_images().values()]
    for i in range(PICTURES):
        picture = whole[i % len(whole)]
        side = min(picture.size) - 40
        left, top = (i * 37) % (picture.width - side), (i * 23) % (picture.height - side)
        picture.crop((left, top, left + side, top + side)).resize((227, 227)).save(
            folder / f"crop_{i:03}.png"
        )


@contextmanager
def timed(page: Page, event: str, seen: str, times: list[float]) -> Iterator[None]:
    """Add the milliseconds from the event that follows until what is seen has changed."""
    page.evaluate(STOPWATCH, [event, seen])
    yield
    times.append(float(page.evaluate("lap")))


Rows = list[tuple[str, ...]]
Story = Callable[[Browser, str, Path], Rows]
STORIES: dict[str, tuple[str, Story]] = {
    "people": ("Two people at once", two_people),
    "neurons": ("1000 neurons", many_neurons),
    "dataset": ("200 pictures", many_pictures),
}

if __name__ == "__main__":
    main()
