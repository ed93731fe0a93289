"""LRP of a PyTorch network in float64, as gradient × input of a network that is bent for it.

Every operation keeps its value but gets the derivative that makes x·∂f/∂x its relevance: a rule's
denominator, a gate, a norm's deviation are constants of the derivative. Nothing here knows ONNX or
onnxlrp: where both agree, exporter, import and sweep are right.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

LOW, HIGH = -3.0, 3.0
"""Bounds of z^B."""

PRESETS: dict[str, tuple[str, str, str | None]] = {
    "lrp_0": ("zero", "zero", None),
    "epsilon_plus_flat": ("plus", "epsilon", "flat"),
    "epsilon_alpha2_beta1": ("alpha_beta", "epsilon", None),
    "epsilon_gamma_box": ("gamma", "epsilon", "box"),
}
"""Preset → rule of convolutions, of dense layers, and of the first layers if it is another."""

ACTIVATIONS = {
    "celu", "clamp", "clip", "elu", "erf", "gelu", "hardswish", "hardtanh", "leaky_relu", "mish",
    "prelu", "relu", "relu6", "selu", "silu", "softplus", "softsign", "tanh",
}  # fmt: skip
GATES = {"hardsigmoid", "sigmoid", "softmax"}
STATISTICS = {"linalg_vector_norm", "norm", "rsqrt", "std", "var", "vector_norm"}
MOVES = {
    "__getitem__", "chunk", "expand", "expand_as", "flatten", "permute", "repeat", "reshape",
    "split", "squeeze", "transpose", "unbind", "unsqueeze", "view", "view_as", "contiguous",
}  # fmt: skip
CONVOLUTIONS = {
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
}  # fmt: skip
PRODUCTS = {"mul", "multiply", "__mul__", "__rmul__", "__imul__"}
SUMS = {
    "__add__", "__iadd__", "__isub__", "__radd__", "__rsub__", "__sub__", "adaptive_avg_pool1d",
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "add", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "cumsum", "mean", "rsub", "sub", "subtract", "sum",
}  # fmt: skip
IN_PLACE = {"__iadd__": torch.add, "__isub__": torch.sub, "add_": torch.add, "sub_": torch.sub}
QUOTIENTS = {"div", "divide", "true_divide", "__truediv__", "__itruediv__"}
ELEMENTWISE = {
    *ACTIVATIONS, *GATES, *PRODUCTS, *QUOTIENTS, "__add__", "__iadd__", "__radd__", "add", "sub",
} - {"softmax"}  # fmt: skip

Linear = Callable[[Tensor, Tensor], Tensor]
"""The linear map of a layer: (input, weight) → output, without bias."""


def relevance(
    network: torch.nn.Module, x: Tensor, preset: str, target: Callable[[Any], Tensor]
) -> tuple[Tensor, Tensor]:
    """Explain ``target(output)``, a logit; return R of x, and the logit, both float64.

    ``network`` must be in double precision and evaluation mode, its parameters without gradient.
    """
    x = x.double().requires_grad_()
    with Bent(*PRESETS[preset]):
        logit = target(network(x)).sum()
    (gradient,) = torch.autograd.grad(logit, x)
    return gradient * x.detach(), logit.detach()


@dataclass(frozen=True)
class _Map:
    """A linear map, and the axis of its weight along which output channels lie, if there is one."""

    apply: Linear
    channels: int | None

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        return self.apply(x, w)


class Bent(TorchFunctionMode):
    """Calls every function of PyTorch in its bent form."""

    def __init__(self, convolution: str, dense: str, first: str | None) -> None:
        super().__init__()
        self._rules = {"convolution": convolution, "dense": dense, "first": first}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the bent form, if there is one, and note what its output is made of."""
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        plain = name if name.startswith("__") else name.rstrip("_")
        tensors = list(_tensors((*args, *kwargs.values())))
        if not any(t.requires_grad for t in tensors):
            return func(*args, **kwargs)
        made = self._called(plain, func, args, kwargs)
        for out in made if isinstance(made, tuple | list) else (made,):
            if isinstance(out, Tensor):
                deep = plain in CONVOLUTIONS or plain in ("linear", "matmul")
                out.is_deep = deep or any(getattr(t, "is_deep", False) for t in tensors)
                out.highest = _highest(plain, args, kwargs)
                gate = plain in GATES | STATISTICS or out.highest == 1
                out.is_gate = gate or _stays_gate(plain, tensors)
                varying = [t for t in tensors if t.requires_grad]
                if plain in ELEMENTWISE and len(varying) == 1:
                    out.sources = (varying[0], *getattr(varying[0], "sources", ()))
        return made

    def _called(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        own = getattr(self, f"_{name}", None)
        if name in CONVOLUTIONS:
            return self._convolution(func, *args, **kwargs)
        if name in ACTIVATIONS | GATES - {"softmax"}:
            return passing(
                args[0], _out_of_place(func, name)(*args, **{**kwargs, **_fixed(kwargs)})
            )
        if name in PRODUCTS | {"add", "__add__", "__radd__", "__iadd__"}:
            folded = self._affine(name, *args, **kwargs)
            if folded is not None:
                return folded
        if func.__name__ == "add_" and not args[0].requires_grad:
            raise NotImplementedError("a sum that is gathered in place")
        if name in SUMS:
            return shared(IN_PLACE.get(func.__name__, func)(*args, **kwargs))
        if name in PRODUCTS:
            return product(args[0], args[1])
        if name in QUOTIENTS:
            held = args[1].detach() if isinstance(args[1], Tensor) else args[1]
            return torch.div(args[0], held, **kwargs)
        if own is not None:
            return own(*args, **kwargs)
        return func(*args, **kwargs)

    def _linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return self._ruled("dense", _Map(functional.linear, 0), x, weight, bias)

    def _convolution(
        self,
        func: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        *args: Any,
        **kw: Any,
    ) -> Tensor:
        def linear(x: Tensor, w: Tensor) -> Tensor:
            return func(x, w, None, *args, **kw)

        channels = 1 if "transpose" in func.__name__ else 0
        return self._ruled("convolution", _Map(linear, channels), x, weight, bias)

    def _ruled(
        self, kind: str, linear: _Map, x: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        first = self._rules["first"] if not getattr(x, "is_deep", False) else None
        rule = first or self._rules[kind]
        b = None if bias is None else bias if kind == "dense" else along(bias, x.ndim)
        out = RULES[rule](linear, x, weight, b)
        if linear.channels is not None:
            out.made_by = kind, linear, x, weight, bias
        return out

    def _batch_norm(
        self,
        x: Tensor,
        mean: Any,
        var: Any,
        weight: Any = None,
        bias: Any = None,
        *args: Any,
        **kw: Any,
    ) -> Tensor:
        """Fold into the layer before it; elsewhere an affine layer under LRP-ε."""
        eps = kw.get("eps", args[2] if len(args) > 2 else 1e-5)
        scale = (weight if weight is not None else 1.0) / torch.sqrt(var + eps)
        shift = (bias if bias is not None else 0.0) - mean * scale
        if hasattr(x, "made_by"):
            return self._folded(x, scale, shift)
        return shared(along(scale, x.ndim) * x + along(shift, x.ndim))

    def _affine(self, name: str, x: Any, c: Any, **kw: Any) -> Tensor | None:
        """x·c or x + c with one constant a channel: folded into the layer before it."""
        if not hasattr(x, "made_by"):
            x, c = c, x
        if not hasattr(x, "made_by") or kw or (isinstance(c, Tensor) and c.requires_grad):
            return None
        values = torch.as_tensor(c, dtype=x.dtype)
        axis = -1 if x.made_by[0] == "dense" else 1 - x.ndim
        count = values.shape[axis] if values.ndim >= -axis else 1
        if values.numel() not in (1, count):
            return None
        values = values.reshape(-1).expand(x.shape[x.ndim + axis])
        one, none = torch.ones_like(values), torch.zeros_like(values)
        return self._folded(x, *((values, none) if name in PRODUCTS else (one, values)))

    def _folded(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """The layer that made x again, its channels scaled and shifted."""
        kind, linear, source, w, b = x.made_by  # type: ignore[attr-defined]  # set by _ruled
        axis = linear.channels % w.ndim
        if w.shape[axis] != len(scale):
            raise NotImplementedError("an affine layer behind a grouped ConvTranspose")
        spread = scale.reshape([-1 if i == axis else 1 for i in range(w.ndim)])
        shift = shift if b is None else shift + b * scale
        return self._ruled(kind, linear, source, w * spread, shift)

    def _layer_norm(
        self, x: Tensor, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
    ) -> Tensor:
        return rescaled(standardised(x, tuple(range(-len(shape), 0)), eps), weight, bias)

    def _group_norm(
        self, x: Tensor, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
    ) -> Tensor:
        n = standardised(x.reshape(len(x), groups, -1), (-1,), eps).reshape(x.shape)
        return rescaled(n, along(weight, x.ndim), along(bias, x.ndim))

    def _matmul(self, a: Any, b: Any) -> Tensor:
        if a.requires_grad and b.requires_grad:
            return both(torch.matmul, a, b)
        if a.requires_grad:
            return self._ruled("dense", _Map(torch.matmul, -1), a, b, None)
        return self._ruled("dense", _Map(lambda x, w: w @ x, None), b, a, None)

    _bmm = ___matmul__ = _matmul

    def _einsum(self, equation: str, *operands: Any) -> Tensor:
        a, b = operands
        if not (a.requires_grad and b.requires_grad):
            return torch.einsum(equation, a, b)
        return both(partial(torch.einsum, equation), a, b)

    def _interpolate(self, x: Tensor, *args: Any, mode: str = "nearest", **kw: Any) -> Tensor:
        y = functional.interpolate(x, *args, mode=mode, **kw)
        return y if mode.startswith("nearest") else shared(y)

    def _scaled_dot_product_attention(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        attn_mask: Any = None,
        dropout_p: float = 0.0,
        **kw: Any,
    ) -> Tensor:
        scores = self._matmul(q, k.transpose(-2, -1)) * (kw.get("scale") or q.shape[-1] ** -0.5)
        scores = scores if attn_mask is None else shared(scores + attn_mask)
        return self._matmul(scores.softmax(-1), v)

    def _multi_head_attention_forward(self, query: Tensor, key: Any, *args: Any, **kw: Any) -> Any:
        """Self-attention over (places, batch, channels), heads of equal size, no mask."""
        names = inspect.signature(functional.multi_head_attention_forward).parameters
        given = dict(zip(names, (query, key, *args), strict=False)) | kw
        count, batch, channels = query.shape
        heads = (count, batch * given["num_heads"], -1)
        joint = self._linear(query, given["in_proj_weight"], given["in_proj_bias"])
        q, k, v = (part.reshape(heads).transpose(0, 1) for part in joint.chunk(3, -1))
        mixed = self._scaled_dot_product_attention(q, k, v).transpose(0, 1)
        out = mixed.reshape(count, batch, channels)
        return self._linear(out, given["out_proj_weight"], given["out_proj_bias"]), None

    def _normalize(
        self, x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, **kw: Any
    ) -> Tensor:
        """x/‖x‖ with the norm held fixed."""
        return x / x.norm(p, dim, keepdim=True).clamp_min(eps).detach()

    def _addcmul(self, total: Tensor, a: Tensor, b: Tensor, value: float = 1.0) -> Tensor:
        return shared(total + value * product(a, b))


def _tensors(values: Any) -> Iterator[Tensor]:
    """Yield the tensors among arguments, also those in lists."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)


def _stays_gate(name: str, tensors: list[Tensor]) -> bool:
    """Whether a gate comes out: moved, scaled by a constant or another gate, or divided."""
    gates = [getattr(t, "is_gate", False) for t in tensors if t.requires_grad]
    if name in MOVES | QUOTIENTS:
        return gates[0]
    return name in PRODUCTS and all(gates)


def _highest(name: str, args: Any, kwargs: Any) -> float | None:
    """What a clamp from 0 on, scaled by a constant or not, can reach; None for anything else."""
    if name == "relu6":
        return 6.0
    if name in ("clamp", "hardtanh", "clip"):
        low, high, *_ = (*args[1:], *kwargs.values(), None, None)
        return None if high is None or float(low) != 0 else float(high)
    before = getattr(args[0], "highest", None) if len(args) == 2 else None
    if before is None or name not in PRODUCTS | QUOTIENTS or getattr(args[1], "numel", int)() > 1:
        return None
    return round(before * float(args[1]) ** (1 if name in PRODUCTS else -1), 6)


def _out_of_place(func: Any, name: str) -> Any:
    return getattr(functional, name, None) or getattr(torch, name)


def _fixed(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"inplace": False} if "inplace" in kwargs else {}


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


def _flat(linear: Linear, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    ones = linear(x / x.detach(), torch.ones_like(w))
    return bent(ones, ones, _with(linear(x, w), b))


def _box(linear: Linear, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
    unit = x / x.detach()
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
