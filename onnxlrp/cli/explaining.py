"""Explaining the samples of a run under several composites, as many at once as shapes allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from onnxlrp.books import LayerBooks
from onnxlrp.cli.console import SweepBar
from onnxlrp.cli.inputs import Sample
from onnxlrp.composites import Composite
from onnxlrp.composites.files import SUFFIXES
from onnxlrp.explainer import DEFAULT_BUDGET, Explainer, Result
from onnxlrp.graph.model import Model
from onnxlrp.report import Explained
from onnxlrp.report.numbers import sums, target_label
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.forward import Precision

BATCH = 4
"""Pictures explained at once: more of them would save little time and cost memory."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is explained: the target, relevance at the output, and the tensors to record."""

    target: str
    init: Literal["logit", "one"]
    record: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """Where and in which precision the network runs."""

    device: Device
    precision: Precision


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One sample under one composite.

    Attributes
    ----------
    sample : Sample
    result : Result
        Of this sample alone, with books.
    """

    sample: Sample
    result: Result

    @property
    def composite(self) -> Composite:
        """The composite it was made with."""
        return self.result.composite

    @property
    def target(self) -> int:
        """The explained class; −1 if it is none."""
        return int(self.result.target[0])

    @property
    def score(self) -> float:
        """The value of what is explained."""
        return float(self.result.score[0])

    def label(self, model: Model) -> str:
        """What is explained: a class's name, or the target as it was asked for."""
        return target_label(model, self.result)

    @property
    def started(self) -> float:
        """Σ R at the explained output."""
        return sums(self.result)[0]

    @property
    def arrived(self) -> float:
        """Σ R at the input."""
        return sums(self.result)[1]


def parse_composite(text: str) -> Composite:
    """Read a composite; one with parameters is called by them, so that results tell them apart."""
    composite = Composite.parse(text)
    from_file = text.lower().endswith(SUFFIXES)
    return composite if from_file or ":" not in text else replace(composite, name=text)


def explain_samples(
    model: Model,
    samples: Sequence[Sample],
    composites: Sequence[Composite],
    question: Question,
    running: Running,
) -> list[Explanation]:
    """Explain every sample under every composite, in this order.

    Raises
    ------
    OnnxLrpError
        The argument at fault, or the layer.
    """
    found: dict[tuple[int, int], Explanation] = {}
    fixed = model.fixed_batch or 1
    batches = _batches(samples, size=max(fixed, 1 if question.record else BATCH))
    with SweepBar(len(batches) * len(composites), len(model.layers)) as bar:
        for batch in batches:
            missing = -len(batch) % fixed  # a network of a fixed batch takes nothing else
            x = np.concatenate([samples[i].x for i in (*batch, *batch[-1:] * missing)])
            budget = DEFAULT_BUDGET if len(composites) > 1 else 0
            explainer = Explainer(model, x, running.device, running.precision, budget=budget)
            for column, composite in enumerate(composites):
                result = explainer.explain(
                    composite,
                    question.target,
                    question.init,
                    question.record,
                    books=True,
                    progress=bar.step,
                )
                bar.finish_sweep()
                for position, row in enumerate(batch):
                    found[row, column] = Explanation(samples[row], _part(result, position))
    return [found[key] for key in sorted(found)]


def gathered(explanations: Sequence[Explanation], names: Sequence[str]) -> tuple[Explained, ...]:
    """Put the explanations of each sample together, as a report shows them.

    Parameters
    ----------
    explanations : sequence of Explanation
        As :func:`explain_samples` gives them.
    names : sequence of str
        What the composites are called, in their order; no two alike.
    """
    rows = [explanations[i : i + len(names)] for i in range(0, len(explanations), len(names))]
    return tuple(
        Explained(
            row[0].sample.name,
            {name: each.result for name, each in zip(names, row, strict=True)},
            row[0].sample.picture,
            row[0].sample.x,
        )
        for row in rows
    )


def _batches(samples: Sequence[Sample], size: int) -> list[list[int]]:
    """Group neighbours of one shape, at most ``size`` of them, by position."""
    batches = []
    for _, group in groupby(range(len(samples)), key=lambda i: samples[i].x.shape):
        alike = list(group)
        batches += [alike[start : start + size] for start in range(0, len(alike), size)]
    return batches


def _part(result: Result, i: int) -> Result:
    """Sample i of a batch's result."""
    count = len(result.relevance)
    if count == 1:
        return result
    return replace(
        result,
        relevance=_row(result.relevance, i),
        target=_row(result.target, i),
        score=_row(result.score, i),
        output=_row(result.output, i),
        tensors={key: _row(value, i) for key, value in result.tensors.items()},
        books=tuple(_book_row(book, i) for book in result.books),
    )


def _book_row(book: LayerBooks, i: int) -> LayerBooks:
    """Sample i of the books of one layer."""
    return replace(
        book,
        arrived=_row(book.arrived, i),
        handed=_row(book.handed, i),
        bias=_row(book.bias, i),
        epsilon=_row(book.epsilon, i),
    )


def _row(values: NDArray[Any], i: int) -> NDArray[Any]:
    """Sample i, with its batch axis."""
    return values[i : i + 1]
