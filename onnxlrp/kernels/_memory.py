"""Compiled access to memory by its address, and numbers that several threads change at once.

What a job works on is handed to it as plain numbers, so that a thread can take jobs without
Python: an array is its address. The caller keeps the arrays alive while jobs run.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir

from onnxlrp.kernels._jit import config, i8, intrinsic, types

_IS_X86 = platform.machine().lower() in {"x86_64", "amd64"}
_ORDER = "seq_cst"


def _interpreted(meaning: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Compile an intrinsic, or take its meaning where numba's compiler is disabled."""

    def choose(typing: Callable[..., Any]) -> Any:
        return meaning if config.DISABLE_JIT else intrinsic(typing)

    return choose


def _viewing(dtype: Any, number: Any, kind: Any) -> Any:
    """Make the function that looks at `size` numbers at an address as a flat array."""

    def view(address: int, size: int) -> Any:
        return np.frombuffer((kind * size).from_address(int(address)), number)

    @_interpreted(meaning=view)
    def typing(context: Any, address: Any, size: Any) -> Any:
        array = types.Array(dtype, 1, "C")

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            made = context.make_array(array)(context, builder)
            width = context.get_constant(types.intp, kind._type_ and ctypes.sizeof(kind))
            context.populate_array(
                made,
                data=builder.inttoptr(values[0], made.data.type),
                shape=[values[1]],
                strides=[width],
                itemsize=width,
                meminfo=None,
            )
            return made._getvalue()

        return array(i8, i8), generate

    return typing


#: Numbers at an address, (address, size) → array: float32, int64 and int32.
floats = _viewing(types.float32, np.float32, ctypes.c_float)
longs = _viewing(types.int64, np.int64, ctypes.c_int64)
ints = _viewing(types.int32, np.int32, ctypes.c_int32)


def _place(context: Any, builder: Any, array: Any, values: Any) -> Any:
    """Address of an element of an int64 array."""
    data = context.make_array(array)(context, builder, values[0]).data
    return builder.gep(data, [values[1]])


def _changing(operation: str, change: Callable[[int, int], int]) -> Any:
    """Make the function that changes a number of an int64 array and returns what it was."""

    def meaning(numbers: Any, index: int, value: int) -> int:
        before = int(numbers[index])
        numbers[index] = change(before, value)
        return before

    @_interpreted(meaning=meaning)
    def typing(context: Any, numbers: Any, index: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            place = _place(context, builder, signature.args[0], values)
            return builder.atomic_rmw(operation, place, values[2], _ORDER)

        return i8(numbers, i8, i8), generate

    return typing


#: Change a number of an int64 array, (numbers, index, value) → what it was: add to it, set some of
#: its bits, replace it.
add = _changing("add", lambda before, value: before + value)
merge = _changing("or", lambda before, value: before | value)
exchange = _changing("xchg", lambda before, value: value)


@_interpreted(meaning=lambda numbers, index: int(numbers[index]))
def look(context: Any, numbers: Any, index: Any) -> Any:
    """Read a number of an int64 array that other threads change."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _place(context, builder, signature.args[0], values)
        return builder.load_atomic(place, _ORDER, 8)

    return i8(numbers, i8), generate


def _yielding() -> Any:
    """Make the function that lets another thread run on this core, if one waits for it."""
    if config.DISABLE_JIT or os.name != "posix":
        return pause
    return types.ExternalFunction("sched_yield", types.int32())


@_interpreted(meaning=lambda: None)
def pause(context: Any) -> Any:
    """Tell the processor that this thread waits for another one's write."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if _IS_X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", fnty=kind), [])
        return context.get_dummy_value()

    return types.void(), generate


give_way = _yielding()
