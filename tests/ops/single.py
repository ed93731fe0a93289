"""One-node networks: an operation bound to its node, with onnxruntime to say what the node does."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from onnxlrp.graph.model import Layer, Model, Node, Tensor
from onnxlrp.graph.proto import attributes as attributes_of
from onnxlrp.ops import bind


class Known:
    """Tensors whose values are all known."""

    def __init__(self, values):
        self._values = values

    def value(self, name):
        return self._values[name]

    def shape(self, name):
        return self._values[name].shape


class SingleNode:
    """A node with random or given inputs; ``constants`` maps positions to arrays.

    Inputs at the positions ``steering``, and all that are no floats, carry no signal.
    """

    def __init__(
        self, op, inputs, constants=None, outputs=1, opset=18, domain="", steering=(), **attributes
    ):
        constants = constants or {}
        self.op = op
        count = len(inputs) + len(constants)
        names = [f"i{k}" for k in range(count)]
        free = [k for k in range(count) if k not in constants]
        self.inputs = dict(zip((names[k] for k in free), inputs, strict=True))
        self.constants = {names[k]: v for k, v in constants.items() if v is not None}
        names = [n if n in self.inputs or n in self.constants else "" for n in names]
        self.outputs = [f"o{k}" for k in range(outputs)]
        node = helper.make_node(op, names, self.outputs, name="node", domain=domain, **attributes)
        graph = helper.make_graph(
            [node],
            "single",
            [
                helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
                for n, v in self.inputs.items()
            ],
            [onnx.ValueInfoProto(name=o) for o in self.outputs],
            [numpy_helper.from_array(v, n) for n, v in self.constants.items()],
        )
        proto = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)],
            ir_version=8,
        )
        self._session = ort.InferenceSession(
            proto.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        called = Node("node", op, tuple(names), tuple(self.outputs), attributes_of(node), domain)
        floats = (k for k in free if self.inputs[names[k]].dtype == np.float32)
        signals = tuple(k for k in floats if k not in steering)
        layer = Layer(0, called, signals=signals)
        self.model = Model(
            name="single", sha256="", proto=proto, layers=(layer,), constants=self.constants,
            input=Tensor("i0", "float32", next(iter(self.inputs.values())).shape),
            output=Tensor("o0", "float32", None),
            explained="o0", changes=(), opset=opset, ir_version=8,
        )  # fmt: skip

    @property
    def operation(self):
        """The node as LRP sees it."""
        return bind(self.model)[0]

    def run(self, *inputs):
        """The node's outputs."""
        feeds = dict(zip(self.inputs, inputs, strict=True)) if inputs else self.inputs
        return self._session.run(None, feeds)

    def tensors(self):
        """All values, the outputs included."""
        made = dict(zip(self.outputs, self.run(), strict=True))
        return Known({**self.constants, **self.inputs, **made})


def normal(*shape, seed=0):
    """Standard normal float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
