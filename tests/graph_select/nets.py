"""Small models built by hand: only what choosing layers looks at."""

from __future__ import annotations

from onnxlrp.graph.model import Layer, Model, Node, Tensor
from onnxlrp.preprocess import Preprocessing

VGG16 = (
    *(["Conv", "Relu", "Conv", "Relu", "MaxPool"] * 2),
    *(["Conv", "Relu", "Conv", "Relu", "Conv", "Relu", "MaxPool"] * 3),
    *["Flatten", "Gemm", "Relu", "Gemm", "Relu", "Gemm"],
)


def model_of(layers: list[Layer], preprocessing: Preprocessing | None = None) -> Model:
    """A model with these layers, from tensor "x" to the last layer's output."""
    return Model(
        name="tiny",
        sha256="0" * 64,
        proto=None,
        layers=tuple(layers),
        constants={},
        input=Tensor("x", "float32", (1, 3, 8, 8)),
        output=Tensor("y", "float32", (1, 10)),
        explained=layers[-1].node.output,
        changes=(),
        opset=17,
        ir_version=8,
        preprocessing=preprocessing,
    )


def chain(*ops: str, preprocessing: Preprocessing | None = None) -> Model:
    """Layers one after the other, named "conv_0", "relu_1", …."""
    layers = [
        layer(index, op, "x" if index == 0 else f"t{index - 1}", f"t{index}")
        for index, op in enumerate(ops)
    ]
    return model_of(layers, preprocessing)


def layer(index: int, op: str, reads: str, writes: str) -> Layer:
    """One layer."""
    return Layer(index, Node(f"{op.lower()}_{index}", op, tuple(reads.split()), (writes,)))


def two_branches() -> Model:
    """Two convolutions side by side on the input, added, then one more and a dense layer."""
    return model_of(
        [
            layer(0, "Conv", "x", "a"),
            layer(1, "Conv", "x", "b"),
            layer(2, "Add", "a b", "c"),
            layer(3, "BatchNormalization", "c", "d"),
            layer(4, "Conv", "d", "e"),
            layer(5, "Gemm", "e", "f"),
        ]
    )
