"""The forward pass: onnxruntime sessions and the activations they give."""

from onnxlrp.runtime.activations import Activations, run
from onnxlrp.runtime.device import Device
from onnxlrp.runtime.session import Sessions

__all__ = ["Activations", "Device", "Sessions", "run"]
