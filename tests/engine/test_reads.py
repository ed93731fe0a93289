"""What the forward pass has to give: no bit hangs on which tensors are asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onnxlrp import Composite, load
from onnxlrp.engine import Sweep
from onnxlrp.explainer import Explainer
from onnxlrp.ops import bind
from onnxlrp.plan import Plan
from onnxlrp.reads import fusable_tensors, readable_tensors
from onnxlrp.runtime.session import Sessions
from onnxlrp.workspace import Workspace

REAL = sorted((Path(__file__).parents[1] / "data" / "models").glob("*.onnx"))
DESIGNS = ("epsilon", "gamma", "epsilon_plus", "epsilon_alpha2_beta1_flat", "montavon")


def picture(model):
    sizes = [size if isinstance(size, int) else 1 for size in model.input.shape]
    return np.random.default_rng(0).standard_normal(sizes, np.float32)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_every_tensor_has_the_same_bits_with_and_without_the_fusable_ones(path):
    model = load(path)
    readable = readable_tensors(model, bind(model))
    fusable = fusable_tensors(model) & readable
    x = picture(model)
    whole = Sessions(model, "cpu", readable=readable).run(x, readable)
    lean = Sessions(model, "cpu", readable=readable, fusable=fusable).run(x, readable - fusable)
    assert lean.keys() == readable - fusable
    for name, values in lean.items():
        np.testing.assert_array_equal(values, whole[name], err_msg=name)


def reading_z_itself(plan: Plan) -> tuple[Plan, int]:
    """The plan with every pre-activation read where it is made, and how many were not."""
    steps, moved = [], 0
    for step in plan.steps:
        z = step.layer.node.output
        if step.preactivation not in ("", z):
            values = (*(v for v in step.values if v != step.preactivation), z)
            step, moved = replace(step, values=values, preactivation=z), moved + 1
        steps.append(step)
    return replace(plan, steps=tuple(steps)), moved


@pytest.mark.parametrize("design", DESIGNS)
def test_a_relu_stands_for_the_preactivation_before_it(design):
    path = next(path for path in REAL if path.stem == "squeezenet1_1_caffe2_opset9")
    model = load(path)
    options = {"low": -3.0, "high": 3.0} if design == "montavon" else {}
    plan = Workspace.of(model).plan(Composite.preset(design, **options))
    plain, moved = reading_z_itself(plan)
    assert (moved > 0) == (design in ("epsilon", "gamma", "montavon"))
    explainer = Explainer(model, picture(model), "cpu", budget=0)
    activations = explainer._activations
    maps = Workspace.of(model).maps
    found = []
    for one in (plan, plain):
        activations.fetch(one.values)
        start = np.zeros(activations.shape(one.explained), np.float32)
        start[:, 7] = 1.0
        found.append(Sweep(activations, maps, explainer._bounds.of).run(one, start))
    np.testing.assert_array_equal(*found)


def test_a_rule_that_gives_relevance_to_zeros_needs_the_preactivation_itself():
    path = next(path for path in REAL if path.stem == "squeezenet1_1_caffe2_opset9")
    model = load(path)
    flat = [layer for layer in model.layers if layer.op == "Conv"][2]
    entries = [
        {"select": {"op": "Conv"}, "rule": "gamma"},
        {"select": {"index": flat.index}, "rule": "flat"},
    ]
    composite = Composite.from_dict({"schema": 1, "name": "mixed", "entries": entries})
    steps = {s.layer.index: s for s in Workspace.of(model).plan(composite).steps}
    below = model.producers[model.producers[flat.node.inputs[0]].node.inputs[0]]
    assert steps[below.index].preactivation == below.node.output
