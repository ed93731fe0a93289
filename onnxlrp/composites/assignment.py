"""Which rule each layer of a model gets, and how that came about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from onnxlrp.errors import CompositeError, OnnxLrpError, did_you_mean
from onnxlrp.graph.model import Layer, Model
from onnxlrp.graph.select import Selector
from onnxlrp.rules import Rule, parameters, rule_from_dict


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a composite: these layers get this rule.

    Parameters
    ----------
    selector : Selector
    rule : Rule
    optional : bool
        Whether a model without such layers is fine; else it is an error.
    """

    selector: Selector
    rule: Rule
    optional: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return {"select": …, "rule": name, parameter: value, …}."""
        spec = {"select": self.selector.to_dict(), **self.rule.to_dict()}
        return {**spec, "optional": True} if self.optional else spec

    @classmethod
    def from_dict(cls, spec: Mapping[str, Any]) -> Entry:
        """Make an entry from what :meth:`to_dict` gives.

        Raises
        ------
        CompositeError
            No mapping, no rule, an unknown key, or a value that makes no sense.
        """
        if not isinstance(spec, Mapping):
            raise CompositeError(f"an entry maps 'select' and 'rule' to values, got {spec!r}.")
        if "rule" not in spec:
            raise CompositeError("an entry needs a rule, such as rule: epsilon.")
        known = ("select", "rule", "optional", *parameters(str(spec["rule"])))
        for key in spec:
            if key not in known:
                hint = did_you_mean(str(key), known)
                raise CompositeError(f"key {key!r} is unknown.{hint} Keys: {', '.join(known)}.")
        optional = spec.get("optional", False)
        if not isinstance(optional, bool):
            raise CompositeError(f"optional must be true or false, got {optional!r}.")
        rule = {key: value for key, value in spec.items() if key not in ("select", "optional")}
        return cls(Selector.from_dict(spec.get("select", {})), rule_from_dict(rule), optional)

    def __str__(self) -> str:
        return f"{self.selector} → {self.rule}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The rules that a composite gives the layers of a model.

    Attributes
    ----------
    rules : mapping of int to Rule
        Layer index → rule. Layers that no entry matches are missing: they take the default rule of
        their operation.
    entries : mapping of int to tuple of int
        Layer index → positions (from 0) of the entries that match it; the last one decides.
    """

    rules: Mapping[int, Rule]
    entries: Mapping[int, tuple[int, ...]]

    def table(self, model: Model, linear: Collection[int] | None = None) -> str:
        """Write layer → rule for people, one line a layer, with the entries behind it.

        Parameters
        ----------
        model : Model
        linear : collection of int, optional
            The layers that take a rule; the weighted ones if not given.
        """
        header = ("#", "layer", "type", "rule", "entry", "overridden")
        rows = [header, *(self._row(layer, linear) for layer in model.layers)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join(lines)

    def _row(self, layer: Layer, linear: Collection[int] | None) -> tuple[str, ...]:
        """Write the cells of one layer."""
        head = (str(layer.index), layer.name, layer.op)
        if layer.index in self.rules:
            *overridden, winner = (str(entry + 1) for entry in self.entries[layer.index])
            rule = _shortened(str(self.rules[layer.index]))
            return (*head, rule, winner, ", ".join(overridden))
        takes_rule = layer.weighted if linear is None else layer.index in linear
        return (*head, "default" if takes_rule else "–", "", "")


def _shortened(text: str, length: int = 48) -> str:
    """Cut what is long, such as bounds given for every pixel."""
    return text if len(text) <= length else text[: length - 1] + "…"


def located(error: OnnxLrpError, where: str) -> OnnxLrpError:
    """Return the same error with the place it happened in front."""
    return type(error)(f"{where}: {error}")
