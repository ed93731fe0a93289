"""Tiny networks whose scores can be written down."""

from __future__ import annotations

import numpy as np

from onnxlrp.graph.load import load
from onnxlrp.preprocess import Preprocessing
from tests.graph.networks import network

PLAIN = Preprocessing(channels="L", scale=1.0)
"""One channel of pixel values as they are."""


def linear_net(w, shape, preprocessing=PLAIN, batch="N"):
    """f(x) = Σ w·x for pictures (1, H, W): one output a column of ``w``."""
    size = ", ".join(map(str, shape))
    text = f"""(float[{batch}, {size}] x) => (float[{batch}, {w.shape[1]}] y)
        {{ f = Flatten(x)  y = MatMul(f, w) }}"""
    return load(network(text, w=np.asarray(w, np.float32)), preprocessing)


def sum_net(shape, dtype="float", **options):
    """f(x) = Σ x of any input; the input's values can be read off by flipping."""
    size = ", ".join(map(str, shape))
    text = f"""({dtype}[N, {size}] x) => (float[N, 1] y)
        {{ c = Cast <to = 1> (x)  f = Flatten(c)  y = ReduceSum <keepdims = 1> (f, axes) }}"""
    return load(network(text, axes=np.array([1])), **options)
