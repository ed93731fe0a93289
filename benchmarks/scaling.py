"""How the cost of an explanation grows: depth, resolution, batch, designs, a slider.

    python benchmarks/scaling.py [TABLE ...] [--rounds 5] [--write]

TABLE: depth, resolution, batch, designs, slider; all of them if none is named. In every table, what
is compared takes turns in each round; ratios are medians over the rounds. --write puts the tables
into results.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import onnxruntime as ort
from networks import resnet, vgg
from report import markdown, setting, write_section
from turn import seconds as timed

import onnxlrp

DESIGNS = (
    "epsilon_plus", "epsilon", "gamma", "epsilon_plus_flat", "epsilon_gamma_box",
    "epsilon_alpha2_beta1", "epsilon_alpha2_beta1_flat", "lrp_0", "excitation_backprop",
    "innvestigate_a",
)  # fmt: skip
Rows = list[tuple[str, ...]]
Works = Mapping[str, Callable[[], object]]


def picture(size: int, batch: int = 1) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((batch, 3, size, size), np.float32)


def design(name: str) -> onnxlrp.Composite:
    """Give a preset; the input's bounds where it asks for them."""
    bounds = {"low": -3.0, "high": 3.0} if name.endswith("box") else {}
    return onnxlrp.Composite.preset(name, **bounds)


def rounds_of(works: Works, rounds: int) -> dict[str, list[float]]:
    """Seconds of every work in every round, after one round that warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for done in range(rounds + 1):
        for name, work in works.items():
            elapsed = timed(work)
            if done:
                seconds[name].append(elapsed)
    return seconds


def ratio(seconds: Mapping[str, list[float]], of: str, to: str, times: float = 1) -> str:
    """Median over the rounds of one work's seconds over ``times`` those of another."""
    pairs = zip(seconds[of], seconds[to], strict=True)
    return f"{statistics.median(a / (times * b) for a, b in pairs):.2f}"


def milliseconds(seconds: list[float], pictures: int = 1) -> str:
    return f"{1000 * statistics.median(seconds) / pictures:.1f}"


