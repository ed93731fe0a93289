"""Many pictures a few at a time, and several threads at once: the same bits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import onnxlrp
from onnxlrp import batches
from onnxlrp.target import Target
from tests.engine.test_networks import small_network
from tests.ops.single import normal

PICTURES = normal(5, 2, 6, 6, seed=7)


def small_model():
    return onnxlrp.load(small_network())


def logits(model):
    return onnxlrp.explain(model, PICTURES).output


@pytest.mark.parametrize("budget", [1, 30_000])
def test_a_small_budget_changes_no_bit(budget):
    model = small_model()
    for target in ("top1", 1, [0, 1, 2, 1, 0], normal(5, 3, seed=1), normal(3, seed=2)):
        kwargs = {"target": target, "record": ["relu1", "fc"], "books": True}
        some = onnxlrp.explain(model, PICTURES, "epsilon_plus", budget=budget, **kwargs)
        whole = onnxlrp.explain(model, PICTURES, "epsilon_plus", **kwargs)
        for name in ("relevance", "target", "score", "output"):
            assert np.array_equal(getattr(some, name), getattr(whole, name))
        assert some.aim == whole.aim
        for key, tensor in whole.tensors.items():
            assert np.array_equal(some.tensors[key], tensor)
        for one, other in zip(some.books, whole.books, strict=True):
            assert one.layer is other.layer
            assert np.array_equal(one.arrived, other.arrived)
            assert np.array_equal(one.handed, other.handed)
            for key, handed in other.inputs.items():
                assert np.array_equal(one.inputs[key], handed)


def test_relevance_of_each_picture_s_own_is_split_too():
    model = small_model()
    init = normal(*logits(model).shape, seed=3)
    for given in (init, init[0], "one"):
        some = onnxlrp.explain(model, PICTURES, init=given, target=Target.element(1), budget=1)
        whole = onnxlrp.explain(model, PICTURES, init=given, target=Target.element(1))
        assert np.array_equal(some.relevance, whole.relevance)


def test_pictures_are_parted_where_more_at_once_do_not_pay(monkeypatch):
    model = small_model()
    whole = onnxlrp.explain(model, PICTURES)
    of_one = sum(4 * np.prod(shape) for shape in tensors_of_one(model))
    for at_once, sizes in ((1, [1] * 5), (2, [2, 2, 1]), (3, [3, 2]), (4, [3, 2]), (9, [5])):
        monkeypatch.setattr(batches, "AT_ONCE", int(at_once * of_one))
        explainer = onnxlrp.Explainer(model, PICTURES, budget=0)
        parts = explainer.parts("epsilon_plus", "top1", "logit", 2**30)
        found = [len(PICTURES[pictures]) for pictures, _, _ in parts]
        assert found == sizes
        assert max(found) <= at_once
        some = onnxlrp.explain(model, PICTURES)
        assert np.array_equal(some.relevance, whole.relevance)


def tensors_of_one(model):
    explainer = onnxlrp.Explainer(model, PICTURES[:1], budget=0)
    plan = explainer.plan("epsilon_plus")
    names = {plan.explained, *plan.values, *plan.tensors}
    return [array.shape for array in explainer.activations(names - {plan.input}).values()] + [
        PICTURES[:1].shape
    ]


def test_progress_counts_all_pictures():
    told = []
    onnxlrp.explain(small_model(), PICTURES, budget=1, progress=lambda *step: told.append(step))
    done, total = [step[0] for step in told], {step[1] for step in told}
    assert done == list(range(1, len(told) + 1))
    assert total == {len(told)}


def test_a_misfit_is_refused_as_without_a_budget():
    with pytest.raises(onnxlrp.OnnxLrpError):
        onnxlrp.explain(small_model(), PICTURES, target=[0, 1], budget=1)


def designs():
    yield from ("epsilon_plus", "gamma", "epsilon_alpha2_beta1_flat", "lrp_0", "gamma")


def in_threads(work, count=6):
    """What calls of the work in several threads, begun at once, return."""
    together = Barrier(count, timeout=60)

    def begin(number):
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


@pytest.mark.parametrize("budget", [0, 20_000, 2**30])
@pytest.mark.parametrize("shared", [False, True], ids=["own explainers", "one explainer"])
def test_threads_that_explain_at_once_get_the_same_bits(budget, shared):
    truth = {
        (name, target): onnxlrp.explain(small_model(), PICTURES, name, target).relevance
        for name in set(designs())
        for target in (0, 1)
    }
    model = small_model()  # nothing of it is derived yet: all threads begin with that
    one = onnxlrp.Explainer(model, PICTURES, budget=budget) if shared else None

    def work(number):
        explainer = one or onnxlrp.Explainer(model, PICTURES, budget=budget)
        return [
            (name, target, explainer.explain(name, target).relevance)
            for name in list(designs())[number % 3 :]
            for target in (number % 2, 1 - number % 2)
        ]

    for found in in_threads(work):
        for name, target, relevance in found:
            assert np.array_equal(relevance, truth[name, target])
