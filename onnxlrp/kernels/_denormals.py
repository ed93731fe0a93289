"""Flush-to-zero: float32 numbers below 1.2e-38 count as 0 while relevance is computed.

Relevance fades over many layers until it is denormal, and x86 computes with denormal numbers up to
a hundred times slower. The switch is a register of the thread (MXCSR: flush results, and read
denormal operands as zero). On other processors, and when numba's compiler is disabled, these
functions do nothing.
"""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir

from onnxlrp.kernels._jit import config, i8, intrinsic, kernel, types

_FLUSH_RESULTS = 0x8000
_OPERANDS_ARE_ZERO = 0x0040
_SUPPORTED = platform.machine().lower() in {"x86_64", "amd64"} and not config.DISABLE_JIT


def flush() -> int:
    """Flush denormals on this thread from now on; return the register as it was."""
    return int(_exchange_flags(_FLUSH_RESULTS | _OPERANDS_ARE_ZERO)) if _SUPPORTED else 0


def restore(control: int) -> None:
    """Put this thread's register back to what `flush` returned."""
    if _SUPPORTED:
        _write_control(control)


def _control_slot(builder: Any, name: str) -> tuple[Any, Any]:
    """Memory for the register, and the instruction that moves it there or back."""
    pointer = ir.IntType(8).as_pointer()
    instruction = builder.module.declare_intrinsic(
        f"llvm.x86.sse.{name}", fnty=ir.FunctionType(ir.VoidType(), [pointer])
    )
    slot = builder.alloca(ir.IntType(32))
    return slot, lambda: builder.call(instruction, [builder.bitcast(slot, pointer)])


@intrinsic  # type: ignore[untyped-decorator]
def _load_register(typing_context: Any) -> Any:
    """MXCSR of the running thread."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slot, move = _control_slot(builder, "stmxcsr")
        move()
        return builder.zext(builder.load(slot), ir.IntType(64))

    return types.int64(), generate


@intrinsic  # type: ignore[untyped-decorator]
def _store_register(typing_context: Any, control: Any) -> Any:
    """Set MXCSR of the running thread."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slot, move = _control_slot(builder, "ldmxcsr")
        builder.store(builder.trunc(arguments[0], ir.IntType(32)), slot)
        move()
        return context.get_dummy_value()

    return types.void(types.int64), generate


@kernel(i8, returns=i8)
def _exchange_flags(flags: int) -> int:
    """Add flags to the register; return the register as it was."""
    before: int = _load_register()
    _store_register(before | flags)
    return before


@kernel(i8)
def _write_control(control: int) -> None:
    """Set the whole register."""
    _store_register(control)
