"""How long every layer of a design takes on a model: what `onnxlrp bench` shows."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.cli.console import table
from onnxlrp.composites import Composite
from onnxlrp.errors import InputError
from onnxlrp.explainer import Explainer, explain
from onnxlrp.graph.model import Model
from onnxlrp.plan import Plan
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.session import Sessions

_WARM_UP = 2
"""Rounds that do not count: a sweep is recorded the second time, and played from the third on."""


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of one explanation and of a plain forward pass beside it.

    Attributes
    ----------
    plain : of the network alone, without the tensors that a sweep reads
    forward : of the forward pass that gives these tensors
    layers : of every step of the sweep, from the explained tensor down
    watched : of an explanation that stops after every layer, to tell its time
    total : of the whole explanation, as it is done again and again
    """

    plain: float
    forward: float
    layers: tuple[float, ...]
    watched: float
    total: float


@dataclass(frozen=True, slots=True)
class Timing:
    """The rounds of one composite; every figure is a median over them."""

    plan: Plan
    composite: Composite
    rounds: tuple[Round, ...]

    @property
    def plain(self) -> float:
        """Seconds of a plain forward pass."""
        return median(one.plain for one in self.rounds)

    @property
    def forward(self) -> float:
        """Seconds of the forward pass that keeps what the sweep reads."""
        return median(one.forward for one in self.rounds)

    @property
    def layers(self) -> tuple[float, ...]:
        """Seconds of every step of the sweep."""
        return tuple(map(median, zip(*(one.layers for one in self.rounds), strict=True)))

    @property
    def watched(self) -> float:
        """Seconds of an explanation that stops after every layer."""
        return median(one.watched for one in self.rounds)

    @property
    def total(self) -> float:
        """Seconds of a whole explanation."""
        return median(one.total for one in self.rounds)

    @property
    def ratio(self) -> float:
        """The whole explanation in plain forward passes, round by round."""
        return median(one.total / one.plain for one in self.rounds)


