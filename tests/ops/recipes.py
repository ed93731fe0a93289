"""How the fuzz draws each operator of the registry: a node that fits the tensor at hand."""

from __future__ import annotations

import numpy as np

RECIPES = {}
"""Operator name, as in the registry → how to append one to a sketch."""

PIECEWISE_LINEAR = set()
"""Those that are piecewise linear without bias: there LRP-0 is gradient times input."""


def recipe(*names, linear=False):
    """Enter a function of (sketch, operator name) under operator names."""

    def enter(draw):
        RECIPES.update(dict.fromkeys(names, draw))
        if linear:
            PIECEWISE_LINEAR.update(names)
        return draw

    return enter


# --- element by element ---------------------------------------------------------------------------


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


# --- sums, factors, products ----------------------------------------------------------------------


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


# --- reductions and normalisations ----------------------------------------------------------------


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
    s.add("Mul", s.name, s.constant(1.5))  # nothing behind a final softmax is cut off


# --- windows and grids ----------------------------------------------------------------------------


@recipe("MaxPool", "AveragePool", "LpPool")
def pool(s, op):
    s.need(s.rank in (3, 4) and min(s.shape[2:]) >= 2)
    padded = {"count_include_pad": s.integer(0, 1)} if op == "AveragePool" else {}
    spatial = s.rank - 2
    s.add(
        op, kernel_shape=[2] * spatial, strides=[s.integer(1, 2)] * spatial,
        pads=[1, 0][: spatial] * 2, ceil_mode=s.integer(0, 1), **padded,
    )  # fmt: skip


PIECEWISE_LINEAR.update(("MaxPool", "AveragePool"))


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


# --- moves ----------------------------------------------------------------------------------------


@recipe("Reshape", linear=True)
def reshape(s, op):
    s.add(op, s.name, s.constant([0, 1, -1], np.int64))


@recipe("Flatten", linear=True)
def flatten(s, op):
    s.add(op)


@recipe("Squeeze", "Unsqueeze", linear=True)
def squeeze(s, op):
    s.need(s.rank < 5)
    axis = s.constant([s.integer(1, s.rank)], np.int64)
    s.add("Unsqueeze", s.name, axis)
    if op == "Squeeze":
        s.add("Relu")
        s.add("Squeeze", s.name, axis)


@recipe("Transpose", linear=True)
def transpose(s, op):
    s.add(op, perm=[0, *(1 + s.random.permutation(s.rank - 1))])


@recipe("Concat", linear=True)
def concat(s, op):
    first = s.name
    s.add("Mul", first, s.constant(-0.6))
    s.add(op, first, s.name, axis=s.integer(1, s.rank - 1))


@recipe("Split", linear=True)
def split(s, op):
    s.need(s.shape[1] >= 2)
    first, second = s.add(op, outputs=2, axis=1, num_outputs=2)
    if s.integer(0, 1):
        s.add("Concat", second, first, axis=1)


@recipe("Slice", linear=True)
def slice_(s, op):
    axis = s.integer(1, s.rank - 1)
    starts, ends, steps = ([-1], [-(2**62)], [-2]) if s.integer(0, 1) else ([0], [2**62], [2])
    indices = (s.constant(v, np.int64) for v in (starts, ends, [axis], steps))
    s.add(op, s.name, *indices)


@recipe("Gather", linear=True)
def gather(s, op):
    axis = s.integer(1, s.rank - 1)
    picked = s.random.integers(-s.shape[axis], s.shape[axis], 3)
    s.add(op, s.name, s.constant(picked, np.int64), axis=axis)


@recipe("GatherElements", linear=True)
def gather_elements(s, op):
    axis = s.integer(1, s.rank - 1)
    picked = s.random.integers(0, s.shape[axis], s.shape)
    s.add(op, s.name, s.constant(picked, np.int64), axis=axis)


@recipe("GatherND", linear=True)
def gather_nd(s, op):
    picked = s.random.integers(0, s.shape[1], (s.shape[0], 2, 1))
    s.add(op, s.name, s.constant(picked, np.int64), batch_dims=1)


@recipe("ScatterElements")
def scatter_elements(s, op):
    first = s.name
    picked = np.argsort(s.random.random(s.shape), axis=1)[:, :1]
    s.add("Slice", first, *(s.constant(v, np.int64) for v in ([0], [1], [1])))
    s.add("Neg")
    s.add(op, first, s.constant(picked, np.int64), s.name, axis=1)


@recipe("ScatterND")
def scatter_nd(s, op):
    picked = [[n, s.shape[1] - 1] for n in range(s.shape[0])]
    s.add(op, s.name, s.constant(picked, np.int64), s.normal(s.shape[0], *s.shape[2:]))


@recipe("Expand", "Tile", linear=True)
def expand(s, op):
    axis = s.integer(1, s.rank - 1)
    counts = [2 if i == axis else 1 for i in range(s.rank)]
    if op == "Expand":
        s.need(s.rank < 5)
        counts = [s.shape[0], 2, *s.shape[1:]]
        s.add("Unsqueeze", s.name, s.constant([1], np.int64))
    s.add(op, s.name, s.constant(counts, np.int64))


@recipe("Pad")
def pad(s, op):
    widths = [0] * (2 * s.rank)
    axis = s.integer(1, s.rank - 1)
    widths[axis] = 1
    widths[axis + s.rank] = 1 if s.shape[axis] > 1 else 0
    mode = ("constant", "edge", "reflect")[s.integer(0, 2) if s.shape[axis] > 1 else 0]
    value = [s.constant(0.7)] if mode == "constant" else []
    s.add(op, s.name, s.constant(widths, np.int64), *value, mode=mode)


@recipe("CenterCropPad", linear=True)
def crop(s, op):
    axis = s.integer(1, s.rank - 1)
    s.add(op, s.name, s.constant([s.integer(1, 2 * s.shape[axis])], np.int64), axes=[axis])


@recipe("Trilu", linear=True)
def trilu(s, op):
    s.need(s.rank >= 3)
    s.add(op, s.name, s.constant(s.integer(-1, 1), np.int64), upper=s.integer(0, 1))


@recipe("DepthToSpace", linear=True)
def depth_to_space(s, op):
    s.need(s.rank == 4 and s.shape[1] % 4 == 0)
    s.add(op, blocksize=2, mode=("DCR", "CRD")[s.integer(0, 1)])


@recipe("SpaceToDepth", linear=True)
def space_to_depth(s, op):
    s.need(s.rank == 4 and s.shape[2] % 2 == 0 and s.shape[3] % 2 == 0)
    s.add(op, blocksize=2)
