"""Explaining: one forward pass, any number of designs and targets."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from onnxlrp.batches import can_part, joined, part_of, pictures_at_a_time
from onnxlrp.bounds import Bounds
from onnxlrp.composites import Composite
from onnxlrp.engine import Kept, Progress, Sweep
from onnxlrp.errors import ModelError, NumericalError, did_you_mean
from onnxlrp.graph.model import Model
from onnxlrp.kernels import ensure_compiled
from onnxlrp.ops.base import Array
from onnxlrp.plan import Plan
from onnxlrp.result import Result as Result
from onnxlrp.runtime.activations import Activations
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.forward import Precision
from onnxlrp.target import (
    AnyTarget,
    Chosen,
    Init,
    Target,
    as_scores,
    as_target,
    choose,
    initial_relevance,
    start_of,
)
from onnxlrp.workspace import Workspace as Workspace

DEFAULT_BUDGET = 2**30
"""Bytes that an :class:`Explainer` keeps between designs, unless told otherwise: 1 GiB."""


class Explainer:
    """Explains the same pictures again and again: one forward, and only what a change asks for.

    A rule changed at one layer is computed from that layer down; results are the same bits as those
    of :func:`explain`.

    Parameters
    ----------
    model : Model
    x : ndarray, float32, the model's input shape (N pictures)
    device : "auto", "cpu" or "cuda"
        Where onnxruntime runs the forward pass.
    precision : "single" or "double"
        Of the forward pass; see :func:`explain`.
    budget : int
        Bytes for what is kept from one design to the next (z⁺, z⁻, relevance on the way down), the
        least recently used dropped first; 0 keeps nothing. The forward pass's tensors come on top.

    Raises
    ------
    InputError
        ``x`` does not fit the model.
    UnsupportedOperationError
        Names every node that has no LRP treatment.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> explainer = Explainer(model, np.zeros((1, 3, 227, 227), np.float32))
    >>> maps = [explainer.explain(name).relevance for name in ("epsilon_plus", "gamma")]
    """

    def __init__(
        self,
        model: Model,
        x: Any,
        device: Device = "auto",
        precision: Precision = "single",
        *,
        budget: int = DEFAULT_BUDGET,
    ) -> None:
        self.model = model
        self._workspace = Workspace.of(model)
        self._forward = self._workspace.forward(device, precision)
        self._activations = Activations(self._forward, x)
        self._kept = Kept(budget) if budget > 0 else None
        self._bounds = Bounds(
            model,
            self._forward,
            self._activations.shape(model.input.name),
            self._workspace.maps,
        )

    @property
    def provider(self) -> str:
        """Who runs the forward pass: an onnxruntime provider, or the float64 reference."""
        return self._forward.provider

    @property
    def output(self) -> Array:
        """The explained outputs, (N, classes), or as they are where they are no scores alone."""
        explained = self.model.explained
        return as_scores(self._activations.value(explained), self.model, explained)

    def activations(self, layers: Iterable[str]) -> dict[str, Array]:
        """The outputs of layers, or any tensors that the network computes, by their names.

        Raises
        ------
        ModelError
            onnxruntime cannot compute one of them.
        """
        made = {layer.name: layer.node.output for layer in self.model.layers}
        tensors = {name: made.get(name, name) for name in layers}
        self._activations.fetch(tensors.values())
        return {name: self._activations.value(tensor) for name, tensor in tensors.items()}

    def plan(self, composite: Composite | str) -> Plan:
        """What the sweep under a composite will do."""
        return self._workspace.plan(as_composite(composite))

    def parts(
        self, composite: Composite | str, target: AnyTarget, init: Init, budget: int
    ) -> list[tuple[slice, AnyTarget, Init]]:
        """Pictures that a budget of bytes lets be explained at a time, with what is explained."""
        whole = [(slice(None), target, init)]
        count, batch = len(self._activations), self.model.fixed_batch or 1
        if count == batch:
            return whole
        target = as_target(target, self.model)
        start = start_of(target, self.model)
        shapes = self._forward.shapes((batch, *self._activations.shape(self.model.input.name)[1:]))
        step = pictures_at_a_time(
            self._workspace.plan(as_composite(composite), start), shapes, batch, budget
        )
        if step is None or step >= count:
            return whole
        parts = -(-count // step)
        step = batch * -(-count // (batch * parts))  # alike, for then they are done alike
        scores = as_scores(np.empty(shapes[start], np.float32), self.model, start)
        aims, rank = (target, init), scores.ndim
        if not all(can_part(aim, count, rank) for aim in aims):
            return whole
        pictures = (slice(first, first + step) for first in range(0, count, step))
        return [
            (some, part_of(target, some, count, rank), part_of(init, some, count, rank))
            for some in pictures
        ]

    def explain(
        self,
        composite: Composite | str = "epsilon_plus",
        target: AnyTarget = "top1",
        init: Init = "logit",
        record: Iterable[str] = (),
        books: bool = False,
        progress: Progress | None = None,
    ) -> Result:
        """Explain all pictures under one design; see :func:`explain`."""
        composite = as_composite(composite)
        target = as_target(target, self.model)
        plan = self._workspace.plan(composite, start_of(target, self.model))
        wanted = self._recorded(plan, record)
        self._activations.fetch(plan.values, unproven=plan.provable)
        values = self._activations.value(plan.explained)
        output = as_scores(values, self.model, plan.explained)
        chosen = choose(self.model, output, target)
        start = initial_relevance(output, chosen, init)
        sweep = Sweep(
            tensors=self._activations,
            maps=self._workspace.maps,
            bounds=self._bounds.of,
            kept=self._kept,
            progress=progress,
            books=[] if books else None,
            recordings=self._workspace.recordings,
        )
        explained = self._activations.shape(plan.explained)
        relevance = self._swept(sweep, plan, start.reshape(explained), wanted)
        return Result(
            relevance=relevance,
            target=chosen.index,
            aim=_aim(target, chosen),
            score=(chosen.weights * output).reshape(len(output), -1).sum(axis=1),
            output=np.array(output),
            tensors={key: sweep.recorded[key] for keys in wanted.values() for key in keys},
            provider=self.provider,
            composite=composite,
            books=tuple(sweep.books or ()),
        )

    def _swept(
        self, sweep: Sweep, plan: Plan, start: Array, wanted: dict[str, tuple[str, ...]]
    ) -> Array:
        """Relevance of the input; where that is not finite, the forward pass is asked first."""
        try:
            relevance = sweep.run(plan, start, wanted)
        except NumericalError:
            self._activations.prove()
            raise
        self._activations.prove(sweep.proven)
        return relevance

    def _recorded(self, plan: Plan, record: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Tensor name → the names it was asked for by (layers stand for their output)."""
        if isinstance(record, str):
            record = (record,)
        wanted: dict[str, tuple[str, ...]] = {}
        if not record:
            return wanted
        layers = {layer.name: layer.node.output for layer in self.model.layers}
        reached = plan.tensors
        for key in dict.fromkeys(record):
            tensor = layers.get(key, key)
            if tensor not in reached:
                hint = did_you_mean(key, [*layers, *reached])
                raise ModelError(
                    f"record {key!r}: no relevance passes a layer or tensor of this name.{hint}"
                )
            wanted[tensor] = (*wanted.get(tensor, ()), key)
        return wanted