class Stopwatch:
    """Takes the engine's reports of progress and notes when they came."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self._times: list[float] = []

    def step(self, done: int, total: int, layer: str) -> None:
        """Note that a layer is done."""
        self._times.append(time.perf_counter())

    def laps(self) -> tuple[float, ...]:
        """Seconds from the start to the first report, and from each report to the next."""
        return tuple(float(lap) for lap in np.diff([self.start, *self._times]))


def time_composites(
    model: Model, x: NDArray[Any], composites: Sequence[Composite], rounds: int, device: Device
) -> list[Timing]:
    """Time composites in turn, round by round; the first ones warm up and do not count.

    Parameters
    ----------
    model : Model
    x : ndarray, the model's input shape
    composites : sequence of Composite
    rounds : int, at least 1
    device : "auto", "cpu" or "cuda"
    """
    plain = Sessions(model, device)
    found: list[list[Round]] = [[] for _ in composites]
    for done in range(_WARM_UP + rounds):
        for mine, composite in zip(found, composites, strict=True):
            one = _time_once(model, x, composite, plain, device)
            if done >= _WARM_UP:
                mine.append(one)
    explainer = Explainer(model, x, device, budget=0)
    return [
        Timing(explainer.plan(composite), composite, tuple(mine))
        for composite, mine in zip(composites, found, strict=True)
    ]


def _time_once(
    model: Model, x: NDArray[Any], composite: Composite, sessions: Sessions, device: Device
) -> Round:
    """Explain, once watched; another sweep shows what the first report of progress hides."""
    start = time.perf_counter()
    sessions.run(x, [model.explained])
    plain = time.perf_counter() - start
    start = time.perf_counter()
    explain(model, x, composite, device=device)
    total = time.perf_counter() - start
    start = time.perf_counter()
    explainer = Explainer(model, x, device, budget=0)
    whole = Stopwatch()
    explainer.explain(composite, progress=whole.step)
    watched = time.perf_counter() - start
    again = Stopwatch()
    explainer.explain(composite, progress=again.step)
    start = time.perf_counter()
    explainer.plan(composite)
    planning = time.perf_counter() - start
    laps, again_laps = whole.laps(), again.laps()
    forward = max(0.0, laps[0] - again_laps[0])
    first = max(0.0, again_laps[0] - planning)
    return Round(plain, forward, (first, *laps[1:]), watched, total)


def noise(model: Model, size: int | None) -> NDArray[Any]:
    """Seeded noise of the model's input shape; the time of a sweep hardly depends on the picture.

    Raises
    ------
    InputError
        The shape is open and ``size`` does not close it.
    """
    shape = model.input.shape
    declared = [] if shape is None else list(shape)
    if declared and not (isinstance(declared[0], int) and declared[0] > 0):
        declared[0] = 1
    wanted = model.preprocessing.size if model.preprocessing is not None else None
    if len(declared) == 4:
        axes = (2, 3) if isinstance(declared[1], int) else (1, 2)
        for axis, pixels in zip(axes, wanted or (size, size), strict=True):
            if not isinstance(declared[axis], int):
                declared[axis] = size or pixels
    closed = [length for length in declared if isinstance(length, int) and length > 0]
    if not closed or len(closed) != len(declared):
        drawn = ", ".join(str(length) for length in declared) or "unknown"
        raise InputError(
            f"{model.name}: its input {model.input.name!r} has the open shape ({drawn}); give the "
            "pictures' size, --size 224, or a picture, --image cat.jpg."
        )
    values = np.random.default_rng(0).random(closed, np.float32)
    dtype = np.dtype(model.input.dtype)
    return values.astype(dtype) if dtype.kind == "f" else (255 * values).astype(dtype)


def report(model: Model, timings: Sequence[Timing], x: NDArray[Any]) -> Iterator[str]:
    """Yield paragraphs: what was measured, a table for each composite, memory."""
    shape = "×".join(map(str, x.shape))
    yield f"{model.name}, input {shape}: medians of {len(timings[0].rounds)} rounds"
    for timing in timings:
        yield _layer_table(timing)
    if len(timings) > 1:
        yield _comparison(timings)
    peak = peak_memory()
    if peak is not None:
        yield f"peak memory of this process: {peak / 2**20:.0f} MiB"


def _layer_table(timing: Timing) -> str:
    """Lay one composite's layers out, forward pass first."""
    watched = timing.watched
    rows = [("layer", "type", "rule", "ms", "share")]
    rows.append(("(forward pass)", "", "", *_cells(timing.forward, watched)))
    for step, seconds in zip(timing.plan.steps, timing.layers, strict=True):
        rule = "" if step.rule is None else step.rule.short()
        rows.append((step.layer.name, step.layer.op, rule, *_cells(seconds, watched)))
    rest = max(0.0, watched - timing.forward - sum(timing.layers))
    rows.append(("(planning, target, rest)", "", "", *_cells(rest, watched)))
    rows.append(("all, layer by layer", "", "", *_cells(watched, watched)))
    rows.append(("whole explanation", "", "", *_cells(timing.total, watched)))
    return "\n".join([
        timing.composite.name,
        table(rows, right={3, 4}, indent="  "),
        f"  {timing.ratio:.2f} × a plain forward pass of {_ms(timing.plain)} ms",
    ])  # fmt: skip


def _comparison(timings: Sequence[Timing]) -> str:
    """Set the composites side by side."""
    rows = [("composite", "ms", "× forward")]
    rows += [(t.composite.name, _ms(t.total), f"{t.ratio:.2f}") for t in timings]
    return table(rows, right={1, 2})


def _cells(seconds: float, total: float) -> tuple[str, str]:
    return _ms(seconds), f"{100 * seconds / total:.1f} %"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f}"


def peak_memory() -> int | None:
    """Bytes that this process held at most; None on Windows, which keeps no such record."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
