"""How LRP sees an operator: four kinds of operation, and the registry by ONNX name.

* :class:`Linear`: z = Σ a·w + b. It offers a map with forward and adjoint for any weights of the
  same shape; which weights, and how relevance is shared, is the rule's affair.
* :class:`Move`: the exact adjoint of a rearrangement (reshape, concat, pad …).
* :class:`Pass`: relevance stays where it is (activations).
* anything else overrides :meth:`Operation.propagate` (max-pool, products).

An operation never knows a rule.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from onnxlrp.errors import UnsupportedOperationError
from onnxlrp.graph.model import Layer, Model, Node
from onnxlrp.graph.refusals import listed, refusal
from onnxlrp.kernels import Epilogue

Array = NDArray[np.float32]
Shape = tuple[int, ...]
See = Callable[[Array], Array]
"""How weights are seen: an element-wise function of them."""


class Tensors(Protocol):
    """What the forward pass hands to the sweep: values where asked for, shapes of everything."""

    def value(self, name: str) -> Array:
        """The tensor's activation, float32."""

    def shape(self, name: str) -> Shape:
        """The tensor's shape, batch included."""


class LinearMap(Protocol):
    """A linear map with fixed weights, ready to run: z = forward(x), g = adjoint(s)."""

    @property
    def nbytes(self) -> int:
        """Memory held by weights and whatever was derived from them."""

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """Σ over inputs of x·W, without bias; shape ``out_shape``."""

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """s·Wᵀ for every input, in the inputs' shapes."""


class SumMap:
    """z = Σₖ wₖ·xₖ, element by element where the inputs have the output's shape.

    Attributes
    ----------
    factors : ndarray, float32
        The weight of every input.
    """

    factors: Array


class FusedMap:
    """A linear map that can go on with each part of its result while that is in the cache.

    The parts are those of one array (N, C, …): the map has one input.
    """

    @property
    def nbytes(self) -> int:
        """Memory held by weights and whatever was derived from them."""
        raise NotImplementedError

    def forward(
        self, xs: tuple[Array, ...], out_shape: Shape, then: Epilogue | None = None
    ) -> Array:
        """x·W, without bias, and what is made of it then."""
        raise NotImplementedError

    def adjoint(
        self,
        s: Array,
        in_shapes: tuple[Shape, ...],
        then: Epilogue | None = None,
        out: Array | None = None,
    ) -> tuple[Array, ...]:
        """s·Wᵀ, and what is made of it then, in ``out`` or a new array."""
        raise NotImplementedError


