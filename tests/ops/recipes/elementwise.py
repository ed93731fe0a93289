"""Activations and choices."""

from __future__ import annotations

import numpy as np

from tests.ops.recipes.registry import recipe


@recipe("Relu", "Abs", "LeakyRelu", "Neg", "Identity", linear=True)
def plain(s, op):
    s.add(op)


@recipe(
    "Elu", "Selu", "Celu", "Gelu", "HardSwish", "Mish", "Softsign", "Shrink", "Erf", "Sin", "Cos",
    "Tanh", "Atan", "Asinh", "Sigmoid", "HardSigmoid", "Softplus", "Floor", "Ceil", "Round", "Sign",
    "ThresholdedRelu", "Dropout",
)  # fmt: skip
def smooth(s, op):
    s.add(op)


@recipe("com.microsoft.Gelu", "com.microsoft.QuickGelu")
def fused_gelu(s, op):
    s.add(op.rpartition(".")[2], domain="com.microsoft")


@recipe("com.microsoft.BiasGelu", "com.microsoft.FastGelu")
def biased_gelu(s, op):
    s.add(op.rpartition(".")[2], s.name, s.normal(s.shape[-1]), domain="com.microsoft")


@recipe("Sqrt", "Log", "Reciprocal", "Acosh")
def of_positive(s, op):
    s.add("Abs")
    s.add("Add", s.name, s.constant(1.25))
    s.add(op)


@recipe("Asin", "Acos", "Atanh", "Tan")
def of_small(s, op):
    s.add("Tanh")
    s.add("Mul", s.name, s.constant(0.9))
    s.add(op)


@recipe("Exp", "Sinh", "Cosh", "Clip")
def of_clipped(s, op):
    s.add("Clip", s.name, s.constant(-2.0), s.constant(2.0))
    if op != "Clip":
        s.add(op)


@recipe("Pow")
def power(s, op):
    if s.integer(0, 1):
        s.add(op, s.name, s.constant(2.0))
    else:
        s.add("Tanh")
        s.add(op, s.constant(1.5), s.name)


@recipe("PRelu", linear=True)
def prelu(s, op):
    s.need(s.rank >= 2)
    s.add(op, s.name, s.normal(s.shape[1], *(1,) * (s.rank - 2), scale=0.25))


@recipe("LRN")
def local_response(s, op):
    s.need(s.rank == 4)
    s.add(op, size=3)


@recipe("Cast")
def cast(s, op):
    s.add(op, to=11)
    s.add(op, to=1)


@recipe("CastLike")
def cast_like(s, op):
    s.add(op, s.name, s.constant(1.0))


@recipe("QuantizeLinear", "DequantizeLinear")
def quantised_pair(s, op):
    scale, zero = s.constant(0.05), s.constant(120, np.uint8)
    s.add("QuantizeLinear", s.name, scale, zero)
    s.add("DequantizeLinear", s.name, scale, zero)


@recipe("Max", "Min", linear=True)
def extremum(s, op):
    first = s.name
    s.add("Neg")
    s.add(op, first, s.name)


@recipe("Where", linear=True)
def where(s, op):
    first = s.name
    (mask,) = s.add("Greater", first, s.constant(0.1))
    s.go_on(first)
    s.add("Mul", first, s.constant(-0.5))
    s.add(op, mask, first, s.name)
