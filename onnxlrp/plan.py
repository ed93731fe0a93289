"""What a sweep will do, as data: the layers it passes, their rules, the tensors they read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from onnxlrp.composites import Composite
from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops import Linear, Operation
from onnxlrp.ops.pooling import MaxPool
from onnxlrp.ops.product import Product
from onnxlrp.reads import is_silent_below, preactivation_tensor, silent_reader
from onnxlrp.rules import RULES, Rule, Where


@dataclass(frozen=True, slots=True)
class Step:
    """One layer of a sweep.

    Attributes
    ----------
    layer : Layer
    operation : Operation
    rule : Rule or None
        None where relevance only moves.
    nonnegative : bool
        The network's structure rules out negative inputs (after a ReLU, say).
    values : tuple of str
        The tensors whose activations the step reads.
    forwards, adjoints : int
        Passes of the layer's own size that the step costs at most, besides onnxruntime's forward.
    preactivation : str
        The one of ``values`` that is read as z, "" if none is.
    below_zero : bool
        Relevance may stand where z is negative: the network's structure does not rule it out.
    """

    layer: Layer
    operation: Operation
    rule: Rule | None
    nonnegative: bool
    values: tuple[str, ...]
    forwards: int = 0
    adjoints: int = 0
    preactivation: str = ""
    below_zero: bool = True

    @property
    def signature(self) -> tuple[Hashable, ...]:
        """What decides what the step does: two steps of a model with the same one do the same."""
        op = self.operation
        return self.layer.index, type(op).__name__, op.signals, self.rule


@dataclass(frozen=True)
class Plan:
    """A sweep from the explained tensor, or one inside the network, down to the input.

    Attributes
    ----------
    steps : tuple of Step
        From the explained tensor down: every layer comes after all that read its output.
    explained, input : str
        The tensors where the sweep starts and ends.
    """

    steps: tuple[Step, ...]
    explained: str
    input: str

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Every tensor that the sweep reads, the explained one first."""
        read = [self.explained, *(name for step in self.steps for name in step.values)]
        return tuple(dict.fromkeys(name for name in read if name != self.input))

    @cached_property
    def provable(self) -> frozenset[str]:
        """Those of the values of which the sweep may see whether all of them are finite.

        A linear layer multiplies every element of its input by what it hands on, and some rules
        look at the sign of every element of z.
        """
        linear = [s for s in self.steps if isinstance(s.operation, Linear) and s.values]
        names = {name for s in linear for name in s.operation.signal_names}
        names.update(s.preactivation for s in linear if s.preactivation)
        return frozenset(names - {self.explained, self.input})

    @cached_property
    def tensors(self) -> tuple[str, ...]:
        """Every tensor that relevance is computed for."""
        passed = (name for step in self.steps for name in step.operation.signal_names)
        return tuple(dict.fromkeys([self.explained, *passed]))


def make_plan(
    model: Model, operations: Mapping[int, Operation], composite: Composite, start: str = ""
) -> Plan:
    """Settle which rule every layer gets and what that costs.

    Parameters
    ----------
    model : Model
    operations : mapping of int to Operation
        Layer index → operation, from :func:`onnxlrp.ops.bind`.
    composite : Composite
    start : str, optional
        The tensor from which relevance goes down; the explained one if left out.

    Raises
    ------
    CompositeError
        An entry matches no layer, or a rule lacks its bounds.
    """
    given = operations
    operations = {i: _optional(op, composite.options) for i, op in given.items()}
    linear = frozenset(i for i, op in operations.items() if isinstance(op, Linear))
    assignment = composite.assign(model, linear)
    signs = nonnegative_tensors(model, operations)
    start = start or model.explained
    reached, silent = {start}, {start: False}
    steps = []
    for layer in reversed(model.layers):
        if reached.isdisjoint(layer.node.outputs):
            continue
        op = operations[layer.index]
        reached.update(op.signal_names)
        rule = assignment.rules.get(layer.index)
        if rule is None and isinstance(op, Linear):
            rule = RULES[op.default_rule]()
        nonnegative = all(signs[name] for name in op.signal_names)
        reader = silent_reader(model, layer.node.output, silent)
        below_zero = reader is None or not operations[reader.index].cuts_off
        z = ""
        if op is given[layer.index]:  # what stands in for the network's own has another z
            z = preactivation_tensor(model, layer.node.output, silent)
        steps.append(replace(_step(layer, op, rule, nonnegative, z), below_zero=below_zero))
        below = is_silent_below(op, rule, all(silent.get(o, True) for o in layer.node.outputs))
        silent.update((name, silent.get(name, True) and below) for name in op.signal_names)
    return Plan(tuple(steps), start, model.input.name)


def _optional(op: Operation, options: Mapping[str, str]) -> Operation:
    """The operation under the composite's options for what is not linear."""
    if isinstance(op, MaxPool) and options.get("max_pool") == "average":
        return op.as_average()
    if isinstance(op, Product) and options.get("product", "auto") != "auto":
        return op.treated(options["product"])  # type: ignore[arg-type]  # checked by Composite
    return op


def nonnegative_tensors(model: Model, operations: Mapping[int, Operation]) -> dict[str, bool]:
    """Tensor name → whether the network's structure rules out negative elements."""
    signs = {model.input.name: False}
    for layer in model.layers:
        op = operations[layer.index]
        inputs = all(signs.get(name, False) for name in op.signal_names)
        signs.update(dict.fromkeys(layer.node.outputs, op.nonnegative(inputs)))
    return signs


def _step(layer: Layer, op: Operation, rule: Rule | None, nonnegative: bool, z: str) -> Step:
    """One step; ``z`` is the tensor in which the pre-activation can be read, if any."""
    if not isinstance(op, Linear) or rule is None:
        return Step(layer, op, None, nonnegative, op.values())
    if rule.passes:
        return Step(layer, op, rule, nonnegative, ())
    view = rule.input
    values = () if view.is_constant else op.signal_names
    # ReLU(z), which others read as well, and z less what the bounds give are enough.
    is_measured = view.is_box and z != layer.node.output and not rule.relative
    if not is_measured:
        if not (z and view.is_plain and any(reads_preactivation(rule))):
            z = ""
        elif rule.relative or rule.bias == "spread":
            z = layer.node.output  # these ask for z at every neuron
    forwards, adjoints = passes(rule, nonnegative)
    values = (*values, z) if z else values
    return Step(layer, op, rule, nonnegative, values, 0 if is_measured else forwards, adjoints, z)


def reads_preactivation(rule: Rule) -> list[bool]:
    """For every branch: whether it divides by, or looks at the sign of, z itself."""
    return [
        branch.where is not Where.ALWAYS
        or (branch.weight.is_plain and branch.weight.positive != 0 and branch.weight.negative != 0)
        for branch in rule.branches
    ]


def passes(rule: Rule, nonnegative: bool) -> tuple[int, int]:
    """(forwards, adjoints) of the layer's size that a rule costs at most."""
    signs = 1 if nonnegative else 2
    adjoints = 0
    own = set()
    for branch in rule.branches:
        split = signs if branch.weight.is_signed or rule.input.is_box else 1
        adjoints += split
        plain_z = rule.input.is_plain and branch.weight.is_plain and not branch.weight.is_signed
        if rule.input.is_constant or plain_z:
            continue
        mixed = rule.input.is_plain and branch.weight.positive and branch.weight.negative
        own.add(("z+", split) if mixed else (branch.weight, split))
    return sum(split for _, split in own), adjoints
