"""Deep networks fold into few lines, whether their names tell or not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnxlrp
from onnxlrp.graph.model import Model
from ui.layout.network import INPUT, draw_network, signal_edges
from ui.layout.stages import Fold, stages


def network(nodes: Iterable[tuple[str, str, list[str], dict[str, object]]]) -> Model:
    """A network of nodes (name, operator, inputs, attributes), 4 channels throughout."""
    weight = numpy_helper.from_array(np.full((4, 4, 1, 1), 0.25, np.float32), "w")
    made = []
    for name, op, inputs, attributes in nodes:
        given = [*inputs, "w"] if op == "Conv" else inputs
        made.append(helper.make_node(op, given, [name], name=name, **attributes))
    shape = ["N", 4, 64, 64]
    graph = helper.make_graph(
        made,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(
                made[-1].output[0], TensorProto.FLOAT, ["N", 4, None, None]
            )
        ],
        [weight],
    )
    opset = [helper.make_opsetid("", 17)]
    proto = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(proto)
    return onnxlrp.load(proto)


def residual_blocks(name: str, count: int, start: str, first_stride: int = 1):
    """Blocks conv, relu, conv, add, relu; names as torchvision's if ``name`` has a place for it."""
    x, number = start, 0

    def call(block: int, part: str, op: str) -> str:
        nonlocal number
        number += 1
        return name.format(block=block, part=part, op=op, number=f"{start}n{number}")

    for block in range(count):
        stride = {"strides": [first_stride] * 2} if block == 0 else {}
        a = call(block, "conv1", "Conv")
        b = call(block, "relu1", "Relu")
        c = call(block, "conv2", "Conv")
        yield a, "Conv", [x], stride
        yield b, "Relu", [a], {}
        yield c, "Conv", [b], {}
        skip = x
        if block == 0 and first_stride > 1:
            skip = call(block, "down", "Conv")
            yield skip, "Conv", [x], stride
        d, e = call(block, "add", "Add"), call(block, "relu2", "Relu")
        yield d, "Add", [c, skip], {}
        yield e, "Relu", [d], {}
        x = e


def test_names_fold_in_two_levels() -> None:
    nodes = list(residual_blocks("/layer1/layer1.{block}/{part}/{op}", 3, "x"))
    nodes += residual_blocks("/layer2/layer2.{block}/{part}/{op}", 2, nodes[-1][0], 2)
    folds = stages(network(nodes))
    assert [(f.label, f.start, f.stop) for f in folds] == [("layer1", 0, 15), ("layer2", 15, 26)]
    assert [f.label for f in folds[0].folds] == ["layer1.0", "layer1.1", "layer1.2"]
    assert folds[1].folds[0] == Fold("layer2.0", 15, 21, folds[1].folds[0].folds)


def test_without_names_the_resolution_folds_and_joins_part_blocks() -> None:
    nodes = list(residual_blocks("n{number}", 6, "x"))
    nodes += residual_blocks("m{number}", 2, nodes[-1][0], 2)
    folds = stages(network(nodes))
    assert [(f.label, f.start, f.stop) for f in folds] == [
        ("full size", 0, 30),
        ("1/2 size", 30, 41),
    ]
    assert [(f.label, f.start, f.stop) for f in folds[0].folds] == [
        (f"block {i + 1}", 5 * i, 5 * i + 5) for i in range(6)
    ]
    assert folds[1].folds == ()


def test_folds_lie_in_order_within_each_other() -> None:
    nodes = list(residual_blocks("/a/a.{block}/{part}/{op}", 8, "x"))
    model = network(nodes)

    def check(folds: tuple[Fold, ...], start: int, stop: int) -> None:
        for fold in folds:
            assert start <= fold.start < fold.stop <= stop
            check(fold.folds, fold.start, fold.stop)
            start = fold.stop

    check(stages(model), 0, len(model.layers))


def test_skips_are_edges_and_constants_are_none() -> None:
    model = network(residual_blocks("n{number}", 1, "x"))
    assert signal_edges(model) == [(INPUT, 0), (0, 1), (1, 2), (2, 3), (INPUT, 3), (3, 4)]


def test_a_network_is_laid_out_once() -> None:
    model = network(residual_blocks("n{number}", 1, "x"))
    assert draw_network(model) is draw_network(model)


@pytest.mark.parametrize("count", [1, 60])
def test_a_deep_network_folds_to_few_lines(count: int) -> None:
    model = network(residual_blocks("n{number}", count, "x"))
    folds = stages(model)
    lines = len(model.layers) - sum(f.stop - f.start - 1 for f in folds)
    assert lines <= 5
