"""Choosing layers: by operator, name, index, depth, first or last, or all of these at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from numbers import Integral, Real
from typing import Any

from onnxlrp.errors import SelectorError, did_you_mean
from onnxlrp.graph.model import Layer, Model, first_layers, last_layers

Patterns = str | tuple[str, ...]
"""One glob or several, of which one must fit: "Conv*"."""


@dataclass(frozen=True, slots=True)
class Selector:
    """The layers that fit everything it says; said nothing, every weighted layer.

    Without ``op`` or ``name`` it means weighted layers only (Conv, ConvTranspose, Gemm, MatMul);
    with one of them it may also mean others that take a rule, such as BatchNormalization.

    Parameters
    ----------
    op : str or tuple of str, optional
        ONNX operators; globs.
    name : str or tuple of str, optional
        Layer names; globs.
    index : int or (int, int), optional
        Position on the ruler, or first and last position, both included; −1 is the last layer.
    depth : (float, float), optional
        From and to, within [0, 1], the end left out unless it is 1. Of n weighted layers, the k-th
        (from 0) has depth k / (n − 1); any other layer has that of the weighted layer before it.
    first, last : bool
        Weighted layers that the input reaches, or from which the explained tensor is reached,
        without passing another one.

    Raises
    ------
    SelectorError
        A value that makes no sense.

    Examples
    --------
    >>> str(Selector(op="Conv*", depth=(0, 0.5)))
    'op Conv*, depth 0 to 0.5'
    """

    op: Patterns | None = None
    name: Patterns | None = None
    index: int | tuple[int, int] | None = None
    depth: tuple[float, float] | None = None
    first: bool = False
    last: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "op", _patterns("op", self.op))
        object.__setattr__(self, "name", _patterns("name", self.name))
        object.__setattr__(self, "index", _index(self.index))
        object.__setattr__(self, "depth", _depth(self.depth))
        for key in ("first", "last"):
            if not isinstance(getattr(self, key), bool):
                raise SelectorError(f"{key} must be true or false, got {getattr(self, key)!r}.")

    def matches(self, model: Model, linear: Collection[int] | None = None) -> frozenset[int]:
        """Find the layers of a model that fit.

        Parameters
        ----------
        model : Model
        linear : collection of int, optional
            Indices of the layers that take a rule; all others are left out. Unknown if not given:
            then ``op`` and ``name`` may mean any layer.

        Returns
        -------
        frozenset of int
            Layer indices; empty if none fits.
        """
        rulable = [x for x in model.layers if linear is None or x.index in linear]
        weighted = [layer.index for layer in rulable if layer.weighted]
        by_kind = self.op is not None or self.name is not None
        candidates = rulable if by_kind else [x for x in rulable if x.weighted]
        found = {layer.index for layer in candidates if self._fits(layer, model, weighted)}
        if self.first:
            found &= first_layers(model)
        if self.last:
            found &= last_layers(model)
        return frozenset(found)

    def _fits(self, layer: Layer, model: Model, weighted: list[int]) -> bool:
        """Whether the layer itself fits: operator, name, position, depth."""
        if self.op is not None and not _fits_any(layer.op, self.op):
            return False
        if self.name is not None and not _fits_any(layer.name, self.name):
            return False
        if self.index is not None:
            low, high = self._span(len(model.layers))
            if not low <= layer.index <= high:
                return False
        return self.depth is None or _within(_depth_of(layer.index, weighted), self.depth)

    def _span(self, count: int) -> tuple[int, int]:
        """First and last position of ``index``, counted from the front."""
        assert self.index is not None
        ends = (self.index, self.index) if isinstance(self.index, int) else self.index
        low, high = (end + count if end < 0 else end for end in ends)
        return low, high

    def why_empty(self, model: Model) -> str:
        """Say in one sentence why no layer fits, with the nearest name where one was mistyped."""
        for word, wanted, known in (
            ("type", self.op, [layer.op for layer in model.layers]),
            ("name", self.name, [layer.name for layer in model.layers]),
        ):
            patterns = (wanted,) if isinstance(wanted, str) else wanted or ()
            if patterns and not any(_fits_any(value, patterns) for value in known):
                hint = did_you_mean(patterns[0], known)
                return f"{model.name} has no layer of {word} {_shown(patterns)}.{hint}"
        if self.index is not None:
            low, high = self._span(len(model.layers))
            if low >= len(model.layers) or high < 0:
                return f"{model.name} has layers 0 to {len(model.layers) - 1}."
            if (
                low == high
                and not model.layers[low].weighted
                and self == Selector(index=self.index)
            ):
                return f"layer {low} is {model.layers[low]}, which has no weights."
        return f"no layer of {model.name} that takes a rule fits all of it."

    def to_dict(self) -> dict[str, Any]:
        """Return {key: value, …} with only what was said; tuples as lists."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in said.items()
            if value is not None and value is not False
        }

    @classmethod
    def from_dict(cls, spec: Mapping[str, Any]) -> Selector:
        """Make a selector from what :meth:`to_dict` gives.

        Raises
        ------
        SelectorError
            No mapping, an unknown key (with the nearest one), or a value that makes no sense.
        """
        known = [f.name for f in fields(cls)]
        if not isinstance(spec, Mapping):
            raise SelectorError(f"a selector maps {', '.join(known)} to values, got {spec!r}.")
        for key in spec:
            if key not in known:
                hint = did_you_mean(str(key), known)
                raise SelectorError(
                    f"a selector has no key {key!r}.{hint} Keys: {', '.join(known)}."
                )
        return cls(**spec)

    def __str__(self) -> str:
        """Write the selector for people: "op Conv, index 0 to 7"."""
        parts = []
        for key, value in self.to_dict().items():
            if value is True:
                parts.append(key)
            elif key in ("index", "depth") and isinstance(value, list):
                parts.append(f"{key} {value[0]:g} to {value[1]:g}")
            else:
                parts.append(f"{key} {_shown(value)}")
        return ", ".join(parts) or "every weighted layer"


