"""PyTorch's functions by what LRP does with them, and which of their outputs are gates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

ACTIVATIONS = {
    "celu", "clamp", "clip", "elu", "erf", "gelu", "hardswish", "hardtanh", "leaky_relu", "mish",
    "prelu", "relu", "relu6", "selu", "silu", "softplus", "softsign", "tanh",
}  # fmt: skip
GATES = {"hardsigmoid", "sigmoid", "softmax"}
STATISTICS = {"linalg_vector_norm", "norm", "rsqrt", "std", "var", "vector_norm"}
MOVES = {
    "__getitem__", "chunk", "contiguous", "dropout", "expand", "expand_as", "flatten", "permute",
    "repeat", "reshape", "split", "squeeze", "transpose", "unbind", "unsqueeze", "view", "view_as",
}  # fmt: skip
CONVOLUTIONS = {
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
}  # fmt: skip
PRODUCTS = {"mul", "multiply", "__mul__", "__rmul__", "__imul__"}
SUMS = {
    "__add__", "__iadd__", "__isub__", "__radd__", "__rsub__", "__sub__", "adaptive_avg_pool1d",
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "add", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "cumsum", "mean", "rsub", "sub", "subtract", "sum",
}  # fmt: skip
IN_PLACE = {
    "__iadd__": torch.add, "__isub__": torch.sub, "add_": torch.add, "div_": torch.div,
    "mul_": torch.mul, "sub_": torch.sub,
}  # fmt: skip
NEUTRAL = {"__add__", "__iadd__", "__isub__", "__radd__", "__sub__", "add", "sub"}
QUOTIENTS = {"div", "divide", "true_divide", "__truediv__", "__itruediv__"}
ELEMENTWISE = {
    *ACTIVATIONS, *GATES, *PRODUCTS, *QUOTIENTS, "__add__", "__iadd__", "__radd__", "add", "sub",
} - {"softmax"}  # fmt: skip


def stays_gate(name: str, tensors: list[Tensor]) -> bool:
    """Whether a gate comes out: moved, scaled by a constant or another gate, or divided."""
    gates = [getattr(t, "is_gate", False) for t in tensors if t.requires_grad]
    if name in MOVES | QUOTIENTS:
        return gates[0]
    return name in PRODUCTS and all(gates)


def highest(name: str, args: Any, kwargs: Any) -> float | None:
    """What a clamp from 0 on, scaled by a constant or not, can reach; None for anything else."""
    if name == "relu6":
        return 6.0
    if name in ("clamp", "hardtanh", "clip"):
        low, high, *_ = (*args[1:], *kwargs.values(), None, None)
        return None if high is None or float(low) != 0 else float(high)
    before = getattr(args[0], "highest", None) if len(args) == 2 else None
    if before is None or name not in PRODUCTS | QUOTIENTS or getattr(args[1], "numel", int)() > 1:
        return None
    return round(before * float(args[1]) ** (1 if name in PRODUCTS else -1), 6)


def is_nothing(operand: Any) -> bool:
    """Tell whether an operand is 0, a number or a single constant."""
    if isinstance(operand, Tensor):
        return operand.numel() == 1 and not operand.requires_grad and float(operand) == 0
    return isinstance(operand, int | float) and operand == 0


def tensors_in(values: Any) -> Iterator[Tensor]:
    """Yield the tensors among arguments, also those in lists."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from tensors_in(value)


def varying_in(values: Any) -> Iterator[Tensor]:
    """Yield the tensors among arguments that change with the picture."""
    return (t for t in tensors_in(values) if t.requires_grad)


def out_of_place(func: Any, name: str) -> Any:
    """Return a function that does not write into its input."""
    return getattr(functional, name, None) or getattr(torch, name)


def fixed(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the argument that keeps it from doing so, if it has one."""
    return {"inplace": False} if "inplace" in kwargs else {}
