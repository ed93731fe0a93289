"""The sweep: relevance from the explained tensor down to the input, layer by layer.

    R[explained] is given; for every layer from the top down:
        R[inputs] += rule and operation of the layer, applied to R[outputs]

Where a tensor is read by several layers, what they hand down adds up.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxlrp.books import LayerBooks, total
from onnxlrp.errors import NumericalError
from onnxlrp.kernels import all_finite, sweep_threads, weighted_sum
from onnxlrp.linear import Handed, redistribute
from onnxlrp.maps import Maps
from onnxlrp.memory import Memory, Trail
from onnxlrp.ops.base import Array, Linear, Shape, Tensors
from onnxlrp.plan import Plan, Step
from onnxlrp.preactivation import Preactivation
from onnxlrp.ratio import Absorbed
from onnxlrp.recordings import Recordings
from onnxlrp.rules import Rule
from onnxlrp.seen import Seen, everywhere, see_input

Progress = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, name of the layer just done)."""

Bounds = Callable[[Step, tuple[Shape, ...]], tuple[tuple[Array, ...], tuple[Array, ...]]]
"""The (low, high) of a z^B layer's inputs, which have these shapes."""


WAYS = 8
"""Ways past a layer whose relevance is kept: a slider that is dragged takes many."""


class Kept:
    """What sweeps over the same pictures keep for one another: z, z⁺, z⁻, and relevance on the way.

    Parameters
    ----------
    budget : int
        Bytes.
    """

    def __init__(self, budget: int) -> None:
        self.memory = Memory(budget, alike=WAYS)
        self._trail = Trail()

    def ways(self, plan: Plan, relevance: Array) -> list[int]:
        """Number the way of a sweep after each of its steps."""
        start = blake2b(relevance.tobytes(), digest_size=16).digest()
        way = self._trail.number(0, (plan.explained, start))
        return list(accumulate((s.signature for s in plan.steps), self._trail.number, initial=way))


