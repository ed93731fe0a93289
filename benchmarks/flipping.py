"""What pixel flipping costs, as a multiple of the onnxruntime forward passes that it needs.

    python benchmarks/flipping.py [NETWORK ...] [--steps 100] [--rounds 3] [--batch N]

Relevance is given as an array, so that the passes of the curve alone are timed: one for the picture
and one a step. They are compared with a plain session that runs as many pictures, one by one and in
the batches that flipping uses; all take turns in one run, ratios are medians of the rounds. On a
busy machine the processor time says more than the clock. The last lines are what happens between
the passes: flipping the pixels and filling the batches.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from networks import NETWORKS

import onnxlrp
from onnxlrp.evaluate import flip_pixels
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.perturbation import FlipSequence
from onnxlrp.evaluate.predictor import affordable_batch

FILLS = ("mean", "uniform", "blur", "inpaint")


class Spent(NamedTuple):
    """Seconds on the clock, and of all processor cores together."""

    wall: float
    cpu: float


def spent(work: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def plain(session: ort.InferenceSession, pictures: np.ndarray, batch: int) -> None:
    for start in range(0, len(pictures), batch):
        session.run(None, {"x": pictures[start : start + batch]})


def between(x: np.ndarray, model: onnxlrp.Model, steps: int, fill: str) -> None:
    """Flip and copy all pictures of a curve, and run none."""
    canvas = Canvas.of(model, x)
    pixels = int(np.prod(canvas.spatial))
    order = np.random.default_rng(0).permutation(pixels)
    ends = np.rint(np.linspace(0, pixels, steps + 1)).astype(np.int64)
    slot = np.empty_like(x[0])
    for picture in FlipSequence(x[0], canvas, order, ends, fill, (0,)).pictures():
        slot[...] = picture


def measure(name: str, steps: int, rounds: int, batch: int | None) -> None:
    data = NETWORKS[name]()
    model = onnxlrp.load(data)
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    x = random.standard_normal((1, 3, 224, 224)).astype(np.float32)
    relevance = random.standard_normal(x.shape).astype(np.float32)
    size = batch or affordable_batch(x.size)
    pictures = np.repeat(x, steps + 1, axis=0)
    works: dict[str, Callable[[], object]] = {
        "flip_pixels": lambda: flip_pixels(
            model, x, relevance, order="morf", steps=steps, device="cpu", batch=batch
        ),
        "one by one": lambda: plain(session, pictures, 1),
        f"batches of {size}": lambda: plain(session, pictures, size),
    }
    flip_pixels(model, x, relevance, order="morf", steps=1, device="cpu")  # opens the session
    plain(session, pictures[:1], 1)
    times: dict[str, list[Spent]] = {key: [] for key in works}
    for _ in range(rounds):
        for key, work in works.items():
            times[key].append(spent(work))
    flipping = times.pop("flip_pixels")
    wall = statistics.median(each.wall for each in flipping)
    print(f"\n{name}, {steps} steps: flipping takes {wall:.2f} s")
    for key, forwards in times.items():
        pairs = list(zip(flipping, forwards, strict=True))
        wall = statistics.median(a.wall / b.wall for a, b in pairs)
        cpu = statistics.median(a.cpu / b.cpu for a, b in pairs)
        print(f"  {wall:5.2f} × (CPU {cpu:5.2f} ×) {steps + 1} plain forward passes, {key}")
    for fill in FILLS:
        work = partial(between, x, model, steps, fill)
        between_passes = statistics.median(spent(work).cpu for _ in range(3))
        print(f"  {1000 * between_passes / steps:8.2f} ms a step between the passes, fill {fill!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=["vgg16"], metavar="NETWORK")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int)
    arguments = parser.parse_args()
    for name in arguments.networks:
        measure(name, arguments.steps, arguments.rounds, arguments.batch)


if __name__ == "__main__":
    main()
