"""Max pools that a composite treats as average pools divide by the average, not by the maximum."""

from __future__ import annotations

import numpy as np
from onnx import parser

from onnxlrp import Composite, explain, load

POOLED = """
    <ir_version: 8, opset_import: ["" : 17]>
    pooled (float[N, 1, 4, 4] x) => (float[N, 1, 2, 2] y) {
        y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x)
    }"""


def test_relevance_is_shared_in_proportion_within_each_window() -> None:
    x = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)
    weights = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
    result = explain(
        load(parser.parse_model(POOLED)),
        x,
        Composite("shared", max_pool="average"),
        target=weights.reshape(1, 2, 2),
        init="one",
    )
    windows = x.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
    shared = windows / windows.sum(axis=1, keepdims=True) * weights[:, None]
    expected = shared.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(x.shape)
    np.testing.assert_allclose(result.relevance, expected, rtol=1e-5)
