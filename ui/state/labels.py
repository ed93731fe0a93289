"""What a rule is called: the preset that its numbers are, and a short label with the numbers."""

from __future__ import annotations

from onnxlrp.rules import AlphaBeta, Epsilon, Gamma, Rule

CUSTOM = "custom"

PRESET_RULES: dict[str, str] = {
    "zero": "LRP-0",
    "epsilon": "LRP-ε",
    "gamma": "LRP-γ",
    "alpha_beta": "LRP-αβ",
    "z_plus": "LRP-z⁺ (α1β0)",
    "z_box": "zᴮ",
    "w_square": "w²",
    "flat": "flat",
    "pass": "pass",
    CUSTOM: "custom",
}
"""Name of a rule → what its button says."""


def named(rule: Rule) -> Rule:
    """The simplest named rule with the same numbers; the rule itself where there is none.

    Examples
    --------
    >>> from onnxlrp.rules import Unified
    >>> named(Unified(gamma1_plus=0.3, mirror=True))
    Gamma(gamma=0.3, epsilon=1e-06, relative=False, bias='keep')
    """
    if rule.name not in ("unified", "alpha_beta"):
        return rule
    point = rule.as_unified()
    found = point.named() if point is not None else None
    return rule if found is None else found


def rule_name(rule: Rule) -> str:
    """The key of :data:`PRESET_RULES` that a rule is, "custom" if its numbers are no preset's.

    Examples
    --------
    >>> from onnxlrp.rules import Unified
    >>> rule_name(AlphaBeta(1, 0)), rule_name(Unified(gamma2=0.5))
    ('z_plus', 'custom')
    """
    name = named(rule).name
    return CUSTOM if name == "unified" else name


def rule_label(rule: Rule) -> str:
    """A short name with the numbers that set it apart, for strips, tables and segments.

    Examples
    --------
    >>> rule_label(Gamma(0.25)), rule_label(AlphaBeta(2, 1)), rule_label(Epsilon(0.25, True))
    ('LRP-γ 0.25', 'LRP-α2β1', 'LRP-ε 0.25·rms')
    """
    found = named(rule)
    if isinstance(found, AlphaBeta):
        text = f"LRP-α{found.alpha:g}β{found.beta:g}"
    elif isinstance(found, Gamma):
        text = f"LRP-γ {found.gamma:g}"
    elif isinstance(found, Epsilon):
        text = f"LRP-ε {found.epsilon:g}" if found.epsilon > 1e-6 or found.relative else "LRP-ε"
        text += "·rms" if found.relative else ""
    else:
        text = PRESET_RULES.get(rule_name(found), found.title).removesuffix(" (α1β0)")
    default = type(found)().bias if found.name != "unified" else "keep"
    return text if found.bias == default else f"{text}, bias {_BIAS[found.bias]}"


_BIAS = {"keep": "kept", "drop": "dropped", "spread": "spread"}
