"""What the rule editor's buttons say."""

from __future__ import annotations

from collections.abc import Mapping

from onnxlrp.composites import presets

Options = dict[str, tuple[str, str]]
"""Key → label and what it means."""

PRESETS: Options = {
    "zero": ("LRP-0", "In proportion to the contributions"),
    "epsilon": ("LRP-ε", "As LRP-0; ε absorbs weak and contradictory relevance"),
    "gamma": ("LRP-γ", "Contributions that agree with the neuron count more"),
    "alpha_beta": ("LRP-αβ", "Positive and negative contributions apart, α and β of each"),
    "z_plus": ("α<sub>1</sub>β<sub>0</sub>", "z⁺: positive contributions only"),
    "z_box": ("z<sup>B</sup>", "For inputs between two bounds, as pixels are"),
    "w_square": ("w²", "In proportion to the squared weights"),
    "flat": ("flat", "The same to all inputs"),
    "pass": ("pass", "Unchanged, where input and output have one shape"),
    "custom": ("custom", "The ten numbers as they are"),
}

REACHES: Options = {
    "selection": ("Selection", "The selected layers or segment; all if nothing is selected"),
    "type": ("Type", "Every layer of the selected layers' types"),
    "all": ("All layers", "Every layer that takes a rule"),
}

LOCKS: Options = {
    "locked": ("locked", "α and β move together, so that relevance is conserved"),
    "free": ("free", "α and β move apart; each layer may make more or less of relevance"),
}

UNITS: Options = {
    "absolute": ("absolute", "ε in units of the denominator"),
    "relative": ("relative", "ε in units of the denominator's root mean square"),
}

BIASES: Options = {
    "keep": ("keep", "The bias absorbs its share"),
    "drop": ("drop", "The bias is left out"),
    "spread": ("spread", "The bias' share and that of ε go evenly to the inputs"),
}

POOLS: Options = {
    "winner": ("to the winner", "All to the largest input"),
    "average": ("as averages", "Shared as in an average pool, as the paper does"),
}

PRODUCTS: Options = {
    "auto": ("auto", "To the signal if the other factor gates it, else half to each"),
    "uniform": ("halves", "Half to each factor"),
    "first": ("first", "To the first factor"),
    "second": ("second", "To the second factor"),
}

WHOLE_DESIGNS: Options = {name: (name, summary) for name, summary in presets().items()}


def options(given: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    """Write options as the buttons take them."""
    return [{"key": key, "label": label, "title": title} for key, (label, title) in given.items()]
