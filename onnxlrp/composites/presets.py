"""The known composites, by name; each says which layer gets which rule, and where that is from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from onnxlrp.composites.assignment import Entry
from onnxlrp.composites.composite import Composite
from onnxlrp.errors import CompositeError, did_you_mean
from onnxlrp.graph.select import Selector
from onnxlrp.rules import AlphaBeta, Bias, Bound, Epsilon, Flat, Gamma, Rule, ZBox, Zero, ZPlus

Preset = Callable[..., Composite]

PRESETS: dict[str, Preset] = {}
"""Every preset by its name; filled by :func:`preset`."""

CONVOLUTIONS = Selector(op=("Conv", "ConvTranspose"))
DENSE = Selector(op=("Gemm", "MatMul"))
FIRST = Selector(first=True)


def preset(make: Preset) -> Preset:
    """Enter a function under its name; a name is taken once."""
    if make.__name__ in PRESETS:
        raise ValueError(f"preset {make.__name__!r} is defined twice")
    PRESETS[make.__name__] = make
    return make


def presets() -> dict[str, str]:
    """List the presets: name → one line on what they do.

    Examples
    --------
    >>> presets()["lrp_0"]
    'LRP-0 everywhere: on a ReLU network, gradient times input.'
    """
    return {name: _summary(make) for name, make in sorted(PRESETS.items())}


def make_preset(name: str, parameters: Mapping[str, Any]) -> Composite:
    """Make a preset; see :meth:`Composite.preset`."""
    if name not in PRESETS:
        raise CompositeError(
            f"preset {name!r} is unknown.{did_you_mean(str(name), PRESETS)} "
            f"Presets: {', '.join(sorted(PRESETS))}."
        )
    known = list(inspect.signature(PRESETS[name]).parameters)
    for key in parameters:
        if key not in known:
            takes = f"It takes {', '.join(known)}." if known else "It takes none."
            raise CompositeError(
                f"preset {name!r} has no parameter {key!r}.{did_you_mean(key, known)} {takes}"
            )
    return PRESETS[name](**parameters)


def _summary(make: Preset) -> str:
    """Return the first line of the preset's docstring."""
    return inspect.cleandoc(make.__doc__ or "").splitlines()[0]


def _layered(
    make: Preset, convolution: Rule, dense: Rule, first: Rule | None = None, *more: Entry
) -> Composite:
    """Make a composite by kind of layer, the first layers on top; a model may lack any of them."""
    entries = [Entry(CONVOLUTIONS, convolution, optional=True), Entry(DENSE, dense, optional=True)]
    entries += more
    if first is not None:
        entries.append(Entry(FIRST, first, optional=True))
    return Composite(make.__name__, tuple(entries), description=_summary(make))


def _everywhere(make: Preset, rule: Rule) -> Composite:
    """Make a composite of one rule for every weighted layer."""
    entry = Entry(Selector(), rule, optional=True)
    return Composite(make.__name__, (entry,), description=_summary(make))


@preset
def lrp_0(bias: Bias = "keep") -> Composite:
    """LRP-0 everywhere: on a ReLU network, gradient times input.

    Conv, ConvTranspose, Gemm, MatMul: LRP-0. Bach et al. 2015 (doi 10.1371/journal.pone.0130140).
    """
    return _everywhere(lrp_0, Zero(bias))


@preset
def epsilon(epsilon: float = 1e-6, relative: bool = False, bias: Bias = "keep") -> Composite:
    """LRP-ε everywhere.

    Conv, ConvTranspose, Gemm, MatMul: LRP-ε. Bach et al. 2015 (doi 10.1371/journal.pone.0130140).
    """
    return _everywhere(PRESETS["epsilon"], Epsilon(epsilon, relative, bias))


@preset
def gamma(
    gamma: float = 0.25, epsilon: float = 1e-6, relative: bool = False, bias: Bias = "keep"
) -> Composite:
    """LRP-γ everywhere, in the form for activations of either sign.

    Conv, ConvTranspose, Gemm, MatMul: LRP-γ. Montavon et al. 2019
    (doi 10.1007/978-3-030-28954-6_10).
    """
    return _everywhere(PRESETS["gamma"], Gamma(gamma, epsilon, relative, bias))


@preset
def epsilon_plus() -> Composite:
    """z⁺ on convolutions, LRP-ε on dense layers.

    Conv, ConvTranspose: z⁺. Gemm, MatMul: ε = 1e-6. The composite of that name in zennit; LRP_CMP
    of Kohlbrenner et al. 2020 (arXiv 1910.09840) with α = 1, β = 0.
    """
    return _layered(epsilon_plus, ZPlus(), Epsilon())


@preset
def epsilon_plus_flat() -> Composite:
    """z⁺ on convolutions, LRP-ε on dense layers, flat on the first layer.

    As :func:`epsilon_plus`, and flat on every weighted layer next to the input. zennit takes the
    first layer in the order of registration, here it is the graph that counts.
    """
    return _layered(epsilon_plus_flat, ZPlus(), Epsilon(), Flat())


