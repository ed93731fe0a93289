"""The derivatives of LRP's truth: each rule, sum, product and norm with x·∂f/∂x as its relevance.

Every function keeps its value; what a rule holds fixed is a constant of the derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

LOW, HIGH = -3.0, 3.0
"""Bounds of z^B."""

Linear = Callable[[Tensor, Tensor], Tensor]
"""The linear map of a layer: (input, weight) → output, without bias."""


def along(vector: Tensor, rank: int) -> Tensor:
    """Shape (C,) so that it runs along axis 1."""
    return vector.reshape((-1,) + (1,) * (rank - 2)) if isinstance(vector, Tensor) else vector


def stabilised(z: Tensor, epsilon: float) -> Tensor:
    """Z + ε·sign z, 0 counting as positive."""
    return z + epsilon * torch.where(z >= 0, 1.0, -1.0).to(z)


def bent(contributions: Tensor, total: Tensor, value: Tensor, epsilon: float = 1e-6) -> Tensor:
    """``value``, with the derivative of ``contributions``·value/stab(total)."""
    stable = stabilised(total.detach(), epsilon)
    ratio = torch.where(stable == 0, torch.zeros_like(stable), value.detach() / stable)
    return value.detach() + (contributions - contributions.detach()) * ratio


def shared(z: Tensor) -> Tensor:
    """z, a sum that hands relevance to its summands in proportion."""
    return bent(z, z, z)


def passing(x: Tensor, y: Tensor) -> Tensor:
    """Y = f(x), through which relevance passes."""
    return bent(x, x, y.detach(), 0.0)


def product(a: Any, b: Any) -> Tensor:
    """a·b: all to the signal if the other one is a gate or made of it, else half to each."""
    both = all(isinstance(t, Tensor) and t.requires_grad for t in (a, b))
    if not both:
        return torch.mul(a, b)
    gates = [
        getattr(gate, "is_gate", False) or any(t is signal for t in getattr(gate, "sources", ()))
        for gate, signal in ((a, b), (b, a))
    ]
    if gates[0] != gates[1]:
        return a.detach() * b if gates[0] else a * b.detach()
    return 0.5 * (a * b.detach() + a.detach() * b)


def standardised(x: Tensor, axes: Any, eps: float) -> Tensor:
    """(x − mean)/σ with σ held fixed."""
    centred = x - x.mean(axes, keepdim=True)
    return centred / torch.sqrt(centred.detach().square().mean(axes, keepdim=True) + eps)


def rescaled(x: Tensor, weight: Any, bias: Any) -> Tensor:
    """x·w + b by the z-rule."""
    return shared(_with(x if weight is None else x * weight, bias))


def both(multiply: Linear, a: Tensor, b: Tensor) -> Tensor:
    """A sum of products of activations: half to each, by the z-rule."""
    halves = multiply(a, b.detach()) + multiply(a.detach(), b)
    return bent(halves, halves, halves / 2)


def _with(z: Tensor, bias: Any) -> Tensor:
    return z if bias is None else z + bias


def _zero(linear: Linear, x: Tensor, w: Tensor, b: Tensor | None, epsilon: float = 0.0) -> Tensor:
    z = linear(x, w)
    return bent(z, _with(z, b), _with(z, b), epsilon)


def _epsilon(linear: Linear, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    return _zero(linear, x, w, b, 1e-6)


def _parts(linear: Linear, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of the positive and of the negative contributions."""
    up, down, w_up, w_down = x.clamp(min=0), x.clamp(max=0), w.clamp(min=0), w.clamp(max=0)
    return linear(up, w_up) + linear(down, w_down), linear(up, w_down) + linear(down, w_up)


def _signs(b: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    return (None, None) if b is None else (b.clamp(min=0), b.clamp(max=0))


def _alpha_beta(
    linear: Linear, x: Tensor, w: Tensor, b: Tensor | None, alpha: float = 2.0
) -> Tensor:
    value = _with(linear(x, w), b).detach()
    (up, down), (b_up, b_down) = _parts(linear, x, w), _signs(b)
    out = alpha * bent(up, _with(up, b_up), value)
    if alpha == 1.0:
        return out
    negative = _with(down, b_down).detach()
    ratio = value / (negative - 1e-6 * torch.where(negative <= 0, 1.0, -1.0))
    return out - (alpha - 1) * (value + (down - down.detach()) * ratio)


def _plus(linear: Linear, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    return _alpha_beta(linear, x, w, b, alpha=1.0)


def _gamma(linear: Linear, x: Tensor, w: Tensor, b: Tensor | None, gamma: float = 0.25) -> Tensor:
    z = linear(x, w)
    value = _with(z, b).detach()
    out = value
    for part, b_part, where in zip(
        _parts(linear, x, w), _signs(b), (value > 0, value < 0), strict=True
    ):
        contributions = z + gamma * part
        total = value + gamma * _with(part, b_part)
        stable = stabilised(total.detach(), 1e-6)
        ratio = torch.where(where, value / stable, torch.zeros_like(value))
        out = out + (contributions - contributions.detach()) * ratio
    return out


def _unit(x: Tensor) -> Tensor:
    """1, with the derivative of x/x; 0 where x is 0, for such are the pads of a Pad."""
    return x / torch.where(x == 0, torch.ones_like(x), x).detach()


def _flat(linear: Linear, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    ones = linear(_unit(x), torch.ones_like(w))
    return bent(ones, ones, _with(linear(x, w), b))


def _box(linear: Linear, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    unit = _unit(x)
    z = linear(x, w)
    seen = z - linear(LOW * unit, w.clamp(min=0)) - linear(HIGH * unit, w.clamp(max=0))
    return bent(seen, seen, _with(z, b))


RULES: dict[str, Callable[[Linear, Tensor, Tensor, Tensor | None], Tensor]] = {
    "zero": _zero,
    "epsilon": _epsilon,
    "plus": _plus,
    "alpha_beta": _alpha_beta,
    "gamma": _gamma,
    "flat": _flat,
    "box": _box,
}