def _aim(target: AnyTarget, chosen: Chosen) -> str:
    """Write a target that is no class."""
    if (chosen.index >= 0).all():
        return ""
    return str(target) if isinstance(target, Target) else "weights"


def as_composite(composite: Composite | str) -> Composite:
    """A composite, or the preset of that name."""
    return composite if isinstance(composite, Composite) else Composite.preset(composite)


def explain(
    model: Model,
    x: Any,
    composite: Composite | str = "epsilon_plus",
    target: AnyTarget = "top1",
    init: Init = "logit",
    record: Iterable[str] = (),
    *,
    device: Device = "auto",
    precision: Precision = "single",
    books: bool = False,
    progress: Progress | None = None,
    budget: int = DEFAULT_BUDGET,
) -> Result:
    """Relevance of every input element for one output of each picture.

    Rᵢ = Σⱼ (share of i in j)·Rⱼ, layer by layer from the explained output down to the picture,
    under the rules of a composite.

    Parameters
    ----------
    model : Model
        From :func:`onnxlrp.load`.
    x : array of numbers, the model's input shape (N pictures)
        From :meth:`Model.preprocess`, or your own.
    composite : Composite or str
        Which rule each layer gets; a preset's name will do.
    target : int, one int a picture, "top1", a label, a Target, or float weights (N, classes)
        What is explained. A :class:`Target`, or its text, is an element of any output, a difference
        of two classes, a region of a map of classes, a detector's box, or a neuron within.
    init : "logit", "one", or an array of the outputs' shape
        R at the output: the target's logit, 1, or your own.
    record : names of layers (their output) or tensors
        Whose relevance is returned as well, in ``result.tensors``.
    device : "auto", "cpu" or "cuda"
        Where onnxruntime runs the forward pass.
    precision : "single" or "double"
        Of the forward pass. In float32 its last bits decide ties in max-pools and sums that
        cancel, which can move 0.1 % of the relevance; in float64 (on the CPU, some ten times
        slower) they do not. The way back down is float32 in both.
    books : bool
        Also report where relevance went, layer by layer.
    progress : callable(done, total, layer)
    budget : int
        Bytes that the network's tensors may take: many pictures are explained a few at a time. What
        each of them gets are the same bits.

    Returns
    -------
    Result

    Raises
    ------
    InputError, TargetError, CompositeError, ModelError
        The argument at fault, and what to do.
    NumericalError
        NaN or Inf, with the layer that made it.

    Notes
    -----
    Bach et al. 2015, 10.1371/journal.pone.0130140, introduced LRP.

    From the third call with the same design and shapes on, most of a sweep is played from a
    recording, which takes some tens of MiB; the bits are the same.

    Examples
    --------
    >>> import onnxlrp
    >>> model = onnxlrp.load(onnxlrp.assets.default_model_path())
    >>> x = np.zeros((1, 3, 227, 227), np.float32)
    >>> onnxlrp.explain(model, x, "epsilon_plus").relevance.shape
    (1, 3, 227, 227)
    """
    ensure_compiled(_notify)
    explainer = Explainer(model, x, device, precision, budget=0)
    record = (record,) if isinstance(record, str) else tuple(record)
    parts = explainer.parts(composite, target, init, budget)
    if len(parts) == 1:
        return explainer.explain(composite, target, init, record, books, progress)
    results = []
    for number, (pictures, aim, start) in enumerate(parts):
        some = Explainer(model, np.asarray(x)[pictures], device, precision, budget=0)
        told = None if progress is None else _continued(progress, number, len(parts))
        results.append(some.explain(composite, aim, start, record, books, told))
    return joined(results)


def _continued(progress: Progress, part: int, parts: int) -> Progress:
    """Progress of one part of the pictures, as that of all."""
    return lambda done, total, layer: progress(part * total + done, parts * total, layer)


def _notify(message: str) -> None:
    print(message, file=sys.stderr)
