"""Elements put elsewhere."""

from __future__ import annotations

import numpy as np

from tests.ops.recipes.registry import recipe


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
