"""A sweep that was recorded is played: in less time, and with the same bits whatever comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnxlrp
from onnxlrp.composites import Composite, Entry, Selector
from onnxlrp.errors import NumericalError
from onnxlrp.kernels import Tape, get_num_threads, set_num_threads
from onnxlrp.rules import Flat, WSquare, ZBox, ZPlus
from onnxlrp.runtime.activations import Activations
from onnxlrp.workspace import Workspace
from tests.engine.test_networks import small_network
from tests.ops.single import normal

PRESETS = (
    "epsilon_plus",
    "epsilon_plus_flat",
    "epsilon_alpha2_beta1",
    "gamma",
    "lrp_0",
    "innvestigate_b_flat",
)


@pytest.fixture
def played(monkeypatch):
    """What every play of a tape says."""
    told, play = [], Tape.play

    def note(tape, outside):
        told.append(play(tape, outside))
        return told[-1]

    monkeypatch.setattr(Tape, "play", note)
    return told


def fresh(network, *args, **kwargs):
    """An explanation that nothing was kept for."""
    return onnxlrp.explain(onnxlrp.load(network), *args, **kwargs).relevance


def chain(op="Relu", inputs=("z",), **attributes):
    """Two convolutions with an activation between; 2x6x6 → 3x6x6."""
    weights = {"w": normal(4, 2, 3, 3, seed=1), "v": normal(3, 4, 1, 1, seed=2)}
    weights |= {"low": np.float32(0), "high": np.float32(6)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["z"], name="first", pads=[1, 1, 1, 1]),
        helper.make_node(op, [*inputs], ["a"], name="activation", **attributes),
        helper.make_node("Conv", ["a", "v"], ["y"], name="second"),
    ]
    graph = helper.make_graph(
        nodes, "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, "H", "W"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [numpy_helper.from_array(v, k) for k, v in weights.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("network", [small_network, chain])
def test_other_pictures_and_targets(preset, network, played):
    model = onnxlrp.load(network())
    for seed in range(5):
        x, target = normal(2, 2, 6, 6, seed=seed), f"element:{seed % 3}"
        target = target if network is small_network else f"region:{seed % 3}"
        found = onnxlrp.explain(model, x, preset, target).relevance
        assert np.array_equal(found, fresh(network(), x, preset, target, books=True))
    assert played.count(True) >= 3


def test_a_real_network(played):
    model = onnxlrp.load(onnxlrp.assets.default_model_path())
    for preset in ("epsilon_plus", "gamma"):
        for seed in range(4):
            x = normal(1, 3, 227, 227, seed=seed)
            found = onnxlrp.explain(model, x, preset).relevance
            assert np.array_equal(found, onnxlrp.explain(model, x, preset, books=True).relevance)
    assert len(played) >= 4
    assert all(played)


@pytest.mark.parametrize("rule", [Flat(), WSquare(), ZBox(-3.0, [[[2.0]], [[3.0]]])])
@pytest.mark.parametrize("op, attributes", [("MaxPool", {"kernel_shape": [2, 2]}), ("Relu", {})])
def test_what_does_not_depend_on_the_picture_is_recorded_too(rule, op, attributes, played):
    network = chain(op, **attributes)
    design = Composite("stem", (Entry(Selector(), ZPlus()), Entry(Selector(first=True), rule)))
    model = onnxlrp.load(network)
    for seed in range(4):
        x = normal(1, 2, 6, 6, seed=seed)
        found = onnxlrp.explain(model, x, design, "region:1").relevance
        assert np.array_equal(found, fresh(network, x, design, "region:1", books=True))
    assert played == [True, True]  # all layers on one tape


def test_other_shapes(played):
    model = onnxlrp.load(chain())
    sizes = [(1, 6, 6), (2, 6, 6), (1, 8, 5), (1, 6, 6), (2, 6, 6), (1, 6, 6), (1, 8, 5), (2, 6, 6)]
    for seed, (n, *size) in enumerate(sizes):
        x = normal(n, 2, *size, seed=seed)
        found = onnxlrp.explain(model, x, "epsilon_plus", "region:1").relevance
        assert np.array_equal(found, fresh(chain(), x, "epsilon_plus", "region:1"))
    assert len(played) == 2  # the third time, and not before


def test_a_task_that_finds_something_else(played):
    model = onnxlrp.load(chain())
    signed = normal(1, 2, 6, 6, seed=1)
    for x in (signed, signed, abs(signed), -abs(signed), signed):
        found = onnxlrp.explain(model, x, "epsilon_alpha2_beta1", "region:1").relevance
        assert np.array_equal(found, fresh(chain(), x, "epsilon_alpha2_beta1", "region:1"))
    assert played == [False, True, True]  # no negative input: one pass less than on the tape


def test_an_overflow_names_the_layer(played):
    model = onnxlrp.load(chain())
    x = normal(1, 2, 6, 6, seed=1)
    for _ in range(3):
        onnxlrp.explain(model, x, "epsilon_plus", "region:1")
    for huge in (
        np.full((1, 3, 6, 6), 3e38, np.float32),
        np.full((1, 3, 6, 6), np.inf, np.float32),
    ):
        said = []
        for of in (model, onnxlrp.load(chain())):
            with pytest.raises(NumericalError) as error:
                onnxlrp.explain(of, 1e-3 * x, "lrp_0", "region:1", init=huge)
            said.append(str(error.value))
        assert said[0] == said[1]
        assert "layer" in said[0]
    assert onnxlrp.explain(model, x, "epsilon_plus", "region:1").relevance.any()
    assert played[-1]


def test_an_infinite_activation_is_blamed_on_the_forward_pass(played):
    model = onnxlrp.load(chain())
    x = normal(1, 2, 6, 6, seed=1)
    for _ in range(3):
        onnxlrp.explain(model, x, "epsilon_plus", "region:1")
    said = []
    for of in (model, onnxlrp.load(chain())):
        with pytest.raises(NumericalError) as error:
            onnxlrp.explain(
                of, np.float32(3e38) * np.sign(x), "epsilon_plus", "region:1", init="one"
            )
        said.append(str(error.value))
    assert said[0] == said[1]
    assert "forward pass" in said[0]


def test_a_pre_activation_that_a_clip_hides(monkeypatch, played):
    """Pre-activations may be infinite where Clip(z) is not; ratios see it."""
    proven, prove = [], Activations.prove

    def note(activations, finite=()):
        proven.append(set(finite))
        prove(activations, finite)

    monkeypatch.setattr(Activations, "prove", note)
    model = onnxlrp.load(chain("Clip", ["z", "low", "high"]))
    x = normal(1, 2, 6, 6, seed=1)
    huge = np.zeros_like(x)
    huge[0, 0, 3, 3] = 3e38  # some of its products overflow, and no NaN comes of it
    for _ in range(4):
        onnxlrp.explain(model, x, "gamma", "region:1")
        assert proven[-1] == {"x", "z", "a", "y"}
        with pytest.raises(NumericalError, match="forward pass gives NaN or Inf: layer first"):
            onnxlrp.explain(model, huge, "gamma", "region:1")
    assert played == [False, True, False, True, False]


def test_any_number_of_threads(played):
    model, before = onnxlrp.load(chain()), get_num_threads()
    x = normal(3, 2, 40, 40, seed=1)
    expected = fresh(chain(), x, "gamma", "region:1")
    try:
        for threads in (1, 1, 1, 2, 2, 2, 1):
            set_num_threads(threads)
            found = onnxlrp.explain(model, x, "gamma", "region:1").relevance
            assert np.array_equal(found, expected)
    finally:
        set_num_threads(before)
    assert played == [True] * 3


def test_several_callers_at_once():
    model = onnxlrp.load(chain())
    pictures = [normal(1, 2, 30, 30, seed=seed) for seed in range(40)]
    expected = [fresh(chain(), x, "epsilon_plus", "region:0") for x in pictures]

    def call(x):
        return onnxlrp.explain(model, x, "epsilon_plus", "region:0").relevance

    with ThreadPoolExecutor(4) as pool:
        for found, truth in zip(pool.map(call, pictures), expected, strict=True):
            assert np.array_equal(found, truth)


def test_results_are_the_caller_s():
    model = onnxlrp.load(chain())
    x = normal(1, 2, 6, 6, seed=1)
    results = [onnxlrp.explain(model, x, "epsilon_plus", "region:1").relevance for _ in range(4)]
    kept = results[3].copy()
    results[2][:] = 0
    onnxlrp.explain(model, 2 * x, "epsilon_plus", "region:1")
    assert np.array_equal(results[3], kept)


def test_weights_that_were_dropped_are_not_held(played):
    model = onnxlrp.load(chain())
    maps = Workspace.of(model).maps
    x = normal(1, 2, 6, 6, seed=1)
    for _ in range(3):
        onnxlrp.explain(model, x, "epsilon_plus", "region:1")
    assert played == [True]
    maps.budget = 1
    onnxlrp.explain(model, x, "gamma", "region:1")
    for _ in range(4):
        found = onnxlrp.explain(model, x, "epsilon_plus", "region:1").relevance
        assert np.array_equal(found, fresh(chain(), x, "epsilon_plus", "region:1"))
    assert maps.dropped > 0
    assert len(played) == 1  # what is dropped again and again is never recorded


def test_memory_is_bounded(played):
    model = onnxlrp.load(small_network())
    workspace = Workspace.of(model)
    held = workspace.recordings
    for composite in ("epsilon_plus", "gamma", "lrp_0"):
        for _ in range(3):
            onnxlrp.explain(model, normal(1, 2, 6, 6, seed=1), composite)
    assert 0 < held.nbytes < 2**23
    for seed in range(300):  # shapes that come once are forgotten
        onnxlrp.explain(model, normal(1 + seed, 2, 6, 6, seed=seed), "epsilon_plus")
    assert held.nbytes <= held.budget
