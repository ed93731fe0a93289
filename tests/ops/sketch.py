"""A small random network, drawn node by node; onnxruntime says after each what it made."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

OPSET = 23
BATCH = 2


class Misfit(Exception):
    """The tensor at hand is not what an operator takes."""


class Sketch:
    """The network so far; the next node reads the tensor ``name``, which holds ``value``."""

    def __init__(self, shape, seed):
        self.random = np.random.default_rng(seed)
        self.x = self.random.standard_normal((BATCH, *shape)).astype(np.float32)
        self.name, self.value = "x", self.x
        self._nodes, self._constants, self._values = [], [], {"x": self.x}

    @property
    def shape(self):
        return self.value.shape

    @property
    def rank(self):
        return self.value.ndim

    def need(self, fits):
        """Leave this operator out where its input does not fit."""
        if not fits:
            raise Misfit

    def constant(self, value, dtype=np.float32):
        """A constant; the name to read it by."""
        value = np.asarray(value, dtype)
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        self._values[name] = value
        return name

    def normal(self, *shape, scale=1.0):
        """A random constant."""
        return self.constant(scale * self.random.standard_normal(shape))

    def integer(self, low, high):
        """A random number from low to high, both included."""
        return int(self.random.integers(low, high + 1))

    def add(self, op, *inputs, outputs=1, domain="", **attributes):
        """Append a node and go on from its first output; returns the names of all."""
        names = [f"t{len(self._nodes)}_{k}" for k in range(outputs)]
        node = helper.make_node(
            op,
            inputs or [self.name],
            names,
            f"n{len(self._nodes)}_{op}",
            domain=domain,
            **attributes,
        )
        found = self._run([node], names)
        self._nodes.append(node)
        self._values |= found
        self.name, self.value = names[0], found[names[0]]
        return names

    def go_on(self, name):
        """Let the next node read this tensor."""
        self.name, self.value = name, self._values[name]

    def _run(self, nodes, names):
        reads = {name for node in nodes for name in node.input if name}
        feeds = {name: self._values[name] for name in reads}
        ports = [_port(name, value) for name, value in feeds.items()]
        graph = helper.make_graph(
            nodes, "step", ports, [onnx.ValueInfoProto(name=n) for n in names]
        )
        session = ort.InferenceSession(
            _proto(graph).SerializeToString(), _quiet(), providers=["CPUExecutionProvider"]
        )
        return dict(zip(names, session.run(names, feeds), strict=True))

    def model(self):
        """The whole network; its batch is open."""
        picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", *self.x.shape[1:]))
        output = onnx.ValueInfoProto(name=self.name)
        output.type.tensor_type.elem_type = TensorProto.FLOAT
        graph = helper.make_graph(self._nodes, "sketch", [picture], [output], self._constants)
        return _proto(graph)


def _port(name, value):
    return helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
    )


def _proto(graph):
    domains = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=domains, ir_version=10)


def _quiet():
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return options
