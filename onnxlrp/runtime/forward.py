"""What a forward pass offers, whoever computes it: onnxruntime or the float64 reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol, get_args

from numpy.typing import NDArray

from onnxlrp.errors import InputError, RuntimeSetupError, did_you_mean
from onnxlrp.graph.model import Model
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.exact import Exact
from onnxlrp.runtime.session import Sessions
from onnxlrp.runtime.shapes import Shape

Precision = Literal["single", "double"]


class Forward(Protocol):
    """Computes a network's tensors."""

    @property
    def model(self) -> Model:
        """The network."""

    @property
    def provider(self) -> str:
        """Who computes."""

    def run(self, x: NDArray[Any], tensors: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Compute tensors for one batch; ``x`` has the input's exact type."""

    def shapes(self, input_shape: Shape) -> Mapping[str, Shape]:
        """Return the tensors' shapes, as far as they follow from the graph."""


def open_forward(
    model: Model,
    device: Device,
    precision: Precision,
    readable: Iterable[str] = (),
    fusable: Iterable[str] = (),
) -> Forward:
    """Choose who computes a network's tensors.

    Parameters
    ----------
    model : Model
    device : "auto", "cpu" or "cuda"
    precision : "single" or "double"
        onnxruntime in float32 on the device, or the reference in float64 on the CPU.
    readable, fusable : iterable of str, optional
        Tensors that will be asked for, in one choice or another; see :class:`Sessions`.

    Raises
    ------
    InputError
        No such precision.
    RuntimeSetupError
        No such device; double precision on CUDA.
    """
    if precision not in get_args(Precision):
        hint = did_you_mean(str(precision), get_args(Precision))
        raise InputError(f"precision {precision!r}: choose 'single' or 'double'.{hint}")
    if precision == "single":
        return Sessions(model, device, readable=readable, fusable=fusable)
    if device == "cuda":
        raise RuntimeSetupError(
            "device 'cuda' with precision 'double': the float64 pass runs on the CPU; use "
            "device='auto', or precision='single'."
        )
    return Exact(model)
