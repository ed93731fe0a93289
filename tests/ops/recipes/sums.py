"""Sums, factors, products, reductions and normalisations."""

from __future__ import annotations

import numpy as np

from tests.ops.recipes.registry import recipe


@recipe("Add", "Sub", "Sum", "Mean", linear=True)
def branches(s, op):
    first = s.name
    s.add("Relu")
    s.add(op, first, s.name)


@recipe("Mul", "Div")
def factor(s, op):
    kind = s.integer(0, 2)
    if kind == 0:
        s.add(op, s.name, s.constant(np.exp(s.random.standard_normal(s.shape[1:]))))
        return
    first = s.name
    s.add("Abs" if kind == 1 else "Sigmoid")
    s.add("Add", s.name, s.constant(0.5))
    s.add(op, first, s.name)


@recipe("BatchNormalization")
def batch_norm(s, op):
    s.need(s.rank >= 2)
    c = s.shape[1]
    s.add(op, s.name, s.normal(c), s.normal(c), s.normal(c), s.constant(np.full(c, 0.7)))


@recipe("Conv", linear=True)
def conv(s, op):
    s.need(s.rank in (3, 4, 5))
    groups = s.shape[1] if s.integer(0, 3) == 0 else 1
    kernel = [min(s.integer(1, 3), n) for n in s.shape[2:]]
    weight = s.normal(groups * s.integer(1, 2), s.shape[1] // groups, *kernel)
    s.add(op, s.name, weight, group=groups, auto_pad=("VALID", "SAME_UPPER")[s.integer(0, 1)])


@recipe("ConvTranspose", linear=True)
def conv_transpose(s, op):
    s.need(s.rank in (3, 4))
    kernel = [s.integer(1, 3) for _ in s.shape[2:]]
    s.add(op, s.name, s.normal(s.shape[1], s.integer(1, 3), *kernel), strides=[2] * (s.rank - 2))


@recipe("Gemm")
def gemm(s, op):
    s.add("Flatten")
    s.add(op, s.name, s.normal(4, s.shape[1]), s.normal(4), transB=1)


@recipe("MatMul")
def matmul(s, op):
    s.need(s.rank >= 2)
    if s.rank == 2 or s.integer(0, 1):
        s.add(op, s.name, s.normal(s.shape[-1], s.integer(1, 4)))
        return
    first = s.name
    s.add("Transpose", perm=[*range(s.rank - 2), s.rank - 1, s.rank - 2])
    s.add(op, first, s.name)


@recipe("Einsum")
def einsum(s, op):
    s.need(s.rank >= 2)
    kind = s.integer(0, 2) if s.rank > 2 else 0
    if kind == 0:
        s.add(op, s.name, s.normal(s.shape[-1], 3), equation="...k,kj->...j")
    elif kind == 1:
        s.add(op, s.name, equation="...ij->...ji")
    else:
        s.add(op, s.name, s.name, equation="...ik,...jk->...ij")


@recipe("CumSum", linear=True)
def cumulative(s, op):
    s.need(s.rank >= 2)
    flags = {"reverse": s.integer(0, 1)}
    s.add(op, s.name, s.constant(s.integer(1, s.rank - 1), np.int64), **flags)


@recipe("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", linear=True)
def reduction(s, op):
    s.need(s.rank >= 3)
    s.add(op, s.name, s.constant([s.integer(1, s.rank - 1)], np.int64), keepdims=s.integer(0, 1))


@recipe("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd")
def norm_reduction(s, op):
    reduction(s, op)


@recipe("ReduceLogSum")
def log_sum(s, op):
    s.add("Abs")
    s.add("Add", s.name, s.constant(0.5))
    reduction(s, op)


@recipe("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def last_axis_norm(s, op):
    s.need(s.rank >= 2 and s.shape[-1] > 1)
    bias = [s.normal(s.shape[-1])] if op == "LayerNormalization" else []
    s.add(op, s.name, s.normal(s.shape[-1]), *bias, axis=-1)


@recipe("InstanceNormalization")
def instance_norm(s, op):
    s.need(s.rank in (3, 4) and np.prod(s.shape[2:]) > 1)
    s.add(op, s.name, s.normal(s.shape[1]), s.normal(s.shape[1]))


@recipe("GroupNormalization")
def group_norm(s, op):
    s.need(s.rank == 4 and np.prod(s.shape[2:]) > 1)
    groups = s.shape[1] if s.shape[1] % 2 else 2
    s.add(op, s.name, s.normal(s.shape[1]), s.normal(s.shape[1]), num_groups=groups)


@recipe("MeanVarianceNormalization")
def mean_variance_norm(s, op):
    s.need(s.rank == 4 and s.shape[3] > 1)
    s.add(op, axes=[2, 3])


@recipe("LpNormalization")
def lp_norm(s, op):
    s.need(s.rank >= 2 and s.shape[-1] > 1)
    s.add(op, axis=-1, p=s.integer(1, 2))


@recipe("Softmax", "LogSoftmax")
def softmax(s, op):
    s.need(s.rank >= 2 and s.shape[-1] > 1)
    s.add(op, axis=-1)
