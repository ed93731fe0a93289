"""Judging one picture: every design under every metric. The same code runs here and on a cluster.

A judge and its judgements can be pickled: a worker gets the judge once, and pictures one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from onnxlrp.composites import Composite
from onnxlrp.errors import InputError, ModelError, NumericalError, TargetError
from onnxlrp.evaluate.canvas import Canvas
from onnxlrp.evaluate.checks import choice, positive_number, whole_number
from onnxlrp.evaluate.designs import pixel_relevance
from onnxlrp.evaluate.fills import Fill, checked_fill
from onnxlrp.evaluate.flipping import flip_pixels
from onnxlrp.evaluate.items import Item
from onnxlrp.evaluate.judgement import CurveRow, Judgement, ScoreRow
from onnxlrp.evaluate.metrics import METRICS, Subject, orders_of
from onnxlrp.evaluate.ordering import GROWTHS, checked_orders
from onnxlrp.evaluate.regions import SUPERPIXEL
from onnxlrp.evaluate.scoring import LOGIT, SCORES
from onnxlrp.explainer import DEFAULT_BUDGET, Explainer, Workspace
from onnxlrp.graph.model import Model
from onnxlrp.plan import make_plan
from onnxlrp.runtime.device import Device
from onnxlrp.target import choose

OWN_LABEL = "label"
"""The target that stands for every picture's own class."""


