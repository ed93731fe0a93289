"""Einsum: a move, a linear layer with one constant operand, or a product of activations."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from onnxlrp.graph.model import Layer, Model
from onnxlrp.ops.base import (
    Array,
    Linear,
    LinearMap,
    Move,
    Operation,
    Shape,
    Tensors,
    operation,
)
from onnxlrp.ops.broadcast import sum_to_shape
from onnxlrp.ops.proportion import FixedMap, Proportional


class Equation:
    """What an Einsum sums: a string of letters for every operand and one for the output."""

    def __init__(self, op: Operation) -> None:
        text = str(op.node.attributes["equation"]).replace(" ", "")
        inputs, arrow, output = text.partition("->")
        self.terms = tuple(inputs.split(","))
        letters = sorted(set(inputs) - {",", "."})
        alone = [letter for letter in letters if inputs.count(letter) == 1]
        dots = "..." if "..." in inputs else ""
        self.output = output if arrow else dots + "".join(alone)
        for position, term in enumerate(self.terms):
            plain = term.replace(".", "")
            if len(set(plain)) < len(plain):
                raise op.unsupported(f"{text!r} takes a diagonal, which has no rule here")
            summed = term[0] != "." and term[0] not in self.output if term else False
            if position in op.layer.signals and summed:
                raise op.unsupported(f"{text!r} sums over the batch axis and so mixes pictures")

    def explicit(self, ranks: Sequence[int]) -> tuple[list[str], str]:
        """The terms and the output with letters in the ellipsis' place."""
        free = [letter for letter in string.ascii_letters if letter not in "".join(self.terms)]
        hidden = [
            r - len(t) + 3 if "..." in t else 0 for t, r in zip(self.terms, ranks, strict=True)
        ]
        names = "".join(free[: max(hidden)])
        terms = [
            term.replace("...", names[len(names) - count :])
            for term, count in zip(self.terms, hidden, strict=True)
        ]
        return terms, self.output.replace("...", names)

    def forward(self, operands: Sequence[Array]) -> Array:
        """The sum itself."""
        terms, output = self.explicit([x.ndim for x in operands])
        return np.asarray(np.einsum(f"{','.join(terms)}->{output}", *operands, optimize=True))

    def adjoint(self, s: Array, operands: Sequence[Array], position: int) -> Array:
        """Share of s of the operand at a position, the others held fixed."""
        terms, output = self.explicit([x.ndim for x in operands])
        wanted, shape = terms.pop(position), operands[position].shape
        others = [x for i, x in enumerate(operands) if i != position]
        present = "".join(letter for letter in wanted if letter in output + "".join(terms))
        g = np.einsum(f"{','.join([output, *terms])}->{present}", s, *others, optimize=True)
        sizes = iter(g.shape)
        spread = np.reshape(g, [next(sizes) if letter in present else 1 for letter in wanted])
        whole = np.broadcast_shapes(spread.shape, shape)
        return sum_to_shape(np.broadcast_to(spread, whole), shape)


@operation("Einsum")
def einsum(layer: Layer, model: Model) -> Operation:
    """By rule with one constant operand; of activations: equal shares, in proportion (z-rule)."""
    count = len(layer.node.inputs)
    equation = Equation(Operation(layer, model))
    if count == 1 and sorted(equation.terms[0]) == sorted(equation.output):
        return EinsumTranspose(layer, model, equation)
    constant = [name for name in layer.node.inputs if name in model.constants]
    if len(layer.signals) == 1 and count <= 2 and len(constant) == count - 1:
        return EinsumLinear(layer, model, equation)
    return EinsumProduct(layer, model, equation)


class EinsumTranspose(Move):
    """Axes in another order."""

    def __init__(self, layer: Layer, model: Model, equation: Equation) -> None:
        super().__init__(layer, model)
        self._equation = equation

    def propagate(self, relevance: Array, tensors: Tensors) -> tuple[Array, ...]:
        """The inverse order."""
        (term,), output = self._equation.explicit([relevance.ndim])
        return (np.einsum(f"{output}->{term}", relevance),)


class EinsumMap:
    """z = the sum over x·W, the operands in the node's order."""

    def __init__(self, op: EinsumLinear, weight: Array) -> None:
        self._op = op
        self._weight = weight

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return int(self._weight.nbytes)

    def _operands(self, x: Array) -> tuple[Array, ...]:
        """Signal and weight in the node's order; a lone operand's weight is a factor."""
        if len(self._op.node.inputs) == 1:
            return (x,)
        return (x, self._weight) if self._op.signals == (0,) else (self._weight, x)

    @property
    def _factor(self) -> Array:
        return self._weight if len(self._op.node.inputs) == 1 else np.ones(1, np.float32)

    def forward(self, xs: tuple[Array, ...], out_shape: Shape) -> Array:
        """The weighted sum, without bias."""
        return self._op.equation.forward(self._operands(xs[0])) * self._factor

    def adjoint(self, s: Array, in_shapes: tuple[Shape, ...]) -> tuple[Array, ...]:
        """Every input's share of s."""
        unread = np.broadcast_to(np.float32(0), in_shapes[0])  # only its shape counts
        position = self._op.signals[0]
        share = self._op.equation.adjoint(s, self._operands(unread), position)
        return (share * self._factor,)


class EinsumLinear(Linear):
    """A sum of one activation times a constant, or of one activation alone."""

    def __init__(self, layer: Layer, model: Model, equation: Equation) -> None:
        super().__init__(layer, model)
        self.signals = layer.signals
        self.equation = equation
        self.weight = np.ones(1, np.float32)
        if len(self.node.inputs) > 1:
            self.weight = np.asarray(self.constant(1 - self.signals[0]), np.float32)

    def prepare(self, see: Callable[[Array], Array]) -> LinearMap:
        """The sum with weights ``see(W)``."""
        return EinsumMap(self, see(self.weight))


class EinsumProduct(Proportional):
    """A sum of products of activations: equal shares to the factors, in proportion within each."""

    treatment: ClassVar[str] = "equal shares to the factors, in proportion to elements (z-rule)"

    def __init__(self, layer: Layer, model: Model, equation: Equation) -> None:
        super().__init__(layer, model)
        self.signals = layer.signals
        self._equation = equation

    def values(self) -> tuple[str, ...]:
        """All that is computed, and the output."""
        return (*self.computed(*range(len(self.node.inputs))), self.node.output)

    def fixed_map(self, tensors: Tensors) -> FixedMap:
        """Each factor's map is the product of the others."""
        given = [self.setting(i, tensors) for i in range(len(self.node.inputs))]
        operands = [np.asarray(x, np.float32) for x in given]

        def adjoint(s: Array) -> tuple[Array, ...]:
            return tuple(self._equation.adjoint(s, operands, i) for i in self.signals)

        xs = tuple(operands[i] for i in self.signals)
        z = tensors.value(self.node.output)
        return FixedMap(xs, z, adjoint, times=float(len(self.signals)))
