"""The base of all rules, and the registry that knows them by name.

A rule is data: the equation it stands for, and the words it is made of, are in
:mod:`onnxlrp.rules.frame`; `onnxlrp.linear` carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from onnxlrp.errors import RuleError, did_you_mean
from onnxlrp.rules.checks import check_bounds, check_flag, check_number, check_stabiliser, thaw
from onnxlrp.rules.equation import equation
from onnxlrp.rules.frame import (
    Bias,
    Bound,
    Branch,
    InputMap,
    WeightMap,
    Where,
    root_mean_square,
)

if TYPE_CHECKING:
    from onnxlrp.rules.unified import Unified

__all__ = [
    "RULES",
    "Bias",
    "Bound",
    "Branch",
    "InputMap",
    "Rule",
    "WeightMap",
    "Where",
    "check_bounds",
    "check_flag",
    "check_number",
    "check_stabiliser",
    "parameters",
    "root_mean_square",
    "rule",
    "rule_from_dict",
]


class Rule:
    """Base of all rules: frozen dataclasses of numbers, each a point of the one frame.

    Every rule has the fields ``epsilon`` (stabiliser), ``relative`` (ε in units of the
    denominator's RMS over the sample) and ``bias``:

    * "keep": the bias stands in the denominator and absorbs its share;
    * "drop": the bias is left out;
    * "spread": its share and that of ε are returned evenly to the neuron's inputs, so Σ R is kept.
    """

    __slots__ = ("_framed",)
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    name: ClassVar[str]
    title: ClassVar[str]
    passes: ClassVar[bool] = False
    epsilon: float
    relative: bool
    bias: Bias
    _framed: tuple[InputMap, tuple[Branch, ...]]

    @property
    def input(self) -> InputMap:
        """How the rule sees the layer's input."""
        return InputMap()

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The branches relevance flows down."""
        raise NotImplementedError

    @property
    def frame(self) -> tuple[InputMap, tuple[Branch, ...]]:
        """Its input and its branches, made once: a sweep asks for them at every layer."""
        try:
            return self._framed
        except AttributeError:
            object.__setattr__(self, "_framed", (self.input, self.branches))
            return self._framed

    @property
    def sees_alike(self) -> bool:
        """Whether neurons with the same inputs are the same to it: nothing else of them counts."""
        view, branches = self.frame
        weights = all(b.weight.is_constant and b.where is Where.ALWAYS for b in branches)
        return view.is_constant and weights and self.bias == "drop" and not self.passes

    def latex(self) -> str:
        """Write the rule's equation with its numbers filled in, as LaTeX that KaTeX reads.

        z_j is the pre-activation with its bias; z_j^+ and z_j^- are its positive and negative
        contributions, b_j^+ and b_j^- among them; n_j counts the inputs of neuron j.
        """
        return equation(self)

    def as_unified(self) -> Unified | None:
        """Return the same rule as a point of the unified rule; None where it has none."""
        from onnxlrp.rules.unified import Unified  # knows all rules: loads last

        point = self._point()
        if point is None:
            return None
        return Unified(**point, epsilon=self.epsilon, relative=self.relative, bias=self.bias)

    def _point(self) -> Mapping[str, Any] | None:
        """Return its parameters in the unified rule, those at their defaults left out."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return {"rule": name, field: value, …}, the fields at their defaults left out."""
        out: dict[str, Any] = {"rule": self.name}
        for f in fields(self):
            value = getattr(self, f.name)
            if value != f.default:
                out[f.name] = thaw(value)
        return out

    def __str__(self) -> str:
        """Write the rule as the command line takes it: "gamma:gamma=0.1"."""
        return self._written(lambda value: str(value).lower())

    def short(self, length: int = 40) -> str:
        """Write the rule for a table: without its arrays, and cut if it is long still.

        Examples
        --------
        >>> rule_from_dict({"rule": "z_box", "low": [[-1.0]], "high": 1.0}).short()
        'z_box:low=[…],high=1.0'
        """
        text = self._written(lambda v: "[…]" if isinstance(v, list) else str(v).lower())
        return text if len(text) <= length else f"{text[: length - 1]}…"

    def _written(self, write: Callable[[Any], str]) -> str:
        spec = self.to_dict()
        del spec["rule"]
        numbers = ",".join(f"{key}={write(value)}" for key, value in spec.items())
        return f"{self.name}:{numbers}" if numbers else self.name


RULES: dict[str, type[Rule]] = {}
"""Every rule by its name; filled by :func:`rule`."""

_R = TypeVar("_R", bound=Rule)


def rule(name: str) -> Callable[[type[_R]], type[_R]]:
    """Class decorator: enter a rule under ``name``; a name is taken once."""

    def enter(cls: type[_R]) -> type[_R]:
        if name in RULES:
            raise ValueError(f"rule {name!r} is defined twice: {RULES[name]} and {cls}")
        cls.name = name
        RULES[name] = cls
        return cls

    return enter


def parameters(name: str) -> tuple[str, ...]:
    """Name the parameters that the rule ``name`` takes.

    Raises
    ------
    RuleError
        Unknown rule; names the nearest one.

    Examples
    --------
    >>> parameters("gamma")
    ('gamma', 'epsilon', 'relative', 'bias')
    """
    if name not in RULES:
        known = ", ".join(sorted(RULES))
        raise RuleError(f"rule {name!r} is unknown.{did_you_mean(name, RULES)} Rules: {known}.")
    return tuple(f.name for f in fields(RULES[name]) if f.init)


def rule_from_dict(spec: Mapping[str, Any]) -> Rule:
    """Make a rule from ``{"rule": name, field: value, …}``.

    Parameters
    ----------
    spec : mapping
        What :meth:`Rule.to_dict` gives; parameters left out take their defaults.

    Raises
    ------
    RuleError
        Unknown rule or parameter (with the nearest name), or a value out of range.

    Examples
    --------
    >>> rule_from_dict({"rule": "gamma", "gamma": 0.1})
    Gamma(gamma=0.1, epsilon=1e-06, relative=False, bias='keep')
    """
    values = dict(spec)
    name = str(values.pop("rule", None))
    known = parameters(name)
    for key in values:
        if key not in known:
            raise RuleError(
                f"rule {name!r} has no parameter {key!r}.{did_you_mean(str(key), known)} "
                f"Parameters: {', '.join(known) or 'none'}."
            )
    return RULES[name](**values)