@dataclass
class Sweep:
    """What a sweep reads besides its plan.

    With ``kept`` it goes on from where an earlier sweep took another way, and leaves what it finds;
    it does not while books are kept, for those are written at every layer. Afterwards
    :attr:`proven` holds the tensors that have proved finite.
    """

    tensors: Tensors
    maps: Maps
    bounds: Bounds
    kept: Kept | None = None
    progress: Progress | None = None
    books: list[LayerBooks] | None = None
    recorded: dict[str, Array] = field(default_factory=dict)
    recordings: Recordings | None = None
    pictures: int = field(default=1, init=False)
    proven: set[str] = field(default_factory=set, init=False)

    def run(
        self, plan: Plan, relevance: Array, record: Mapping[str, tuple[str, ...]] | None = None
    ) -> Array:
        """Carry the plan out and return the relevance of the input.

        Parameters
        ----------
        plan : Plan
        relevance : ndarray, float32
            R of the explained tensor.
        record : mapping of tensor name to keys
            Tensors whose relevance is left in :attr:`recorded` under those keys.

        Raises
        ------
        NumericalError
            NaN or Inf, with the layer that made it.
        """
        record = record or {}
        self.pictures = len(relevance)
        ways = self.kept.ways(plan, relevance) if self.kept is not None else []
        first, pending = self._resume(plan, ways, record) or (0, {plan.explained: relevance})
        plain = self.kept is None and self.books is None and self.progress is None and not record
        if self.recordings is not None and plain:
            return self._repeat(self.recordings, plan, pending)
        with sweep_threads():
            for done, step in enumerate(plan.steps[first:], start=first + 1):
                if record:
                    names = step.layer.node.outputs
                    self._note(names, tuple(map(pending.get, names)), record)
                parts = self._carry_out(step, pending)
                if parts is not None and self.kept is not None and step.rule is not None:
                    made = sum(part.nbytes for part in parts)
                    self.kept.memory.put(ways[done], dict(pending), made, group=step.layer.index)
                if self.progress is not None:
                    self.progress(done, len(plan.steps), step.layer.name)
        result = self._result(plan, pending)
        self._note((plan.input,), (result,), record)
        return result

    def _result(self, plan: Plan, pending: Mapping[str, Array]) -> Array:
        """Relevance of the input; a copy, for what is kept is not the caller's to write into."""
        found = pending.get(plan.input)
        if found is None:
            return np.zeros(self.tensors.shape(plan.input), np.float32)
        return np.array(found)

    def _repeat(self, recordings: Recordings, plan: Plan, pending: dict[str, Array]) -> Array:
        """Carry the plan out as it was recorded, where there is a recording."""
        shapes = [self.tensors.shape(name) for name in plan.tensors]
        with sweep_threads(), recordings.turn(plan, shapes, self.maps) as turn:
            for passage in turn.passages:
                if passage.play(pending, self.tensors):
                    self.proven.update(passage.proven)
                    continue
                for step in passage.steps:
                    with turn.watch(step, pending, self.tensors, self.proven):
                        self._carry_out(step, pending)
            return self._result(plan, pending)

    def _carry_out(self, step: Step, pending: dict[str, Array]) -> tuple[Array, ...] | None:
        """One layer; what was made for its inputs, or None where no relevance arrives."""
        outputs = tuple([pending.pop(name, None) for name in step.layer.node.outputs])
        if all([r is None for r in outputs]):
            return None
        return self._pass_on(step, outputs, pending)

    def _resume(
        self, plan: Plan, ways: list[int], record: Mapping[str, tuple[str, ...]]
    ) -> tuple[int, dict[str, Array]] | None:
        """The furthest point on this way that is known: steps done, relevance on the way."""
        if self.kept is None or self.books is not None:
            return None
        recorded = (not record.keys().isdisjoint(s.layer.node.outputs) for s in plan.steps)
        furthest = next((i for i, asked in enumerate(recorded) if asked), len(plan.steps))
        for done in range(furthest, 0, -1):
            pending = self.kept.memory.get(ways[done])
            if pending is not None:
                return done, dict(pending)
        return None

    def _note(
        self,
        names: tuple[str, ...],
        values: tuple[Array | None, ...],
        record: Mapping[str, tuple[str, ...]],
    ) -> None:
        for name, value in zip(names, values, strict=True):
            if name in record:
                shape = self.tensors.shape(name)
                found = np.zeros(shape, np.float32) if value is None else np.array(value)
                self.recorded.update(dict.fromkeys(record[name], found))

    def _pass_on(
        self, step: Step, outputs: tuple[Array | None, ...], pending: dict[str, Array]
    ) -> tuple[Array, ...]:
        """One layer: its outputs' relevance onto its inputs'; what was made for these."""
        op = step.operation
        names = op.signal_names
        if isinstance(op, Linear) and step.rule is not None:
            handed = self._redistribute(step, op, outputs[0], pending)
        else:
            parts = op.propagate_all(outputs, self.tensors)
            made = [part for part in parts if not any([part is r for r in outputs])]
            handed = Handed(parts, all_finite(*map(np.ascontiguousarray, made)), None)
        if not handed.finite:
            raise NumericalError(_overflow(step))
        for name, part in zip(names, handed.parts, strict=True):
            alone = handed.added or name not in pending
            pending[name] = part if alone else _sum(pending[name], part)
        if self.books is not None:
            self._keep_books(step, outputs, handed.parts, handed.absorbed)
        return handed.parts

    def _redistribute(
        self, step: Step, op: Linear, relevance: Array | None, pending: Mapping[str, Array]
    ) -> Handed:
        """What a linear layer hands down under its rule."""
        rule, names = step.rule, op.signal_names
        assert rule is not None and relevance is not None
        shapes = tuple([self.tensors.shape(name) for name in names])
        if rule.sees_alike and op.merged is not None:
            relevance, op = op.merge(relevance), op.merged
        z = self._preactivation(step, op, shapes, relevance.shape)
        alone = len(names) == 1 and self.books is None
        handed = redistribute(
            op, rule, z, relevance, shapes,
            keep_books=self.books is not None, keep_sums=self.kept is not None,
            onto=pending.get(names[0]) if alone else None,
        )  # fmt: skip
        if step.values:
            self.proven.update(names)
        if handed.asked and step.preactivation:
            self.proven.add(step.preactivation)
        if self.kept is not None:
            z.forget_maps()
            self.kept.memory.put(_key(op, rule), z, z.nbytes)
        return handed

    def _preactivation(
        self, step: Step, op: Linear, shapes: tuple[Shape, ...], out_shape: Shape
    ) -> Preactivation:
        assert step.rule is not None
        z: Preactivation | None = None
        if self.kept is not None:
            z = self.kept.memory.get(_key(op, step.rule))
        if z is None:
            z = Preactivation(op, self.maps, self._seen(step, op, shapes), out_shape)
        own = self.tensors.value(step.preactivation) if step.preactivation else None
        return z.taking(own, step.below_zero)

    def _seen(self, step: Step, op: Linear, shapes: tuple[Shape, ...]) -> Seen:
        assert step.rule is not None
        view, _ = step.rule.frame
        if view.is_constant:
            key = ("everywhere", view.constant, *[shape[1:] for shape in shapes])
            whole = self.maps.constants(key, lambda: everywhere(view.constant, shapes))
            return Seen.everywhere(view.constant, whole)
        xs = tuple([self.tensors.value(name) for name in op.signal_names])
        bounds = self.bounds(step, shapes) if view.is_box else None
        return see_input(view, xs, bounds, step.nonnegative, op.interleaves)

    def _keep_books(
        self,
        step: Step,
        outputs: tuple[Array | None, ...],
        parts: tuple[Array, ...],
        absorbed: Absorbed | None,
    ) -> None:
        assert self.books is not None
        bias: NDArray[Any] | None
        epsilon: NDArray[Any] | None
        if absorbed is not None:
            bias, epsilon = absorbed.bias, absorbed.epsilon
        elif outputs[0] is not None:
            bias, epsilon = step.operation.absorbed(outputs[0], self.tensors)
        else:
            bias = epsilon = None
        rule = step.rule.short() if step.rule is not None else ""
        sums = (total(r, self.pictures) for r in (outputs, parts, (bias,), (epsilon,)))
        inputs: dict[str, NDArray[np.float64]] = {}
        for name, part in zip(step.operation.signal_names, parts, strict=True):
            inputs[name] = inputs.get(name, 0) + total((part,), self.pictures)
        self.books.append(LayerBooks(step.layer, rule, *sums, inputs=inputs))


def _key(op: Linear, rule: Rule) -> Hashable:
    """What a layer's pre-activation is kept under."""
    return op.layer.index, op.weight.shape, rule.input


def _sum(one: Array, other: Array) -> Array:
    """R from two layers that read the same tensor; neither array is written."""
    total = np.empty(one.shape, np.float32)
    weighted_sum(np.ascontiguousarray(one), 1.0, np.ascontiguousarray(other), 1.0, total)
    return total


def _overflow(step: Step) -> str:
    rule = f" under rule {step.rule.short()}" if step.rule is not None else ""
    return (
        f"layer {step.layer}{rule}: relevance became NaN or Inf. "
        "Give the rule a larger ε (relative=true makes it scale with the layer), or another rule."
    )