def against_forward(network: bytes, x: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """Time a plain forward pass and epsilon_plus in turn."""
    session = ort.InferenceSession(network, providers=["CPUExecutionProvider"])
    model = onnxlrp.load(network)
    works: Works = {
        "forward": lambda: session.run(None, {"x": x}),
        "explain": lambda: onnxlrp.explain(model, x, "epsilon_plus", device="cpu"),
    }
    return rounds_of(works, rounds)


def depth(rounds: int) -> Rows:
    """Depth: VGG-11 to 19 and ResNet-18 to 152, epsilon_plus at 224²."""
    rows: Rows = [("network", "forward ms", "explain ms", "× forward")]
    makers = [(f"VGG-{d}", partial(vgg, d)) for d in (11, 13, 16, 19)]
    makers += [(f"ResNet-{d}", partial(resnet, d)) for d in (18, 34, 50, 101, 152)]
    for name, make in makers:
        seconds = against_forward(make(), picture(224), rounds)
        rows.append((name, *_pair(seconds)))
        _progress(rows[-1])
    return rows


def resolution(rounds: int) -> Rows:
    """Resolution: ResNet-50, epsilon_plus, 64² to 1024²."""
    rows: Rows = [("pixels", "forward ms", "explain ms", "× forward", "explain ns a pixel")]
    for size in (64, 128, 224, 256, 512, 1024):
        seconds = against_forward(resnet(50, size), picture(size), rounds)
        pixel = 1e9 * statistics.median(seconds["explain"]) / size**2
        rows.append((f"{size}²", *_pair(seconds), f"{pixel:.0f}"))
        _progress(rows[-1])
    return rows


def batch(rounds: int) -> Rows:
    """Batch: ResNet-50, epsilon_plus at 224², per picture."""
    rows: Rows = [("batch", "forward ms a picture", "explain ms a picture", "× forward",
                   "time of a picture ÷ that at batch 1")]  # fmt: skip
    network = resnet(50)
    model, alone = onnxlrp.load(network), picture(224)
    session = ort.InferenceSession(network, providers=["CPUExecutionProvider"])
    for count in (1, 8, 32):
        x = picture(224, count)
        works: Works = {
            "alone": lambda: onnxlrp.explain(model, alone, "epsilon_plus", device="cpu"),
            "forward": lambda x=x: session.run(None, {"x": x}),
            "explain": lambda x=x: onnxlrp.explain(model, x, "epsilon_plus", device="cpu"),
        }
        seconds = rounds_of(works, rounds)
        relative = ratio(seconds, "explain", "alone", count)
        rows.append((str(count), *_pair(seconds, count), relative))
        _progress(rows[-1])
    return rows


def designs(rounds: int) -> Rows:
    """Designs: one Explainer for many of them, VGG-16 at 224², against separate calls."""
    rows: Rows = [("designs", "separate ms", "one Explainer ms", "ratio")]
    model, x = onnxlrp.load(vgg(16)), picture(224)
    composites = [design(name) for name in DESIGNS]

    def together(count: int) -> None:
        explainer = onnxlrp.Explainer(model, x, "cpu")
        for composite in composites[:count]:
            explainer.explain(composite)

    def apart(count: int) -> None:
        for composite in composites[:count]:
            onnxlrp.explain(model, x, composite, device="cpu")

    for count in (1, 2, 3, 5, 10):
        works: Works = {"apart": partial(apart, count), "together": partial(together, count)}
        seconds = rounds_of(works, rounds)
        times = milliseconds(seconds["apart"]), milliseconds(seconds["together"])
        rows.append((str(count), *times, ratio(seconds, "together", "apart")))
        _progress(rows[-1])
    return rows


def gammas(lowest_third: float) -> onnxlrp.Composite:
    """Give every convolution γ = 0.25, and the lowest third of the layers another."""
    entries = [
        {"select": {"op": "Conv"}, "rule": "gamma", "gamma": 0.25},
        {"select": {"depth": [0, 1 / 3]}, "rule": "gamma", "gamma": lowest_third},
    ]
    return onnxlrp.Composite.from_dict({"schema": 1, "name": "gammas", "entries": entries})


FIRST_MOVES = 8
"""Of a slider that is dragged: with these, what an Explainer keeps for it grows."""


def slider(rounds: int) -> Rows:
    """A slider: VGG-16 at 224², explained before, another γ in the lowest third or another target.

    Every round takes a γ, and a class, that it did not see before. A drag begins in memory that is
    new to the process, which the system takes its time to hand out; its first moves are a row of
    their own.
    """
    network, x = vgg(16), picture(224)
    session = ort.InferenceSession(network, providers=["CPUExecutionProvider"])
    explainer = onnxlrp.Explainer(onnxlrp.load(network), x, "cpu")
    given = iter(range(1, 10_000))

    def gamma() -> onnxlrp.Composite:
        return gammas(0.25 + next(given) / 1000)

    base, another = "a plain forward pass", "another γ in the lowest third"
    drag: Works = {
        base: lambda: session.run(None, {"x": x}),
        another: lambda: explainer.explain(gamma(), target=0),
    }
    target: Works = {
        "another target": lambda: explainer.explain("epsilon_plus", target=next(given) % 1000),
    }
    explainer.explain(gamma(), target=0)
    first = rounds_of(drag, FIRST_MOVES)
    seconds = rounds_of({**drag, **target}, rounds)
    rows: Rows = [("", "ms", "× forward")]
    rows += [(name, milliseconds(s), ratio(seconds, name, base)) for name, s in seconds.items()]
    moves = f"{another}, the first {FIRST_MOVES}"
    return [*rows, (moves, milliseconds(first[another]), ratio(first, another, base))]


def _pair(seconds: Mapping[str, list[float]], pictures: int = 1) -> tuple[str, str, str]:
    """Forward, explanation, and their ratio."""
    forward = milliseconds(seconds["forward"], pictures)
    explain = milliseconds(seconds["explain"], pictures)
    return forward, explain, ratio(seconds, "explain", "forward")


def _progress(row: tuple[str, ...]) -> None:
    print("  ".join(row), file=sys.stderr, flush=True)


TABLES: dict[str, Callable[[int], Rows]] = {
    "depth": depth,
    "resolution": resolution,
    "batch": batch,
    "designs": designs,
    "slider": slider,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", default=list(TABLES), metavar="TABLE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="into results.md")
    arguments = parser.parse_args()
    unknown = set(arguments.tables) - TABLES.keys()
    if unknown:
        parser.error(f"no table {', '.join(unknown)}; there are {', '.join(TABLES)}")
    for name in arguments.tables:
        title, note = (TABLES[name].__doc__ or "").splitlines()[0].rstrip("."), setting()
        table = markdown(TABLES[name](arguments.rounds))
        text = f"{note} {arguments.rounds} rounds.\n\n{table}"
        print(f"\n{title}\n\n{text}")
        if arguments.write:
            write_section(f"How cost grows: {title[0].lower()}{title[1:]}", text)


if __name__ == "__main__":
    main()