def _fits_any(text: str, patterns: Patterns) -> bool:
    """Whether one of the globs fits; a name with brackets in it also fits as it stands."""
    several = (patterns,) if isinstance(patterns, str) else patterns
    return any(text == pattern or fnmatchcase(text, pattern) for pattern in several)


def _depth_of(index: int, weighted: list[int]) -> float:
    """Return the depth of a layer among the weighted ones."""
    before = max(bisect_right(weighted, index) - 1, 0)
    return before / (len(weighted) - 1) if len(weighted) > 1 else 0.0


def _within(depth: float, span: tuple[float, float]) -> bool:
    """Whether a depth is in [from, to), or in [from, 1]."""
    return span[0] <= depth < span[1] or depth == span[1] == 1


def _shown(values: str | int | Iterable[str]) -> str:
    return str(values) if isinstance(values, (str, int)) else " or ".join(values)


def _patterns(key: str, value: Any) -> Patterns | None:
    """Check globs: one as a string, several as a tuple."""
    if value is None or (isinstance(value, str) and value):
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, str) and v for v in value):
        return str(value[0]) if len(value) == 1 else tuple(value)
    raise SelectorError(f"{key} must be a name, a glob, or a list of them, got {value!r}.")


def _index(value: Any) -> int | tuple[int, int] | None:
    """Check a position, or first and last position in this order."""
    if value is None or _is_int(value):
        return value if value is None else int(value)
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_int, value)):
        low, high = (int(end) for end in value)
        if (low < 0) == (high < 0) and low > high:
            raise SelectorError(f"index: the range runs backwards, from {low} to {high}.")
        return low, high
    raise SelectorError(f"index must be an integer, or the first and the last one, got {value!r}.")


def _is_int(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _depth(value: Any) -> tuple[float, float] | None:
    """Check two fractions in this order."""
    if value is None:
        return None
    is_pair = isinstance(value, (list, tuple)) and len(value) == 2
    if is_pair and all(isinstance(v, Real) and not isinstance(v, bool) for v in value):
        low, high = (float(end) for end in value)
        if 0 <= low < high <= 1:
            return low, high
    raise SelectorError(f"depth must be two numbers, 0 ≤ from < to ≤ 1, got {value!r}.")
