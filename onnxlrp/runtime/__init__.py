"""The forward pass, by onnxruntime or in float64, and the activations that it gives."""

from onnxlrp.runtime.activations import Activations, run
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.exact import Exact
from onnxlrp.runtime.forward import Forward, Precision, open_forward
from onnxlrp.runtime.session import Sessions

__all__ = [
    "Activations",
    "Device",
    "Exact",
    "Forward",
    "Precision",
    "Sessions",
    "open_forward",
    "run",
]
