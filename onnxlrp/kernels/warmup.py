"""Compile every kernel once after an install; later processes load the machine code."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import llvmlite.binding
import numba

from onnxlrp.kernels._jit import KERNELS, config, sources

#: Compile time of all kernels on one core, in seconds, about; only for the message.
_SECONDS = 35
_STAMP = "onnxlrp-kernels.stamp"


def is_compiled() -> bool:
    """Whether every kernel is compiled, in this process or in numba's cache on the disk."""
    if config.DISABLE_JIT or all(kernel.is_compiled for kernel in KERNELS):
        return True
    return _is_stamped()


def ensure_compiled(notify: Callable[[str], None]) -> None:
    """Compile all kernels unless this install has done so for this numba and processor.

    The code is kept where numba keeps its cache: beside the package, in ``NUMBA_CACHE_DIR``, or in
    the user's cache folder if the package cannot be written to.

    Parameters
    ----------
    notify : callable
        Gets one line before the work begins; not called when there is nothing to do.

    Examples
    --------
    >>> ensure_compiled(notify=lambda line: None)
    >>> is_compiled()
    True
    """
    if is_compiled():
        return
    folder = _cache_folder()
    once = "once after an install" if folder else "set NUMBA_CACHE_DIR to a folder to keep them"
    notify(f"Compiling kernels, {once} (about {_SECONDS} s) ...")
    for kernel in KERNELS:
        kernel.compile()
    if folder is not None:
        # Without a stamp the next process says the line again and finds the code in the cache.
        with contextlib.suppress(OSError):
            _write(folder / _STAMP, _fingerprint())
            _is_stamped.cache_clear()


@cache
def _is_stamped() -> bool:
    """Whether an earlier process compiled these sources; asked once a process."""
    folder = _cache_folder()
    if folder is None:
        return False
    try:
        return (folder / _STAMP).read_text() == _fingerprint()
    except OSError:
        return False


def _cache_folder() -> Path | None:
    """Folder in which numba keeps the kernels; None if no folder can be written."""
    try:
        return Path(KERNELS[0].cache.cache_path)
    except RuntimeError:
        return None


def _fingerprint() -> str:
    """Hash what the machine code depends on: compiler, processor, and the kernels' sources."""
    processor = llvmlite.binding.get_host_cpu_name()
    features = llvmlite.binding.get_host_cpu_features().flatten()
    parts = [numba.__version__, platform.python_version(), processor, features, repr(sources())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
