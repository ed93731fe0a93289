"""One file an operator family; every module named here enters its operators in the registry."""

from onnxlrp.ops import (
    activation,
    addition,
    convolution,
    dense,
    pooling,
    product,
    rearrange,
    reduction,
    resize,
    scaling,
)
from onnxlrp.ops.base import OPERATIONS, Linear, Move, Operation, Pass, bind

__all__ = [
    "OPERATIONS",
    "Linear",
    "Move",
    "Operation",
    "Pass",
    "activation",
    "addition",
    "bind",
    "convolution",
    "dense",
    "pooling",
    "product",
    "rearrange",
    "reduction",
    "resize",
    "scaling",
]
