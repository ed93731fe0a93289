"""A rule's equation as LaTeX, written from the same data that the engine computes with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onnxlrp.rules.frame import Bound, InputMap, WeightMap, Where

if TYPE_CHECKING:
    from onnxlrp.rules.base import Rule

Terms = list[tuple[float, str]]
"""Coefficients and the symbols they stand before."""


def equation(rule: Rule, seen: InputMap | None = None, linear: float | None = None) -> str:
    """Write R_i = Σ_j (share of i in j)·R_j with the rule's numbers filled in.

    Parameters
    ----------
    rule : Rule
    seen : InputMap, optional
        How the input is seen; the rule's own map if left out.
    linear : float, optional
        The part of V that is written as a plain w, the rest being put in w⁺ and w⁻; what positive
        and negative contributions have in common if left out.

    Returns
    -------
    str
        Factors of one and terms of zero are left out; symbols that stand for longer expressions
        are explained after the equation.
    """
    x = _InputText(rule.input if seen is None else seen)
    definitions = list(x.definitions)
    sums: dict[Where, Terms] = {}
    for count, branch in enumerate(rule.branches):
        parts = _Parts.of(branch.weight, linear)
        text = _BranchText(rule, x, parts, denominator="d_j" + "'" * count)
        sums.setdefault(branch.where, []).append((branch.coefficient, text.fraction))
        definitions += text.definitions
    shares = [_sum_over_neurons(where, terms) for where, terms in sums.items()]
    return r",\quad ".join(["R_i = " + " + ".join(shares), *definitions])


def number(value: float) -> str:
    r"""Write a number in at most four digits: "0.25", "10^{-6}", "2.5 \cdot 10^{-7}"."""
    mantissa, _, exponent = f"{value:.4g}".partition("e")
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"


def total(terms: Iterable[tuple[float, str]]) -> str:
    """Join terms by their signs; those with coefficient zero are left out."""
    text = ""
    for coefficient, symbol in terms:
        if coefficient == 0:
            continue
        factor = number(abs(coefficient))
        if symbol:
            factor = symbol if factor == "1" else rf"{factor}\,{symbol}"
        if text:
            text += f" - {factor}" if coefficient < 0 else f" + {factor}"
        else:
            text = f"-{factor}" if coefficient < 0 else factor
    return text or "0"


def _is_sum(terms: Terms) -> bool:
    return sum(coefficient != 0 for coefficient, _ in terms) > 1


def _sum_over_neurons(where: Where, terms: Terms) -> str:
    """Σ_j (…) R_j over the neurons that the branches speak for."""
    index = {Where.ALWAYS: "j", Where.POSITIVE: r"{j:\,z_j>0}", Where.NEGATIVE: r"{j:\,z_j<0}"}[
        where
    ]
    body = total(terms)
    body = rf"\left({body}\right)" if _is_sum(terms) else body
    return rf"\sum_{index} {body} R_j"


class _InputText:
    """The input as the rule sees it: a symbol, or the two distances from the bounds."""

    def __init__(self, seen: InputMap) -> None:
        self.plain = seen.is_plain
        self.definitions: list[str] = []
        self.box = (seen.low, seen.high) if seen.is_box else None
        terms = [(seen.constant, ""), (seen.rms, r"\mathrm{rms}(a)"), (seen.linear, "a_i")]
        self._symbol = "" if total(terms) == "1" else total(terms)
        if _is_sum(terms):
            self._symbol = "x_i"
            self.definitions = [f"x_i = {total(terms)}"]

    def at(self, i: str) -> str:
        """Write the input of neuron ``i``; empty for one."""
        return self._symbol.replace("_i", f"_{{{i}}}" if len(i) > 1 else f"_{i}")

    def above(self, bound: Bound | None, name: str, i: str) -> str:
        """Write the distance (a_i − bound), with the bound's number or, for an array, a symbol."""
        a = "a_i" if i == "i" else f"a_{{{i}}}"
        if not isinstance(bound, float):
            return rf"\left({a} - {a.replace('a', name)}\right)"
        return rf"\left({total([(1.0, a), (-bound, '')])}\right)" if bound else a


