"""LRP of a PyTorch network in float64, as gradient × input of a network that is bent for it.

Every operation keeps its value but gets the derivative that makes x·∂f/∂x its relevance: a rule's
denominator, a gate, a norm's deviation are constants of the derivative. Nothing here knows ONNX or
onnxlrp: where both agree, exporter, import and sweep are right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from truth_network import Bent, Readers

PRESETS: dict[str, tuple[str, str, str | None]] = {
    "lrp_0": ("zero", "zero", None),
    "epsilon_plus_flat": ("plus", "epsilon", "flat"),
    "epsilon_alpha2_beta1": ("alpha_beta", "epsilon", None),
    "epsilon_gamma_box": ("gamma", "epsilon", "box"),
}
"""Preset → rule of convolutions, of dense layers, and of the first layers if it is another."""

HEAVY = 2**21
"""Elements from which a tensor that waits for the derivative goes to a file."""


def relevance(
    network: torch.nn.Module,
    x: Tensor,
    preset: str,
    target: Callable[[Any], Tensor],
    readers: Mapping[int, int],
    bent: Callable[..., Bent] = Bent,
) -> tuple[Tensor, Tensor]:
    """Explain ``target(output)``, a logit; return R of x, and the logit, both float64.

    ``network`` must be in double precision and evaluation mode, its parameters without gradient;
    ``readers`` is what :func:`readers_of` says of it. ``bent`` makes the mode.

    Raises
    ------
    NotImplementedError
        The bent network computes another logit than the network: some function's form is wrong.
    """
    x = x.double().requires_grad_()
    with torch.no_grad():
        expected = target(network(x)).sum()
    with TemporaryDirectory() as folder, on_disk(Path(folder)):
        with bent(*PRESETS[preset], readers):
            logit = target(network(x)).sum()
        (gradient,) = torch.autograd.grad(logit, x)
    if not torch.isclose(logit, expected, rtol=1e-4):
        raise NotImplementedError(f"the bent network computes {logit:.6g}, not {expected:.6g}")
    return gradient * x.detach(), logit.detach()


def readers_of(network: torch.nn.Module, x: Tensor) -> Mapping[int, int]:
    """Count how many calls read what each call of the network makes."""
    x = x.to(next(network.parameters()), copy=True).requires_grad_()
    with Readers() as readers:
        network(x)
    return readers.counts


def on_disk(folder: Path) -> saved_tensors_hooks:
    """Keep what the derivative needs of big layers in files: rules make several weights of one."""
    numbers = count()

    def pack(values: Tensor) -> Any:
        if values.numel() < HEAVY:
            return values
        path = folder / str(next(numbers))
        values.detach().contiguous().numpy().tofile(path)
        return path, values.shape, values.dtype

    def unpack(kept: Any) -> Tensor:
        if isinstance(kept, Tensor):
            return kept
        path, shape, dtype = kept
        return torch.from_file(str(path), True, shape.numel(), dtype=dtype).view(shape)

    return saved_tensors_hooks(pack, unpack)
