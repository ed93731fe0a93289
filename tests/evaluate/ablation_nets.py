"""Two small networks to ablate, a perceptron and a convolutional one, and their pictures."""

from __future__ import annotations

import numpy as np

from onnxlrp.graph.load import load
from onnxlrp.preprocess import Preprocessing
from tests.graph.networks import linear, network

HIDDEN, CLASSES = 5, 3
U, W, B = linear(4, HIDDEN, 1), linear(HIDDEN, CLASSES, 2), linear(1, HIDDEN, 3)[0]
PERCEPTRON = """(float[{batch}, 4] x) => (float[{batch}, 3] y)
    {{ z = Gemm(x, u, b)  a = Relu(z)  y = MatMul(a, w) }}"""
CONV = """(float[{batch}, {shape}] x) => (float[{batch}, 3] y)
    {{ {before}  z = Conv <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (p, k)  a = Relu(z)
       q = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (a)  f = Flatten(q)
       y = MatMul(f, w) }}"""
KERNEL, DENSE = linear(6, 27, 4).reshape(6, 3, 3, 3), linear(24, 3, 5)


def perceptron(batch="N"):
    return load(network(PERCEPTRON.format(batch=batch), u=U, w=W, b=B))


def conv_net(batch="N", channels_last=False, labels=None):
    before = "p = Transpose <perm = [0, 3, 1, 2]> (x)" if channels_last else "p = Identity(x)"
    shape = "4, 4, 3" if channels_last else "3, 4, 4"
    text = CONV.format(batch=batch, shape=shape, before=before)
    layout = "NHWC" if channels_last else "NCHW"
    return load(network(text, k=KERNEL, w=DENSE), Preprocessing(layout=layout), labels)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def hidden(x):
    return np.maximum(x @ U + B, 0)


X = normal(4, 4, seed=7)
PICTURES = normal(4, 3, 4, 4, seed=8)
MODEL, CONV_NET = perceptron(), conv_net()
