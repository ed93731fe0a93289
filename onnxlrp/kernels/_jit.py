"""How kernels are compiled: one decorator with explicit types, so that none is compiled twice.

A kernel is *declared* at import and compiled, or loaded from numba's cache on disk, when it is
first called. Its types are written down: float32 arrays in C order, read-only where the kernel only
reads, so that an immutable array and a mutable one take the same machine code.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba.core.caching
import numba.core.types
import numba.extending
import numpy as np

#: numba, seen without its types: what it compiles it cannot describe to a type checker.
njit: Any = numba.njit
intrinsic: Any = numba.extending.intrinsic
config: Any = numba.config
types: Any = numba.core.types
_caching: Any = numba.core.caching

#: Kernels that keep the order of every operation; NaN and infinity stay visible.
EXACT: frozenset[str] = frozenset({"contract", "nsz"})
#: Kernels that sum many terms: the compiler may reorder the sum to fill vector registers.
REDUCTION: frozenset[str] = frozenset({"contract", "nsz", "reassoc"})

f4 = types.float32
f8 = types.float64
i8 = types.int64
b1 = types.boolean

#: Typed numbers: numba would compile a function anew for each plain one that it is called with.
ZERO, ONE = np.int64(0), np.int64(1)

#: Every declared kernel, in the order of declaration: what the warm-up compiles.
KERNELS: list[Kernel] = []


def read(ndim: int = 1, dtype: Any = f4) -> Any:
    """Type of a contiguous array that a kernel only reads."""
    return types.Array(dtype, ndim, "C", readonly=True)


def write(ndim: int = 1, dtype: Any = f4) -> Any:
    """Type of a contiguous array that a kernel writes."""
    return types.Array(dtype, ndim, "C")


@functools.cache
def sources() -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of the files from which kernels are compiled."""
    files = ((path, path.stat()) for path in sorted(Path(__file__).parent.glob("*.py")))
    return tuple((str(path), status.st_mtime_ns, status.st_size) for path, status in files)


class _Cache(_caching.FunctionCache):  # type: ignore[misc]
    """Machine code on the disk, which any change of a kernel's file or of this folder outdates.

    numba by itself looks at the kernel's own file, not at those of the functions that it calls.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp(), sources()
        self._cache_file = _caching.IndexDataCacheFile(
            self._cache_path, self._impl.filename_base, stamp
        )


class Kernel:
    """A function with fixed types that is compiled on first use, without holding the GIL in it."""

    def __init__(self, function: Callable[..., Any], signature: Any, fastmath: frozenset[str]):
        self.function = function
        self.signature = signature
        self.fastmath = fastmath
        self._compiled: Callable[..., Any] | None = None
        self._lock = threading.Lock()
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__

    @property
    def cache(self) -> Any:
        """Where numba keeps the machine code on the disk.

        Raises
        ------
        RuntimeError
            If no folder can be written.
        """
        return _Cache(self.function)

    @property
    def is_compiled(self) -> bool:
        """Whether this process has the machine code."""
        return self._compiled is not None

    def compile(self) -> Callable[..., Any]:
        """Machine code of the kernel: from memory, else from the disk, else from the compiler."""
        with self._lock:
            if self._compiled is None:
                self._compiled = _compile(self.function, self.signature, self.fastmath)
            return self._compiled

    def __call__(self, *arguments: Any) -> Any:
        """Run the kernel."""
        return (self._compiled or self.compile())(*arguments)


def kernel(
    *parameters: Any, returns: Any = types.void, fastmath: frozenset[str] = EXACT
) -> Callable[[Callable[..., Any]], Kernel]:
    """Declare a kernel with these parameter types."""

    def declare(function: Callable[..., Any]) -> Kernel:
        declared = Kernel(function, returns(*parameters), fastmath)
        KERNELS.append(declared)
        return declared

    return declare


def device(
    fastmath: frozenset[str] = EXACT,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function that kernels call; compiled as a part of each of them."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        options = {"nogil": True, "error_model": "numpy", "fastmath": set(fastmath)}
        compiled: Callable[..., Any] = njit(**options)(function)
        return compiled

    return declare


def _compile(function: Callable[..., Any], signature: Any, fastmath: frozenset[str]) -> Any:
    options = {"nogil": True, "error_model": "numpy", "fastmath": set(fastmath)}
    compiled = njit(**options)(function)
    if config.DISABLE_JIT:
        return compiled
    try:
        compiled._cache = _Cache(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        # No folder can be written at all: compile for this process only.
    compiled.compile(signature)
    compiled.disable_compile()
    return compiled
