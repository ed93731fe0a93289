"""The truth on the side of every kink where another forward pass was.

A ReLU's unit counts or not, a max pool's place wins or not: rounding decides where two values are
near. So it does in z/stab(z) of a sum or a normalisation before a ReLU, where z is as small as ε.
With those decisions taken over from a float32 pass, its heatmap and the truth are those of one and
the same piecewise linear network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from truth_network import Bent
from truth_rules import bent, passing

NEAR = 1e-2
"""Relative L2 difference above which two tensors are not the same one."""


class SameSide(Bent):
    """Calls every function in its bent form, kinks as they were decided before.

    Parameters
    ----------
    relus : sequence of Tensor
        The outputs of all ReLUs in the order of their calls.
    pools : sequence of Tensor
        The inputs of all max pools, likewise.
    sums : sequence of Tensor
        The outputs of all sums of two tensors and batch normalisations that fold into no layer.
    rest
        See :class:`Bent`.
    """

    def __init__(
        self,
        relus: Sequence[Tensor],
        pools: Sequence[Tensor],
        sums: Sequence[Tensor],
        *rest: Any,
    ) -> None:
        super().__init__(*rest)
        self._relus, self._pools, self._sums = iter(relus), iter(pools), iter(sums)

    def _called(self, name: str, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if name == "relu":
            x = args[0]
            on = _seen(self._relus, x.clamp(min=0)) > 0
            return passing(x, torch.where(on, x, 0.0))
        if name.startswith("max_pool"):
            x, pool = args[0], getattr(functional, name)
            kwargs = {**kwargs, "return_indices": True}
            _, places = pool(_seen(self._pools, x), *args[1:], **kwargs)
            return x.flatten(2).gather(2, places.flatten(2)).view(places.shape)
        return super()._called(name, func, args, kwargs)

    def _shared(self, z: Tensor) -> Tensor:
        then = _seen(self._sums, z).to(z)
        return bent(z, then, then) + (z - then).detach()


def _seen(earlier: Iterator[Tensor], now: Tensor) -> Tensor:
    """Take the next tensor of the earlier pass; it must be the one that is computed now."""
    then = next(earlier, None)
    if then is None or then.shape != now.shape:
        raise LookupError(f"the earlier pass has no such tensor of shape {tuple(now.shape)}")
    if (then - now).norm() > NEAR * now.norm():
        raise LookupError(f"the earlier pass computed another tensor of shape {tuple(now.shape)}")
    return then
