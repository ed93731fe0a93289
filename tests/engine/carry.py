"""One linear layer under one rule, carried out by the package on a one-node network."""

from __future__ import annotations

import numpy as np

from onnxlrp.linear import redistribute
from onnxlrp.maps import Maps
from onnxlrp.preactivation import Preactivation
from onnxlrp.seen import Seen, everywhere, see_input


def carry(
    single, rule, relevance, bounds=None, use_z=True, keep_books=False, keep_sums=True
):  # fmt: skip
    """Relevance of the layer's inputs (and its books); ``bounds`` (low, high) for z^B."""
    op, tensors = single.operation, single.tensors()
    xs = tuple(tensors.value(name) for name in op.signal_names)
    z = tensors.value("o0")
    if rule.input.is_constant:
        seen = Seen.everywhere(
            rule.input.constant, everywhere(rule.input.constant, tuple(x.shape for x in xs))
        )
    else:
        if bounds is not None:
            bounds = tuple(tuple(map(everywhere_like, side, xs)) for side in bounds)
        seen = see_input(rule.input, xs, bounds, nonnegative=False)
    preactivation = Preactivation(op, Maps(), seen, z.shape)
    if (rule.input.is_plain or rule.input.is_box) and use_z:
        preactivation = preactivation.taking(z)
    shapes = tuple(x.shape for x in xs)
    handed = redistribute(op, rule, preactivation, relevance, shapes, keep_books, keep_sums)
    return (handed.parts, handed.absorbed) if keep_books else handed.parts


def everywhere_like(bound, x):
    """A bound at every element of one sample."""
    return np.array(np.broadcast_to(np.float32(bound), (1, *x.shape[1:])))