class Operation:
    """One layer as LRP sees it; made from the layer's node, refuses what it cannot treat.

    Parameters
    ----------
    layer : Layer
    model : Model
        Where its constants and its neighbours are looked up.

    Attributes
    ----------
    signals : tuple of int
        Input positions that relevance flows to.
    held : tuple of int
        Input positions that change with the picture but are held fixed: gates, norms, masks.
    """

    treatment: ClassVar[str] = ""
    """One line for the table of operators: what happens to relevance here."""

    passes_silence: bool = False
    """Whether inputs that are 0 get no relevance, if none arrives where the output is 0."""

    reads_in_tasks: ClassVar[bool] = False
    """Whether the values that it reads go into tasks of the kernels, and decide nothing else."""

    cuts_off: bool = False
    """Whether its output is 0 wherever its input is negative."""

    def __init__(self, layer: Layer, model: Model) -> None:
        self.layer = layer
        self.node: Node = layer.node
        self.model = model
        self.signals: tuple[int, ...] = (0,)
        self.held: tuple[int, ...] = ()

    def constant(self, position: int) -> NDArray[Any] | None:
        """The constant at an input position; None if absent."""
        name = self.node.inputs[position] if position < len(self.node.inputs) else ""
        if not name:
            return None
        if name not in self.model.constants:
            raise self.unsupported(f"input {position} ({name!r}) is computed, a constant is needed")
        return self.model.constants[name]

    def is_constant(self, position: int) -> bool:
        """Whether that input is there and constant."""
        return (
            position < len(self.node.inputs) and self.node.inputs[position] in self.model.constants
        )

    def setting(self, position: int, tensors: Tensors) -> NDArray[Any] | None:
        """Indices, sizes or bounds at an input position, constant or computed; None if absent."""
        name = self.node.inputs[position] if position < len(self.node.inputs) else ""
        if not name:
            return None
        return self.model.constants[name] if self.is_constant(position) else tensors.value(name)

    def computed(self, *positions: int) -> tuple[str, ...]:
        """Those of the inputs that are there and computed: what :meth:`setting` has to read."""
        names = (self.node.inputs[i] for i in positions if i < len(self.node.inputs))
        return tuple(name for name in names if name and name not in self.model.constants)

    @cached_property
    def signal_names(self) -> tuple[str, ...]:
        """The tensors that relevance flows to."""
        return tuple(self.node.inputs[i] for i in self.signals)

    def values(self) -> tuple[str, ...]:
        """The tensors whose values :meth:`propagate` reads."""
        return ()

    def nonnegative(self, inputs: bool) -> bool:
        """Whether the output is never negative; ``inputs``: whether no signal input ever is."""
        return False

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Relevance of the output → relevance of every signal input."""
        raise NotImplementedError

    def propagate_all(
        self, relevances: tuple[Array | None, ...], tensors: Tensors
    ) -> tuple[Array, ...]:
        """The same with a relevance for every output (None: nothing arrived there)."""
        assert relevances[0] is not None  # bind_layer sees to it that no other output is read
        return self.propagate(relevances[0], tensors)

    def absorbed(self, relevance: Array, tensors: Tensors) -> tuple[Array | None, Array | None]:
        """What constants and what the stabiliser took, element by element; None: nothing.

        For the books: Σ R arrived = Σ R handed to the inputs + Σ constants' + Σ stabiliser's.
        """
        return None, None

    def unsupported(self, why: str) -> UnsupportedOperationError:
        """The error that names this node."""
        return UnsupportedOperationError(f"node {self.node.name!r} ({self.node.op}): {why}.")


class Pass(Operation):
    """Relevance stays where it is: an element-wise activation."""

    treatment = "passes relevance"

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """R_in = R_out."""
        return (relevance,)


class Move(Operation):
    """A rearrangement: every relevance goes back to where its activation came from."""

    treatment = "moves relevance back exactly"

    def nonnegative(self, inputs: bool) -> bool:
        """Moving elements keeps their signs."""
        return inputs


class Linear(Operation):
    """z = Σ a·w + b: what rules are for.

    Attributes
    ----------
    weight : ndarray, float32
        Any shape; element-wise maps of it (w⁺, w², 1) are weights of the same operation.
    bias : ndarray, float32, broadcasting to one sample of the output, or None
    default_rule : str
        "epsilon" or "pass": what applies when no composite says otherwise.
    """

    treatment = "by rule"
    reads_in_tasks = True
    default_rule: ClassVar[str] = "epsilon"

    interleaves: ClassVar[bool] = False
    """Whether there are maps of several weights at once: :meth:`prepare_interleaved`."""

    def __init__(self, layer: Layer, model: Model) -> None:
        super().__init__(layer, model)
        self.weight: Array
        self.bias: Array | None = None

    @abstractmethod
    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The map whose weights are ``see(weight)``, an element-wise function of this layer's."""
        raise NotImplementedError

    def prepare_interleaved(self, sees: Sequence[Sequence[See]]) -> FusedMap:
        """The map of several weights at once, whose channels lie side by side.

        Copy s of an input channel has the weights ``sees[b][s](W)`` for copy b of an output
        channel: the input is (N, C·copies, …), the output (N, K·copies, …).
        """
        raise NotImplementedError

    @property
    def merged(self) -> Linear | None:
        """The layer with one neuron for all that have the same inputs; None if no two have.

        It stands for them where neither weights nor biases count; its input is the same tensor.
        """
        return None

    def merge(self, relevance: Array) -> Array:
        """Σ R over the neurons that have the same inputs: relevance of :attr:`merged`."""
        raise NotImplementedError

    def bias_at(self, rank: int) -> Array | None:
        """The bias, ready to be added to an output of that rank."""
        return self.bias

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """Not for linear layers: a rule carries them out."""
        raise TypeError("a linear layer is carried out by onnxlrp.linear with a rule")


Factory = Callable[[Layer, Model], Operation]
OPERATIONS: dict[str, Factory] = {}
"""ONNX operator name → how to make its operation; filled by :func:`operation`."""


def operation(*names: str) -> Callable[[Any], Any]:
    """Class or function decorator: enter a factory under ONNX operator names, each taken once."""

    def enter(factory: Any) -> Any:
        for name in names:
            if name in OPERATIONS:
                raise ValueError(f"operator {name!r} is defined twice")
            OPERATIONS[name] = factory
        return factory

    return enter


def qualified(node: Node) -> str:
    """The name that a node's operator has in the registry: "Conv", "com.microsoft.Gelu"."""
    return node.op if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op}"


def bind_layer(layer: Layer, model: Model) -> Operation:
    """The layer's operation.

    Raises
    ------
    UnsupportedOperationError
        There is none, or not for a node like this one; says why.
    """
    factory = OPERATIONS.get(qualified(layer.node))
    if factory is None:
        raise Operation(layer, model).unsupported(refusal(layer.node.op, layer.node.domain))
    op = factory(layer, model)
    for position in layer.signals:
        if position not in (*op.signals, *op.held):
            name = layer.node.inputs[position]
            raise op.unsupported(f"input {position} ({name!r}) is computed from the picture")
    for position in op.signals:
        if position not in layer.signals:
            name = layer.node.inputs[position]
            raise op.unsupported(f"input {position} ({name!r}) carries nothing of the picture")
    if type(op).propagate_all is Operation.propagate_all:
        for name in model.signals.intersection(layer.node.outputs[1:]):
            raise op.unsupported(f"its further output {name!r} is read, only the first one may be")
    return op


def bind(model: Model) -> dict[int, Operation]:
    """Layer index → operation, for all layers; or one error that names every unsupported node.

    Raises
    ------
    UnsupportedOperationError
    """
    bound: dict[int, Operation] = {}
    problems: list[str] = []
    for layer in model.layers:
        try:
            bound[layer.index] = bind_layer(layer, model)
        except UnsupportedOperationError as error:
            problems.append(str(error))
    if problems:
        raise listed(problems)
    return bound
