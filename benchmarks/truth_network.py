"""A PyTorch network bent for LRP: every function is called in the form whose derivative LRP is."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from truth_families import (
    ACTIVATIONS,
    CONVOLUTIONS,
    ELEMENTWISE,
    GATES,
    IN_PLACE,
    NEUTRAL,
    PRODUCTS,
    QUOTIENTS,
    STATISTICS,
    SUMS,
    fixed,
    highest,
    is_nothing,
    out_of_place,
    stays_gate,
    tensors_in,
    varying_in,
)
from truth_rules import (
    RULES,
    Linear,
    along,
    both,
    passing,
    product,
    rescaled,
    shared,
    standardised,
)


@dataclass(frozen=True)
class _Map:
    """A linear map, and the axis of its weight along which output channels lie, if there is one."""

    apply: Linear
    channels: int | None

    def __call__(self, x: Tensor, w: Tensor) -> Tensor:
        return self.apply(x, w)


class Readers(TorchFunctionMode):
    """Counts how many calls read what a call made: ``counts[5]`` are those of the fifth."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[int] = Counter()
        self._calls = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call it; number it if it is one that :class:`Bent` numbers."""
        kwargs = kwargs or {}
        tensors = list(tensors_in((*args, *kwargs.values())))
        made = func(*args, **kwargs)
        if not any(t.requires_grad for t in tensors):
            return made
        self._calls += 1
        outs = list(tensors_in(made if isinstance(made, tuple | list) else (made,)))
        if outs:
            self.counts.update({t.made_at for t in tensors if hasattr(t, "made_at")})
        for out in outs:
            out.made_at = self._calls
        return made


class Bent(TorchFunctionMode):
    """Calls every function of PyTorch in its bent form."""

    def __init__(
        self, convolution: str, dense: str, first: str | None, readers: Mapping[int, int]
    ) -> None:
        super().__init__()
        self._rules = {"convolution": convolution, "dense": dense, "first": first}
        self._readers = readers
        self._calls = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the bent form, if there is one, and note what its output is made of."""
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        plain = name if name.startswith("__") else name.rstrip("_")
        tensors = list(tensors_in((*args, *kwargs.values())))
        if not any(t.requires_grad for t in tensors):
            return func(*args, **kwargs)
        made = self._called(plain, func, args, kwargs)
        number = self._calls = self._calls + 1
        for out in made if isinstance(made, tuple | list) else (made,):
            if isinstance(out, Tensor):
                if self._readers.get(number, 0) > 1 and hasattr(out, "made_by"):
                    del out.made_by  # others read it as it is: nothing folds into its layer
                deep = plain in CONVOLUTIONS or plain in ("linear", "matmul")
                out.is_deep = deep or any(getattr(t, "is_deep", False) for t in tensors)
                out.highest = highest(plain, args, kwargs)
                gate = plain in GATES | STATISTICS or out.highest == 1
                out.is_gate = gate or stays_gate(plain, tensors)
                varying = [t for t in tensors if t.requires_grad]
                if plain in ELEMENTWISE and len(varying) == 1:
                    out.sources = (varying[0], *getattr(varying[0], "sources", ()))
        return made

    def _called(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        own = getattr(self, f"_{name}", None)
        if func.__name__ in IN_PLACE and name + "_" == func.__name__ and args[0].requires_grad:
            return self._in_place(name, func, args, kwargs)
        if name in CONVOLUTIONS:
            return self._convolution(func, *args, **kwargs)
        if name in ACTIVATIONS | GATES - {"softmax"}:
            return passing(args[0], out_of_place(func, name)(*args, **{**kwargs, **fixed(kwargs)}))
        if name in PRODUCTS | {"add", "__add__", "__radd__", "__iadd__"}:
            folded = self._affine(name, *args, **kwargs)
            if folded is not None:
                return folded
        if func.__name__ == "add_" and not args[0].requires_grad:
            raise NotImplementedError("a sum that is gathered in place")
        if name in NEUTRAL and any(is_nothing(a) for a in args):
            return func(*args, **kwargs)  # x + 0, as a branch that is not there
        if name in SUMS:
            z = IN_PLACE.get(func.__name__, func)(*args, **kwargs)
            return (self._shared if len(list(varying_in(args))) > 1 else shared)(z)
        if name in PRODUCTS:
            return product(args[0], args[1])
        if name in QUOTIENTS:
            held = args[1].detach() if isinstance(args[1], Tensor) else args[1]
            return torch.div(args[0], held, **kwargs)
        if own is not None:
            return own(*args, **kwargs)
        return func(*args, **kwargs)

    def _in_place(self, name: str, func: Any, args: tuple[Any, ...], kwargs: Any) -> Tensor:
        """A sum or product that whoever holds its first tensor reads, too."""
        made = self._called(name, IN_PLACE[func.__name__], args, kwargs)
        x: Tensor = args[0].copy_(made)
        vars(x).pop("made_by", None)
        if hasattr(made, "made_by"):
            x.made_by = made.made_by  # type: ignore[attr-defined]  # see _ruled
        return x

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
        return self._shared(along(scale, x.ndim) * x + along(shift, x.ndim))

    def _shared(self, z: Tensor) -> Tensor:
        return shared(z)

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
        out.is_deep = True  # two linear layers stand before it, of this same call
        return self._linear(out, given["out_proj_weight"], given["out_proj_bias"]), None

    def _normalize(
        self, x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, **kw: Any
    ) -> Tensor:
        """x/‖x‖ with the norm held fixed."""
        return x / x.norm(p, dim, keepdim=True).clamp_min(eps).detach()

    def _addcmul(self, total: Tensor, a: Tensor, b: Tensor, value: float = 1.0) -> Tensor:
        return shared(total + value * product(a, b))
