"""Which onnxruntime provider runs the network, and whether the installation is sound."""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
import warnings
from functools import cache
from importlib import metadata
from typing import Literal, get_args

from onnxlrp.errors import RuntimeSetupError, did_you_mean
from onnxlrp.graph.inference import CPU

Device = Literal["auto", "cpu", "cuda"]

CUDA = "CUDAExecutionProvider"

OPTIONS = {
    CPU: {},
    CUDA: {
        # Rules compare z with sums of a·w in float32; TF32, with its 10 bits, would part them.
        "use_tf32": "0",
        # Exhaustive search, the default, costs seconds for every new input shape.
        "cudnn_conv_algo_search": "HEURISTIC",
    },
}
"""Provider → what it is told."""


def providers_for(device: Device) -> tuple[str, ...]:
    """Choose the providers to ask onnxruntime for, the wanted one first.

    Parameters
    ----------
    device : "auto", "cpu" or "cuda"
        "auto" is CUDA where both onnxruntime and a driver have it, else the CPU.

    Raises
    ------
    RuntimeSetupError
        No such device, or "cuda" where onnxruntime or the driver lacks it.
    """
    if device not in get_args(Device):
        hint = did_you_mean(str(device), get_args(Device))
        raise RuntimeSetupError(f"device {device!r}: choose 'auto', 'cpu' or 'cuda'.{hint}")
    warn_of_two_installs()
    if device == "cpu":
        return (CPU,)
    obstacle = _cuda_obstacle()
    if obstacle is None:
        return (CUDA, CPU)
    if device == "cuda":
        raise RuntimeSetupError(f"device 'cuda': {obstacle}.")
    return (CPU,)


@cache
def _cuda_obstacle() -> str | None:
    """Say why CUDA cannot be asked for; None if it can, and then its libraries are loaded."""
    import onnxruntime

    if CUDA not in onnxruntime.get_available_providers():
        return (
            "the installed onnxruntime has no CUDA provider; install onnxruntime-gpu instead, or "
            "use device='cpu'"
        )
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return f"no NVIDIA driver was found ({driver}); install one, or use device='cpu'"
    # Loads CUDA and cuDNN from pip packages; what it prints about missing ones, and what the logger
    # says about falling back, shows in the session's providers.
    with contextlib.redirect_stdout(io.StringIO()):
        onnxruntime.preload_dlls()
    onnxruntime.set_default_logger_severity(4)
    return None


@cache
def warn_of_two_installs() -> None:
    """Warn, once, if two distributions overwrote each other's folder ``onnxruntime``."""
    installed = []
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            installed.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    if len(installed) == 2:
        warnings.warn(
            f"{' and '.join(installed)} are both installed and share one folder, so one of them is "
            "broken. Run: pip uninstall -y onnxruntime onnxruntime-gpu && "
            "pip install onnxruntime-gpu",
            RuntimeWarning,
            stacklevel=2,
        )
