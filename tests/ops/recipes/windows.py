"""Pools and grids."""

from __future__ import annotations

import numpy as np

from tests.ops.recipes.registry import recipe


@recipe("LpPool")
@recipe("MaxPool", "AveragePool", linear=True)
def pool(s, op):
    s.need(s.rank in (3, 4) and min(s.shape[2:]) >= 2)
    padded = {"count_include_pad": s.integer(0, 1)} if op == "AveragePool" else {}
    spatial = s.rank - 2
    s.add(
        op, kernel_shape=[2] * spatial, strides=[s.integer(1, 2)] * spatial,
        pads=[1, 0][: spatial] * 2, ceil_mode=s.integer(0, 1), **padded,
    )  # fmt: skip


@recipe("GlobalAveragePool", "GlobalMaxPool", linear=True)
def global_pool(s, op):
    s.need(s.rank in (3, 4))
    s.add(op)


@recipe("Resize", linear=True)
def resize(s, op):
    s.need(s.rank == 4)
    mode = ("nearest", "linear")[s.integer(0, 1)]
    sizes = [*s.shape[:2], *(s.integer(1, 2 * n) for n in s.shape[2:])]
    s.add(op, s.name, "", "", s.constant(sizes, np.int64), mode=mode)
