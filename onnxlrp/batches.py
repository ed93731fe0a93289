"""Many pictures, a few at a time: memory is bounded whatever the batch, and no bit changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from onnxlrp.books import LayerBooks
from onnxlrp.plan import Plan
from onnxlrp.result import Result
from onnxlrp.runtime.shapes import Shape
from onnxlrp.target import AnyTarget, Init, Target

ON_THE_WAY = 6
"""Arrays as large as the largest tensor that a sweep holds at once: relevance, z⁺, ratios."""

AT_ONCE = 2**27
"""Bytes of tensors, of pictures explained at once, up to which more of them take less time each.

Above, what one layer leaves is out of the cache, and what onnxruntime hands out lies in memory that
is new each time.
"""


def pictures_at_a_time(
    plan: Plan, shapes: Mapping[str, Shape], batch: int, budget: int
) -> int | None:
    """How many pictures are explained at once: within a budget of bytes, and no more than pays.

    Parameters
    ----------
    plan : Plan
    shapes : mapping of str to tuple of int
        The tensors' shapes for ``batch`` pictures, as far as they are known.
    batch : int
        What the network takes at a time, or 1.
    budget : int

    Returns
    -------
    int or None
        A multiple of ``batch``, one at least. None where a tensor's first axis is not that of the
        pictures, or is not known to be: they stay together.
    """
    read = [shapes.get(name, ()) for name in {plan.explained, *plan.values, *plan.tensors}]
    if any(not shape or shape[0] != batch for shape in read):
        return None
    sizes = [4 * math.prod(shape) for shape in read]
    fitting = budget // (sum(sizes) + ON_THE_WAY * max(sizes))
    paying = AT_ONCE // max(1, sum(sizes))
    return batch * max(1, min(fitting, paying))


def can_part(value: AnyTarget | Init, count: int, rank: int) -> bool:
    """Whether a target, or R at an output of that rank, can be told apart for each picture."""
    if isinstance(value, str | int | Target):
        return True
    values = np.asarray(value)
    return values.ndim == rank - 1 or is_for_each(values, count, rank)


def is_for_each(values: np.ndarray[Any, Any], count: int, rank: int) -> bool:
    """Whether there is one class, or one array of the outputs' rank, for each picture."""
    one_class = values.ndim == 1 and values.dtype.kind != "f"
    return values.shape[:1] == (count,) and (one_class or values.ndim == rank)


def part_of(value: Any, part: slice, count: int, rank: int) -> Any:
    """A target, or R at the output, for some of the pictures."""
    if isinstance(value, str | int | Target):
        return value
    values = np.asarray(value)
    return values[part] if is_for_each(values, count, rank) else value


def joined(results: Sequence[Result]) -> Result:
    """The results for some pictures after another, as one."""
    first = results[0]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(result, name) for result in results])
        for name in ("relevance", "target", "score", "output")
    }
    tensors = {
        key: np.concatenate([result.tensors[key] for result in results]) for key in first.tensors
    }
    books = tuple(_joined_books(of) for of in zip(*(r.books for r in results), strict=True))
    aim = next((result.aim for result in results if result.aim), "")
    return replace(first, **arrays, tensors=tensors, books=books, aim=aim)


def _joined_books(books: Sequence[LayerBooks]) -> LayerBooks:
    sums: dict[str, Any] = {
        name: np.concatenate([getattr(book, name) for book in books])
        for name in ("arrived", "handed", "bias", "epsilon")
    }
    inputs = {key: np.concatenate([book.inputs[key] for book in books]) for key in books[0].inputs}
    return replace(books[0], **sums, inputs=inputs)