@dataclass(frozen=True, slots=True)
class _Parts:
    """V(w) = linear·w + plus·w⁺ + minus·w⁻ + square·w² + rms·RMS(W) + constant."""

    linear: float
    plus: float
    minus: float
    map: WeightMap

    @classmethod
    def of(cls, weight: WeightMap, linear: float | None) -> _Parts:
        """Split so that as little as possible is said twice."""
        p, n = weight.positive, weight.negative
        if linear is None:
            linear = min(p, n, key=abs) if p * n > 0 else 0.0
        return cls(linear, p - linear, n - linear, weight)

    def signed(self, plain: str, plus: str, minus: str) -> Terms:
        """Return the three signed terms."""
        return [(self.linear, plain), (self.plus, plus), (self.minus, minus)]

    def rest(self, x: str, square: str) -> Terms:
        """Return the terms that know no sign, ``x`` before each."""
        return [
            (self.map.square, f"{x} {square}".strip()),
            (self.map.rms, rf"{x}\,\mathrm{{rms}}(W)" if x else r"\mathrm{rms}(W)"),
            (self.map.constant, x),
        ]


class _BranchText:
    """One branch: its fraction, and what its symbols stand for."""

    def __init__(self, rule: Rule, x: _InputText, parts: _Parts, denominator: str) -> None:
        self._x, self._parts, self._bias_kept = x, parts, rule.bias != "drop"
        self.definitions: list[str] = []
        terms = self._denominator()
        d = total(terms)
        if rule.epsilon and d not in ("z_j", "z_j^+", "z_j^-"):
            d = denominator
            self.definitions = [f"{d} = {total(terms)}"]
        scale = rf"\mathrm{{rms}}({d.replace('_j', '')})\," if rule.relative else ""
        stabiliser = (rule.epsilon, rf"{scale}\mathrm{{sign}}({d})")
        numerator = self._contribution("i")
        if rule.bias == "spread":
            lost = [*self._bias(), stabiliser]
            share = rf"\left({total(lost)}\right)" if _is_sum(lost) else total(lost)
            numerator.append((1.0, rf"\tfrac{{1}}{{n_j}} {share}"))
        self.fraction = rf"\frac{{{total(numerator)}}}{{{total([(1.0, d), stabiliser])}}}"

    def _contribution(self, i: str) -> Terms:
        """Write what input ``i`` gives to neuron j: x·V(w)."""
        w = f"w_{{{i}j}}"
        if self._x.box is not None:
            return self._boxed_contribution(i, w)
        x = self._x.at(i)
        c = f"{x} {w}".strip()
        plus, minus = (f"({c})^{sign}" if x else f"{c}^{sign}" for sign in "+-")
        return [*self._parts.signed(c, plus, minus), *self._parts.rest(x, f"{w}^2")]

    def _boxed_contribution(self, i: str, w: str) -> Terms:
        """Write (a − low) and (a − high), each with the weights it meets."""
        low, high = self._x.box or (None, None)
        above = self._x.above(low, "l", i), self._x.above(high, "h", i)
        p, n = self._parts.map.positive, self._parts.map.negative
        terms = [(p, f"{above[0]} {w}^+"), (p, f"{above[1]} {w}^-")]
        terms += [(n, f"{above[0]} {w}^-"), (n, f"{above[1]} {w}^+")]
        return terms + [term for a in above for term in self._parts.rest(a, f"{w}^2")]

    def _denominator(self) -> Terms:
        """Write what the contributions sum up to, the bias among them unless it is dropped."""
        parts = self._parts
        if self._x.plain and parts.map.is_plain:
            bias = [] if self._bias_kept else [(-c, symbol) for c, symbol in self._bias()]
            return [*parts.signed("z_j", "z_j^+", "z_j^-"), *bias]
        contribution = self._contribution("i'")
        body = total(contribution)
        body = rf"\left({body}\right)" if _is_sum(contribution) else body
        return [(1.0, rf"\sum_{{i'}} {body}"), *(self._bias() if self._bias_kept else [])]

    def _bias(self) -> Terms:
        """Write V(b)."""
        return [*self._parts.signed("b_j", "b_j^+", "b_j^-"), *self._parts.rest("", "b_j^2")]
