from __future__ import annotations

import numpy as np

from onnxlrp.kernels.scratch import aligned, kept


def test_arrays_begin_a_cache_line_and_large_ones_a_page() -> None:
    for size in (0, 1, 1000, 2**20, 2**21 + 3):
        array = aligned(size)
        assert array.size == size
        assert array.ctypes.data % (2**21 if size >= 2**20 else 64) == 0


def test_what_is_kept_lies_side_by_side_and_apart() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.random(size, np.float32) for size in (5, 700_000, 16, 500_000, 2**20 + 1)]
    copies = [kept(array) for array in arrays]
    copies.append(kept(arrays[1].reshape(700, 1000).T))
    arrays.append(arrays[1].reshape(700, 1000).T.reshape(-1))
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert copy.ctypes.data % 64 == 0
    assert not any(np.may_share_memory(a, b) for a in copies for b in copies if a is not b)