@dataclass(frozen=True, slots=True)
class Flipping:
    """How pictures are flipped; see :func:`onnxlrp.evaluate.flip_pixels`.

    Parameters
    ----------
    unit : int or "superpixel"
    steps : int or None
    until : float
    growth : "linear" or "growing"
    fill : str or float
    repeats : int
    score : str
    orders : tuple of str
        Curves that are wanted beside those that the metrics need.

    Raises
    ------
    InputError
        A parameter out of range.
    """

    unit: int | str = 8
    steps: int | None = 20
    until: float = 1.0
    growth: str = "linear"
    fill: Fill = "mean"
    repeats: int = 5
    score: str = LOGIT
    orders: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.unit != SUPERPIXEL:
            whole_number("unit", self.unit)
        if self.steps is not None:
            whole_number("steps", self.steps)
        positive_number("until", self.until, 1.0)
        choice("growth", self.growth, GROWTHS)
        whole_number("repeats", self.repeats)
        choice("score", self.score, SCORES)
        if self.orders:
            checked_orders(self.orders)

    @property
    def pictures(self) -> dict[str, Any]:
        """The options of :func:`onnxlrp.evaluate.flip_sequence`: how flipped pictures look."""
        return {name: getattr(self, name) for name in ("unit", "steps", "until", "growth", "fill")}

    @property
    def options(self) -> dict[str, Any]:
        """The options of :func:`onnxlrp.evaluate.flip_pixels`, but for the orders.

        Examples
        --------
        >>> [*Flipping().options]
        ['unit', 'steps', 'until', 'growth', 'fill', 'repeats', 'score']
        """
        return {**self.pictures, "repeats": self.repeats, "score": self.score}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is measured, and how.

    Attributes
    ----------
    metrics : tuple of str
    target : int or str
        "top1", a class, or "label": every picture's own.
    flipping : Flipping
    seed : int
        Every picture draws its own random numbers from this and its name.
    device : str
    maps : bool
        Whether relevance maps are kept.
    """

    metrics: tuple[str, ...]
    target: int | str
    flipping: Flipping
    seed: int
    device: Device
    maps: bool = False

    @property
    def orders(self) -> tuple[str, ...]:
        """The flipping orders to run."""
        return orders_of(self.metrics, self.flipping.orders)


@dataclass(frozen=True, eq=False)
class Judge:
    """A model, designs, and what is measured of them."""

    model: Model
    designs: Mapping[str, Composite]
    settings: Settings

    def check(self) -> Self:
        """Refuse designs that do not fit the model, and settings that no picture could meet."""
        operations = Workspace.of(self.model).operations
        for composite in self.designs.values():
            make_plan(self.model, operations, composite)
        plain = Canvas((1, 1), None, np.dtype(np.float32), self.model.preprocessing)
        checked_fill(self.settings.flipping.fill, plain)
        whole_number("seed", self.settings.seed, 0)
        return self

    def portable(self) -> Judge:
        """Return this judge without sessions, so that it can be pickled."""
        return replace(self, model=replace(self.model, derived={}))

    def describe(self) -> dict[str, Any]:
        """Return what results depend on, as plain data."""
        preprocessing = self.model.preprocessing
        return {
            "model": {"name": self.model.name, "sha256": self.model.sha256},
            "output": self.model.explained,
            "preprocessing": None if preprocessing is None else preprocessing.to_dict(),
            "designs": {name: composite.to_dict() for name, composite in self.designs.items()},
            "metrics": list(self.settings.metrics),
            "target": self.settings.target,
            "flipping": {**asdict(self.settings.flipping), "orders": list(self.settings.orders)},
            "seed": self.settings.seed,
            "maps": self.settings.maps,
        }

    def judge(self, item: Item) -> Judgement:
        """Judge one picture; what is wrong with the picture alone becomes its failure.

        Raises
        ------
        OnnxLrpError
            What would be wrong with every picture: no such class, no such device.
        """
        try:
            x = item.tensor(self.model)
            budget = DEFAULT_BUDGET if len(self.designs) > 1 else 0
            explainer = Explainer(self.model, x, self.settings.device, budget=budget)
            target = self._target(item, explainer)
            subjects = self._subjects(item, x, explainer, target)
            judged = self._judged(item, subjects, target)
            return replace(judged, maps=_maps(x, subjects)) if self.settings.maps else judged
        except (InputError, NumericalError, ModelError) as error:
            return Judgement(item.name, failure=str(error))
        except TargetError as error:
            if self.settings.target != OWN_LABEL:
                raise
            return Judgement(item.name, failure=str(error))

    def _target(self, item: Item, explainer: Explainer) -> NDArray[np.int64]:
        """Class to explain, once for each row of the batch."""
        own = self.settings.target == OWN_LABEL
        target = item.target(self.model) if own else self.settings.target
        return choose(self.model, explainer.output, target).index

    def _subjects(
        self, item: Item, x: NDArray[Any], explainer: Explainer, target: NDArray[np.int64]
    ) -> dict[str, Subject]:
        """Explain the picture under every design."""
        canvas = Canvas.of(self.model, x)
        located = any(METRICS[name].located for name in self.settings.metrics)
        region = item.object(self.model, canvas.spatial).reshape(-1) if located else None
        seed = picture_seed(item.name, self.settings.seed)
        subjects = {}
        for name, composite in self.designs.items():
            result = explainer.explain(composite, target)
            subjects[name] = Subject(
                model=self.model,
                x=x,
                result=result,
                pixels=pixel_relevance(result.relevance[:1], canvas, 1)[0],
                region=region,
                score=float(result.output[0, target[0]]),
                seed=seed,
                device=self.settings.device,
            )
        return subjects

    def _judged(
        self, item: Item, subjects: Mapping[str, Subject], target: NDArray[np.int64]
    ) -> Judgement:
        """Measure everything."""
        found = {
            (design, name): metric.measure(subject)
            for design, subject in subjects.items()
            for name, metric in METRICS.items()
            if name in self.settings.metrics and metric.measure is not None
        }
        curves: list[CurveRow] = []
        if self.settings.orders:
            curves, areas = self._flipped(item, subjects, target)
            found |= areas
        scores = tuple(
            ScoreRow(item.name, design, metric, found[design, metric])
            for design in self.designs
            for metric in self.settings.metrics
        )
        return Judgement(item.name, scores, tuple(curves))

    def _flipped(
        self, item: Item, subjects: Mapping[str, Subject], target: NDArray[np.int64]
    ) -> tuple[list[CurveRow], dict[tuple[str, str], float]]:
        """Flip the picture under every design: its curves, and (design, metric) → area."""
        first = next(iter(subjects.values()))
        flipped = flip_pixels(
            self.model,
            first.x,
            {design: subject.result.relevance for design, subject in subjects.items()},
            target=target,
            order=self.settings.orders,
            **self.settings.flipping.options,
            seed=[first.seed] * len(first.x),
            device=self.settings.device,
        )
        own = flipped.images[0]  # the other rows fill up a fixed batch
        curves = [
            CurveRow(**{**row, "image": item.name})  # type: ignore[arg-type]  # columns are fields
            for row in flipped.rows()
            if row["image"] == own
        ]
        areas = {
            (str(row["design"]), str(row["metric"])): float(row["value"])
            for row in flipped.score_rows()
            if row["image"] == own
        }
        return curves, areas


def _maps(x: NDArray[Any], subjects: Mapping[str, Subject]) -> NDArray[np.float32]:
    """Lay the relevance of every design out as the picture's pixels are."""
    model = next(iter(subjects.values())).model
    shape = (len(subjects), *Canvas.of(model, x).spatial)
    pixels = np.stack([subject.pixels for subject in subjects.values()])
    return pixels.reshape(shape).astype(np.float32)


def picture_seed(name: str, seed: int = 0) -> int:
    """Seed of a picture's own random numbers, by its name."""
    return seed + crc32(name.encode())


def judgements(judge: Judge, items: Iterator[Item]) -> Iterator[Judgement]:
    """Judge pictures one after the other, in this process."""
    for item in items:
        yield judge.judge(item)