@preset
def epsilon_gamma_box(low: Bound | None = None, high: Bound | None = None) -> Composite:
    """LRP-γ on convolutions, LRP-ε on dense layers, z^B on the first layer.

    Conv, ConvTranspose: γ = 0.25. Gemm, MatMul: ε = 1e-6. Every weighted layer next to the input:
    z^B. The composite of that name in zennit.

    Parameters
    ----------
    low, high : float or array that broadcasts to the input, optional
        Smallest and largest value of the input; taken from the model's preprocessing if left out.
    """
    return _layered(epsilon_gamma_box, Gamma(), Epsilon(), ZBox(low, high))


@preset
def epsilon_alpha2_beta1() -> Composite:
    """LRP-αβ with α = 2, β = 1 on convolutions, LRP-ε on dense layers.

    Conv, ConvTranspose: α = 2, β = 1. Gemm, MatMul: ε = 1e-6. The composite of that name in zennit;
    LRP_CMP of Kohlbrenner et al. 2020 (arXiv 1910.09840).
    """
    return _layered(epsilon_alpha2_beta1, AlphaBeta(2, 1), Epsilon())


@preset
def epsilon_alpha2_beta1_flat() -> Composite:
    """LRP-αβ with α = 2, β = 1 on convolutions, LRP-ε on dense layers, flat on the first layer.

    As :func:`epsilon_alpha2_beta1`, and flat on every weighted layer next to the input.
    """
    return _layered(epsilon_alpha2_beta1_flat, AlphaBeta(2, 1), Epsilon(), Flat())


@preset
def montavon(low: Bound | None = None, high: Bound | None = None) -> Composite:
    """z^B on the first layer, then LRP-γ, LRP-ε and LRP-0 by depth; max pools as average pools.

    Of n weighted layers, the k-th (from 0) has depth k / (n − 1)::

        depth 0 to 7/16        γ = 0.25
        depth 7/16 to 13/16    ε = 0.25 relative to RMS(z)
        depth 13/16 to 1       LRP-0
        first                  z^B

    On the 16 weighted layers of VGG-16: 1 z^B, 2 to 7 γ, 8 to 13 ε, 14 to 16 LRP-0, the map of the
    tutorial that goes with Montavon et al. 2019 (doi 10.1007/978-3-030-28954-6_10).

    Parameters
    ----------
    low, high : float or array that broadcasts to the input, optional
        Smallest and largest value of the input; taken from the model's preprocessing if left out.
    """
    bands = [
        ((0, 7 / 16), Gamma(0.25)),
        ((7 / 16, 13 / 16), Epsilon(0.25, relative=True)),
        ((13 / 16, 1), Zero()),
    ]
    entries = [Entry(Selector(depth=depth), rule, optional=True) for depth, rule in bands]
    entries.append(Entry(FIRST, ZBox(low, high), optional=True))
    summary = _summary(montavon)
    return Composite("montavon", tuple(entries), max_pool="average", description=summary)


def _innvestigate(make: Preset, convolution: AlphaBeta, first: Rule | None = None) -> Composite:
    """Make one of iNNvestigate's sequential presets, batch normalisation included."""
    norm = Entry(Selector(op="BatchNormalization"), AlphaBeta(2, 1), optional=True)
    return _layered(make, convolution, Epsilon(0.1), first, norm)


@preset
def innvestigate_a() -> Composite:
    """LRP-αβ with α = 1, β = 0 on convolutions, LRP-ε with ε = 0.1 on dense layers.

    Conv, ConvTranspose: α = 1, β = 0. Gemm, MatMul: ε = 0.1. Batch normalisation that was not
    merged into the layer before it: α = 2, β = 1. After LRPSequentialPresetA of iNNvestigate, but
    not to the last digit: there each denominator holds the whole bias, here the part of its own
    sign. There, too, batch normalisation is merged in another way, and has a rule of its own
    (AlphaBetaX2m100) that is αβ with α = 2, β = 1 for inputs that are not negative, and gives
    negative inputs nothing. Either doubles relevance where scale and shift differ in sign, so that
    Σ R grows with every such layer.
    """
    return _innvestigate(innvestigate_a, AlphaBeta(1, 0))


@preset
def innvestigate_b() -> Composite:
    """LRP-αβ with α = 2, β = 1 on convolutions, LRP-ε with ε = 0.1 on dense layers.

    As :func:`innvestigate_a` but for the convolutions. After LRPSequentialPresetB of iNNvestigate.
    """
    return _innvestigate(innvestigate_b, AlphaBeta(2, 1))


@preset
def innvestigate_a_flat() -> Composite:
    """LRP-αβ with α = 1, β = 0 on convolutions, ε = 0.1 on dense layers, flat on the first layer.

    As :func:`innvestigate_a`, and flat on every weighted layer next to the input.
    """
    return _innvestigate(innvestigate_a_flat, AlphaBeta(1, 0), Flat())


@preset
def innvestigate_b_flat() -> Composite:
    """LRP-αβ with α = 2, β = 1 on convolutions, ε = 0.1 on dense layers, flat on the first layer.

    As :func:`innvestigate_b`, and flat on every weighted layer next to the input.
    """
    return _innvestigate(innvestigate_b_flat, AlphaBeta(2, 1), Flat())


@preset
def excitation_backprop() -> Composite:
    """z⁺ everywhere: only what excites a neuron counts.

    Conv, ConvTranspose, Gemm, MatMul: z⁺. After Zhang et al. 2018
    (doi 10.1007/s11263-017-1059-x), in the form of zennit's composite of that name.
    """
    return _everywhere(excitation_backprop, ZPlus())
