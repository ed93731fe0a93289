"""From pictures to the tensor a network takes, and back."""

from __future__ import annotations

from onnxlrp.preprocess.preprocessing import Preprocessing

__all__ = ["Preprocessing"]
