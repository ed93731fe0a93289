"""A composite: an ordered list "selector → rule", the whole design of an explanation."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from onnxlrp.composites.assignment import Assignment, Entry, located
from onnxlrp.composites.files import read_file, write_file
from onnxlrp.errors import CompositeError, SelectorError, did_you_mean
from onnxlrp.graph.model import Layer, Model, first_layers
from onnxlrp.rules import Rule, ZBox, as_bound

SCHEMA = 1
"""Version of the files; a change that older versions cannot read raises it."""

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "max_pool": ("winner", "average"),
    "product": ("auto", "uniform", "first", "second"),
}
"""What can be chosen for layers that take no rule; the first value is the default."""


@dataclass(frozen=True, slots=True)
class Composite:
    """Which rule each layer gets: of the entries that match a layer, the last one wins.

    A layer that no entry matches takes the default rule of its operation (LRP-ε, ε = 1e-6).

    Parameters
    ----------
    name : str
        For people, and for the names of result files.
    entries : tuple of Entry
    max_pool : "winner" or "average"
        All relevance to the largest input (the first one on ties), or as in an average pool.
    product : "auto", "uniform", "first" or "second"
        Product of two activations: to the signal if the other factor gates it, else half to each;
        always half to each; always to the first, or to the second factor.
    description : str
    weighted_layers : int, optional
        How many weighted layers a model must have for the composite to mean it; any, if not given.

    Raises
    ------
    CompositeError
        A value that makes no sense.

    Examples
    --------
    >>> from onnxlrp.composites import Selector
    >>> from onnxlrp.rules import Gamma
    >>> design = Composite("half", (Entry(Selector(depth=(0, 0.5)), Gamma(0.1)),))
    >>> print(design.entries[0])
    depth 0 to 0.5 → gamma:gamma=0.1
    """

    name: str
    entries: tuple[Entry, ...] = ()
    max_pool: Literal["winner", "average"] = "winner"
    product: Literal["auto", "uniform", "first", "second"] = "auto"
    description: str = ""
    weighted_layers: int | None = None

    def __post_init__(self) -> None:
        for key in ("name", "description"):
            _check_text(key, getattr(self, key))
        if not self.name.strip():
            raise CompositeError("a composite needs a name, got an empty one.")
        for key, choices in OPTIONS.items():
            value = getattr(self, key)
            if value not in choices:
                hint = did_you_mean(str(value), choices)
                one_of = ", ".join(map(repr, choices))
                raise CompositeError(f"{key} is one of {one_of}, got {value!r}.{hint}")
        if type(self.weighted_layers) not in (int, type(None)):
            raise CompositeError(f"weighted_layers is a number, got {self.weighted_layers!r}.")
        object.__setattr__(self, "entries", tuple(self.entries))
        for entry in self.entries:
            if not isinstance(entry, Entry):
                raise CompositeError(f"entries must be Entry(selector, rule), got {entry!r}.")

    @property
    def options(self) -> Mapping[str, str]:
        """Option → what was chosen, for layers that take no rule."""
        return {key: getattr(self, key) for key in OPTIONS}

    # ------------------------------------------------------------------------------ to a model
    def assign(self, model: Model, linear: Collection[int] | None = None) -> Assignment:
        """Settle which rule each layer of a model gets.

        Parameters
        ----------
        model : Model
        linear : collection of int, optional
            Indices of the layers that take a rule. If not given, an entry that names operators or
            layers may match any.

        Returns
        -------
        Assignment

        Raises
        ------
        SelectorError
            An entry that is not optional matches no layer.
        CompositeError
            A z^B rule without bounds on a layer for which the model's preprocessing has none; a
            model with another number of weighted layers than the composite is made for.
        """
        self._check_length(model)
        entries: dict[int, tuple[int, ...]] = {}
        for position, entry in enumerate(self.entries):
            found = entry.selector.matches(model, linear)
            if not found and not entry.optional:
                why = entry.selector.why_empty(model)
                raise SelectorError(f"{self._place(position)} matches no layer: {why}")
            for index in found:
                entries[index] = (*entries.get(index, ()), position)
        first = first_layers(model)
        rules = {
            index: self._with_bounds(positions[-1], model, model.layers[index], index in first)
            for index, positions in sorted(entries.items())
        }
        return Assignment(rules, entries)

    def explain_assignment(self, model: Model, linear: Collection[int] | None = None) -> str:
        """Write which rule every layer gets, which entry chose it, and which were overridden.

        Entries are counted from 1. Parameters and errors are those of :meth:`assign`.
        """
        return self.assign(model, linear).table(model, linear)

    def _with_bounds(self, position: int, model: Model, layer: Layer, first: bool) -> Rule:
        """Return the entry's rule, open bounds filled in from the model's preprocessing."""
        rule = self.entries[position].rule
        if not isinstance(rule, ZBox) or rule.low is not None:
            return rule
        preprocessing = model.preprocessing if first else None
        if preprocessing is None:
            why = (
                f"{model.name} does not say how its pictures are preprocessed"
                if first
                else "it is no first layer, so the range of its input is not that of the pictures"
            )
            raise CompositeError(
                f"{self._place(position)}: z_box on {layer} needs low and high, and {why}. "
                "Give low and high, the smallest and largest value of the layer's input."
            )
        return replace(rule, low=as_bound(preprocessing.low), high=as_bound(preprocessing.high))

    def _check_length(self, model: Model) -> None:
        """Refuse a model that the composite is not made for."""
        found = sum(layer.weighted for layer in model.layers)
        if self.weighted_layers not in (None, found):
            raise CompositeError(
                f"composite {self.name!r} is made for a model of {self.weighted_layers} weighted "
                f"layers (Conv, Gemm, …), and {model.name} has {found}: open one of that length."
            )

    def _place(self, position: int) -> str:
        """Name an entry for an error."""
        return f"composite {self.name!r}, entry {position + 1} ({self.entries[position]})"

    # ------------------------------------------------------------------------- to and from data
    def to_dict(self) -> dict[str, Any]:
        """Return {"schema": 1, "name": …, "entries": […]}; options at their defaults left out."""
        out: dict[str, Any] = {"schema": SCHEMA, "name": self.name}
        for f in fields(self):
            if (
                f.name in ("description", "weighted_layers", *OPTIONS)
                and getattr(self, f.name) != f.default
            ):
                out[f.name] = getattr(self, f.name)
        return {**out, "entries": [entry.to_dict() for entry in self.entries]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Composite:
        """Make a composite from what :meth:`to_dict` gives, or from what VisLRPDesigner saved.

        Raises
        ------
        CompositeError
            Another schema, an unknown key (with the nearest one), or a value that makes no sense;
            names the entry.
        """
        from onnxlrp.composites.vislrp import is_vislrp, read_vislrp  # makes composites: load last

        if is_vislrp(data):
            return read_vislrp(data)
        known = ("schema", *(f.name for f in fields(cls)))
        if not isinstance(data, Mapping):
            raise CompositeError(f"a design maps {', '.join(known)} to values, got {data!r}.")
        for key in data:
            if key not in known:
                hint = did_you_mean(str(key), known)
                raise CompositeError(f"key {key!r} is unknown.{hint} Keys: {', '.join(known)}.")
        if data.get("schema") != SCHEMA or isinstance(data["schema"], bool):
            raise CompositeError(
                f"schema is {data.get('schema')!r}; this version reads designs with "
                f"schema: {SCHEMA}."
            )
        specs = data.get("entries", [])
        if "name" not in data or not isinstance(specs, list):
            raise CompositeError("a design needs a name, and its entries are a list.")
        values = {key: value for key, value in data.items() if key not in ("schema", "entries")}
        return cls(**values, entries=tuple(_entries(specs)))

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write the design to a .yaml, .yml or .json file, whole or not at all.

        Raises
        ------
        OutputError
            A file that is there already (unless ``overwrite``), or a place that cannot be written.
        """
        write_file(path, self.to_dict(), overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Composite:
        """Read a design from a .yaml, .yml or .json file, VisLRPDesigner's own among them.

        Raises
        ------
        CompositeError
            Unreadable or malformed; names the file, and the line or the entry.
        """
        data = read_file(path)
        try:
            return cls.from_dict(data)
        except CompositeError as error:
            raise located(error, os.fspath(path)) from error

    # ---------------------------------------------------------------------------------- by name
    @classmethod
    def preset(cls, name: str, /, **parameters: Any) -> Composite:
        """Make one of the known composites; :func:`onnxlrp.composites.presets` lists them.

        Parameters
        ----------
        name : str
        **parameters
            What the preset takes, such as ``low`` and ``high``.

        Raises
        ------
        CompositeError
            Unknown preset or parameter; names the nearest one.

        Examples
        --------
        >>> Composite.preset("epsilon_gamma_box", low=-2.1, high=2.6).name
        'epsilon_gamma_box'
        """
        from onnxlrp.composites.presets import make_preset  # presets are composites: load last

        return make_preset(name, parameters)

    @classmethod
    def parse(cls, text: str) -> Composite:
        """Make a composite from one word, as the command line takes it.

        Parameters
        ----------
        text : str
            A file ("design.yaml"), a preset, or a rule for every weighted layer; the latter two
            with parameters if wanted ("epsilon_gamma_box:low=-2.1,high=2.6", "z_plus:bias=drop").

        Raises
        ------
        CompositeError
            None of these; names the nearest.

        Examples
        --------
        >>> print(Composite.parse("z_plus:bias=drop").entries[0])
        every weighted layer → z_plus:bias=drop
        """
        from onnxlrp.composites.text import parse  # it knows the presets: load last

        return parse(text)


def _check_text(key: str, value: Any) -> None:
    """Refuse what is no text that a file can hold."""
    if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise CompositeError(f"{key} must be text, got {value!r}.")


def _entries(specs: list[Any]) -> list[Entry]:
    """Make the entries; an error names the one at fault."""
    entries = []
    for number, spec in enumerate(specs, 1):
        try:
            entries.append(Entry.from_dict(spec))
        except CompositeError as error:
            raise located(error, f"entry {number}") from error
    return entries
