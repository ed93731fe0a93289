from __future__ import annotations

import pytest

from onnxlrp.composites import PRESETS, Composite, Entry, Selector, preset, presets
from onnxlrp.errors import CompositeError, RuleError
from onnxlrp.rules import AlphaBeta, Epsilon, Flat, Gamma, Rule, ZBox, Zero, ZPlus
from tests.graph_select.nets import VGG16, chain

NET = ("Conv", "Relu", "ConvTranspose", "BatchNormalization", "Relu", "Gemm", "MatMul")
BOX = ZBox(-2, 2)
LOW_EPSILON = Epsilon(1e-6)


def rules_of(composite: Composite) -> list[Rule | None]:
    """The rules of the first conv, the transposed one, the batch norm, and both dense layers."""
    rules = composite.assign(chain(*NET)).rules
    return [rules.get(index) for index in (0, 2, 3, 5, 6)]


@pytest.mark.parametrize(
    ("name", "first", "convolution", "norm", "dense"),
    [
        ("lrp_0", Zero(), Zero(), None, Zero()),
        ("epsilon", LOW_EPSILON, LOW_EPSILON, None, LOW_EPSILON),
        ("gamma", Gamma(0.25), Gamma(0.25), None, Gamma(0.25)),
        ("epsilon_plus", ZPlus(), ZPlus(), None, LOW_EPSILON),
        ("epsilon_plus_flat", Flat(), ZPlus(), None, LOW_EPSILON),
        ("epsilon_alpha2_beta1", AlphaBeta(2, 1), AlphaBeta(2, 1), None, LOW_EPSILON),
        ("epsilon_alpha2_beta1_flat", Flat(), AlphaBeta(2, 1), None, LOW_EPSILON),
        ("innvestigate_a", AlphaBeta(1, 0), AlphaBeta(1, 0), AlphaBeta(2, 1), Epsilon(0.1)),
        ("innvestigate_b", AlphaBeta(2, 1), AlphaBeta(2, 1), AlphaBeta(2, 1), Epsilon(0.1)),
        ("innvestigate_a_flat", Flat(), AlphaBeta(1, 0), AlphaBeta(2, 1), Epsilon(0.1)),
        ("innvestigate_b_flat", Flat(), AlphaBeta(2, 1), AlphaBeta(2, 1), Epsilon(0.1)),
        ("excitation_backprop", ZPlus(), ZPlus(), None, ZPlus()),
    ],
)
def test_maps(name: str, first: Rule, convolution: Rule, norm: Rule | None, dense: Rule) -> None:
    composite = Composite.preset(name)
    assert rules_of(composite) == [first, convolution, norm, dense, dense]
    assert composite.options == {"max_pool": "winner", "product": "auto"}


def test_epsilon_gamma_box() -> None:
    composite = Composite.preset("epsilon_gamma_box", low=-2, high=2)
    assert rules_of(composite) == [BOX, Gamma(0.25), None, LOW_EPSILON, LOW_EPSILON]


def test_montavon_is_the_tutorials_map_on_vgg16() -> None:
    composite = Composite.preset("montavon", low=-2, high=2)
    rules = list(composite.assign(chain(*VGG16)).rules.values())
    assert rules[0] == BOX
    assert rules[1:7] == [Gamma(0.25)] * 6
    assert rules[7:13] == [Epsilon(0.25, relative=True)] * 6
    assert rules[13:] == [Zero()] * 3
    assert composite.max_pool == "average"


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("net", [("Conv",), ("Gemm",), ("Relu",)], ids=str)
def test_presets_fit_networks_that_lack_a_kind_of_layer(name: str, net: tuple[str, ...]) -> None:
    bounds = {"low": -2, "high": 2} if name in ("epsilon_gamma_box", "montavon") else {}
    rules = Composite.preset(name, **bounds).assign(chain(*net)).rules
    assert set(rules) == ({0} if net != ("Relu",) else set())


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_named_and_described(name: str) -> None:
    composite = Composite.preset(name)
    assert composite.name == name
    assert composite.description == presets()[name]
    assert "\n" not in composite.description


def test_parameters_reach_the_rule() -> None:
    composite = Composite.preset("epsilon", epsilon=0.25, relative=True)
    assert composite.entries == (Entry(Selector(), Epsilon(0.25, relative=True), optional=True),)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("epsilonplus", {}, "preset 'epsilonplus' is unknown. Did you mean 'epsilon_plus'"),
        ("epsilon_gamma_box", {"lo": 1}, "no parameter 'lo'. Did you mean 'low'.* low, high"),
        ("epsilon_plus", {"low": 1}, "no parameter 'low'. It takes none"),
    ],
)
def test_refuses_what_it_does_not_know(
    name: str, parameters: dict[str, float], message: str
) -> None:
    with pytest.raises(CompositeError, match=message):
        Composite.preset(name, **parameters)


def test_bad_numbers_are_the_rules_affair() -> None:
    with pytest.raises(RuleError, match="low must not be above high"):
        Composite.preset("epsilon_gamma_box", low=1, high=0)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="preset 'montavon' is defined twice"):
        preset(PRESETS["montavon"])
