"""A network as LRP sees it, as data: what `onnxlrp check` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onnxlrp.composites import Composite
from onnxlrp.errors import UnsupportedOperationError
from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops import Operation, bind_layer
from onnxlrp.ops.pooling import MaxPool
from onnxlrp.ops.product import Product
from onnxlrp.plan import Step, make_plan
from onnxlrp.runtime.shapes import Shape, static_shapes


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer.

    Attributes
    ----------
    layer : Layer
    shape : tuple of int, or None
        Of its output, for one picture; None where it depends on values, or on an open input size.
    treatment : str
        What happens to relevance here; "" if the layer is not supported.
    problem : str
        Why it is not supported, "" if it is.
    step : Step or None
        What a composite makes of it, if one was given.
    choice : str
        The option of a composite that decides here, "" if there is none.
    """

    layer: Layer
    shape: Shape | None
    treatment: str
    problem: str
    step: Step | None = None
    choice: str = ""


CHOICES: Mapping[str, str] = {
    "max_pool": "winner takes all; max_pool: average in a composite shares as average pools do",
    "product": "half to each of two signals; product: first or second in a composite gives all "
    "to one",
}
"""Option of a composite → what happens without it, and what it is for."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A network and its layers, from the input up."""

    model: Model
    layers: tuple[LayerReport, ...]
    composite: Composite | None = None

    @property
    def problems(self) -> tuple[LayerReport, ...]:
        """The layers that are not supported."""
        return tuple(report for report in self.layers if report.problem)

    @property
    def explainable(self) -> bool:
        """Whether every layer is supported."""
        return not self.problems


def inspect(model: Model, composite: Composite | None = None) -> Inspection:
    """Look at every layer of a network.

    Parameters
    ----------
    model : Model
    composite : Composite, optional
        Also settle the rule of each layer, if the network can be explained at all.

    Raises
    ------
    CompositeError
        The composite does not fit the network.
    """
    shapes = _shapes(model)
    bound = {layer.index: _bound(layer, model) for layer in model.layers}
    operations = {i: found for i, found in bound.items() if isinstance(found, Operation)}
    steps: dict[int, Step] = {}
    if composite is not None and len(operations) == len(model.layers):
        plan = make_plan(model, operations, composite)
        steps = {step.layer.index: step for step in plan.steps}
    reports = []
    for layer in model.layers:
        step = steps.get(layer.index)
        found = bound[layer.index] if step is None else step.operation
        treatment, problem = "", ""
        if isinstance(found, Operation):
            treatment = found.treatment
        else:
            problem = str(found)
        shape = shapes.get(layer.node.output)
        choice = _choice(bound[layer.index])
        reports.append(LayerReport(layer, shape, treatment, problem, step, choice))
    return Inspection(model, tuple(reports), composite)


def _bound(layer: Layer, model: Model) -> Operation | UnsupportedOperationError:
    """Return the layer's operation, or why it has none."""
    try:
        return bind_layer(layer, model)
    except UnsupportedOperationError as error:
        return error


def _choice(found: Operation | UnsupportedOperationError) -> str:
    """Name the option that decides at an operation."""
    if isinstance(found, MaxPool):
        return "max_pool"
    return "product" if isinstance(found, Product) and len(found.signals) > 1 else ""


def _shapes(model: Model) -> Mapping[str, Shape]:
    """Shapes for one picture of the model's own size, else that of its preprocessing."""
    declared = model.input.shape
    if declared is None:
        return {}
    sizes = [size if isinstance(size, int) and size > 0 else None for size in declared]
    if sizes and sizes[0] is None:
        sizes[0] = 1
    preprocessing = model.preprocessing
    if preprocessing is not None and preprocessing.size is not None and len(sizes) == 4:
        axes = slice(2, 4) if preprocessing.layout == "NCHW" else slice(1, 3)
        sizes[axes] = preprocessing.size
    known = tuple(size for size in sizes if size is not None)
    return static_shapes(model, known) if len(known) == len(sizes) else {}
