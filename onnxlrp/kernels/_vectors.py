"""Vectors of float32 numbers, for the few loops that a compiler does not vectorise by itself.

A *vector function* is written twice: as its meaning, in NumPy, and as the instructions that a
kernel gets in its place. The meaning also runs when numba's compiler is disabled.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import llvmlite.binding
from llvmlite import ir

from onnxlrp.kernels._jit import config, i8, intrinsic, read, types, write

#: Numbers in one vector: a register of AVX2, two of NEON.
LANES = 8
#: Numbers in the widest register of this processor: what products are made of.
WIDE = 16 if llvmlite.binding.get_host_cpu_features().get("avx512f") else LANES

_FLOAT = ir.FloatType()
_INDEX = ir.IntType(64)
_FUSE = ("contract",)


class Vector:
    """Some numbers in a register; + − × work with vectors and with plain numbers."""

    def __init__(self, builder: Any, value: Any):
        self._builder = builder
        self.value = value

    def _operand(self, other: Vector | float) -> Any:
        if isinstance(other, Vector):
            return other.value
        kind = self.value.type
        return ir.Constant(kind, [other] * kind.count)

    def __add__(self, other: Vector | float) -> Vector:
        sum_ = self._builder.fadd(self.value, self._operand(other), flags=_FUSE)
        return Vector(self._builder, sum_)

    def __sub__(self, other: Vector | float) -> Vector:
        difference = self._builder.fsub(self.value, self._operand(other), flags=_FUSE)
        return Vector(self._builder, difference)

    def __mul__(self, other: Vector | float) -> Vector:
        product = self._builder.fmul(self.value, self._operand(other), flags=_FUSE)
        return Vector(self._builder, product)

    __rmul__ = __mul__

    def __truediv__(self, other: Vector) -> Vector:
        return Vector(self._builder, self._builder.fdiv(self.value, other.value))

    def rounded_sum(self, other: Vector) -> Vector:
        """Add, without being fused with a product, in a kernel without "contract"."""
        return Vector(self._builder, self._builder.fadd(self.value, other.value))

    def rounded_product(self, other: Vector) -> Vector:
        """Multiply, rounded before anything is added, in a kernel without "contract"."""
        return Vector(self._builder, self._builder.fmul(self.value, other.value))

    def plus(self, factor: float, other: Vector) -> Vector:
        """Add factor × other, rounded once where the processor can."""
        kind = self.value.type
        name = f"llvm.fmuladd.v{kind.count}f32"
        declared = self._builder.module.globals.get(name)
        if declared is None:
            signature = ir.FunctionType(kind, [kind] * 3)
            declared = ir.Function(self._builder.module, signature, name)
        operands = [other.value, self._operand(factor), self.value]
        return Vector(self._builder, self._builder.call(declared, operands))


class Pointer:
    """A place in an array of numbers, read and written in vectors of `lanes`."""

    def __init__(self, builder: Any, address: Any, lanes: int):
        self._builder = builder
        self._address = address
        self._lanes = lanes

    def __add__(self, step: Any) -> Pointer:
        """The place `step` numbers further; a plain number, or an index of the kernel."""
        index = _INDEX(step) if isinstance(step, int) else step
        return Pointer(self._builder, self._builder.gep(self._address, [index]), self._lanes)

    def of(self, lanes: int) -> Pointer:
        """The same place, read and written in vectors of so many."""
        return Pointer(self._builder, self._address, lanes)

    def prefetch(self) -> None:
        """Have what lies at this place, if anything, brought to the cache meanwhile."""
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        fetch = self._builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        to_read, often, data = number(0), number(3), number(1)
        address = self._builder.bitcast(self._address, byte)
        self._builder.call(fetch, [address, to_read, often, data])

    def number(self) -> Any:
        """The number at this place."""
        return self._builder.load(self._address)

    def put(self, number: Any) -> None:
        """Write a number at this place."""
        self._builder.store(number, self._address)

    def load(self) -> Vector:
        """A vector of the numbers from here on; no alignment is needed."""
        value = self._builder.load(self._as_vector())
        value.align = 4
        return Vector(self._builder, value)

    def load_repeated(self) -> Vector:
        """Repeat the number at this place in every lane."""
        return Code(self._builder, self._lanes).repeat(self.number())

    def store(self, vector: Vector) -> None:
        """Write a vector of numbers from here on."""
        self._builder.store(vector.value, self._as_vector()).align = 4

    def copy(self, out: Pointer, count: int) -> None:
        """Copy `count` numbers from here to another place, all read before any is written."""
        kind = ir.VectorType(_FLOAT, count).as_pointer()
        numbers = self._builder.load(self._builder.bitcast(self._address, kind))
        numbers.align = 4
        target = self._builder.bitcast(out._address, kind)
        self._builder.store(numbers, target).align = 4

    def _as_vector(self) -> Any:
        kind = ir.VectorType(_FLOAT, self._lanes)
        return self._builder.bitcast(self._address, kind.as_pointer())


class Code:
    """The place in a kernel at which instructions for vectors of `lanes` are written."""

    def __init__(self, builder: Any, lanes: int):
        self.builder = builder
        self.lanes = lanes
        self.kind = ir.VectorType(_FLOAT, lanes)

    def of(self, lanes: int) -> Code:
        """The same place, for vectors of so many."""
        return Code(self.builder, lanes)

    def zero(self) -> Vector:
        """As many zeros as a vector holds."""
        return Vector(self.builder, ir.Constant(self.kind, [0.0] * self.lanes))

    def choose(self, condition: Any, one: Vector, other: Vector) -> Vector:
        """One vector where the condition holds, for all lanes or for each, else the other."""
        chosen = self.builder.select(condition, one.value, other.value)
        return Vector(self.builder, chosen)

    def where(self, one: Vector, relation: str, other: Vector) -> Any:
        """Condition for each lane: how the numbers compare; nothing but "!=" holds for NaN."""
        if relation == "!=":
            return self.builder.fcmp_unordered(relation, one.value, other.value)
        return self.builder.fcmp_ordered(relation, one.value, other.value)

    def everywhere(self, condition: Any) -> Any:
        """Condition: that of all lanes."""
        lanes = ir.IntType(self.lanes)
        all_set = ir.Constant(lanes, 2**self.lanes - 1)
        return self.builder.icmp_unsigned("==", self.builder.bitcast(condition, lanes), all_set)

    def both(self, condition: Any, other: Any) -> Any:
        """Condition for each lane: both of the two hold."""
        return self.builder.and_(condition, other)

    def flags(self, found: Mapping[int, Any]) -> Any:
        """Sum of the numbers whose condition holds for a lane, at least."""
        lanes, total = ir.IntType(self.lanes), _INDEX(0)
        for number, condition in found.items():
            holds = self.builder.icmp_unsigned(
                "!=", self.builder.bitcast(condition, lanes), lanes(0)
            )
            chosen = self.builder.select(holds, _INDEX(number), _INDEX(0))
            total = self.builder.or_(total, chosen)
        return total

    def greater(self, one: Vector, other: Vector) -> Any:
        """Condition for each lane: one number is greater than the other."""
        return self.builder.fcmp_ordered(">", one.value, other.value)

    def within(self, first: int, low: Any, high: Any) -> Any:
        """Condition for each lane: its number, counted from `first` on, is in low … high − 1."""
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        numbers = ir.Constant(kind, list(range(first, first + self.lanes)))
        low, high = (self._repeat(self.builder.trunc(n, kind.element), kind) for n in (low, high))
        return self.builder.and_(
            self.builder.icmp_signed("<=", low, numbers),
            self.builder.icmp_signed("<", numbers, high),
        )

    def inside(self, left: Any, step: int, width: Any) -> Any:
        """Condition for each lane: left + step · lane is in 0 … width − 1."""
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        left, width = (self.builder.trunc(number, kind.element) for number in (left, width))
        numbers = ir.Constant(kind, [step * lane for lane in range(self.lanes)])
        places = self.builder.add(self._repeat(left, kind), numbers)
        return self.builder.icmp_unsigned("<", places, self._repeat(width, kind))

    def index(self, number: Any) -> Any:
        """A number of a table as an index of the kernel."""
        return self.builder.sext(number, _INDEX)

    def least(self, index: Any, number: int) -> Any:
        """The smaller one of an index of the kernel and a plain number."""
        plain = index.type(number)
        return self.builder.select(self.builder.icmp_signed("<", index, plain), index, plain)

    def at(self, address: Any) -> Pointer:
        """The place at an address."""
        place = self.builder.inttoptr(address, _FLOAT.as_pointer())
        return Pointer(self.builder, place, self.lanes)

    def either(self, condition: Any, other: Any) -> Any:
        """Condition for each lane: at least one of the two holds."""
        return self.builder.or_(condition, other)

    def repeat(self, number: Any) -> Vector:
        """Repeat a number of the kernel in every lane."""
        return Vector(self.builder, self._repeat(number, self.kind))

    def shuffle(self, vectors: Sequence[Vector], lanes: Sequence[int]) -> Vector:
        """Pick as many numbers as there are `lanes` out of vectors that lie one after another."""
        joined = [vector.value for vector in vectors]
        while len(joined) > 1:
            joined = [self._join(*joined[i : i + 2]) for i in range(0, len(joined), 2)]
        whole = joined[0]
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))
        nothing = ir.Constant(whole.type, ir.Undefined)
        return Vector(self.builder, self.builder.shuffle_vector(whole, nothing, mask))

    def collect(self, places: Sequence[Pointer]) -> Vector:
        """A vector of the numbers at as many places."""
        value = ir.Constant(self.kind, ir.Undefined)
        for lane, place in enumerate(places):
            value = self.builder.insert_element(value, place.number(), ir.IntType(32)(lane))
        return Vector(self.builder, value)

    def distribute(self, vector: Vector, places: Sequence[Pointer]) -> None:
        """Write each number of a vector at a place of its own."""
        for lane, place in enumerate(places):
            place.put(self.builder.extract_element(vector.value, ir.IntType(32)(lane)))

    def alternate(self, one: Vector, other: Vector) -> list[Vector]:
        """Two vectors that hold the numbers of two in turn."""
        lanes = [lane + of for lane in range(self.lanes) for of in (0, self.lanes)]
        halves = lanes[: self.lanes], lanes[self.lanes :]
        return [self.shuffle([one, other], half) for half in halves]

    def times(self, index: Any, factor: int) -> Any:
        """An index of the kernel times a plain number."""
        return self.builder.mul(index, index.type(factor))

    def accumulate(
        self,
        count: Any,
        starts: Sequence[Vector],
        step: Callable[[Any, list[Vector]], list[Vector]],
    ) -> list[Vector]:
        """Loop `count` times (at least once) over sums in registers; return their last values."""
        builder, before = self.builder, self.builder.block
        body = builder.append_basic_block("accumulate")
        after = builder.append_basic_block("accumulated")
        builder.branch(body)
        builder.position_at_end(body)
        index = builder.phi(_INDEX)
        phis = [builder.phi(start.value.type) for start in starts]
        results = step(index, [Vector(builder, phi) for phi in phis])
        following = builder.add(index, _INDEX(1))
        index.add_incoming(_INDEX(0), before)
        index.add_incoming(following, body)
        for phi, start, result in zip(phis, starts, results, strict=True):
            phi.add_incoming(start.value, before)
            phi.add_incoming(result.value, body)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        builder.position_at_end(after)
        return results

    def _repeat(self, number: Any, kind: Any) -> Any:
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, number, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def _join(self, left: Any, right: Any) -> Any:
        lanes = list(range(2 * left.type.count))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
        return self.builder.shuffle_vector(left, right, mask)


def vector_function(
    *parameters: Any,
    meaning: Callable[..., Any],
    lanes: int = LANES,
    returns: Any = types.void,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function of kernels that writes its own vector instructions.

    Its parameters are arrays, each followed by the index to begin at, and other numbers; the writer
    gets a `Code`, a `Pointer` for each array with its index, and the numbers. Vectors have `lanes`.
    What the writer returns is what the function does, if it `returns` anything.
    """

    def declare(write: Callable[..., Any]) -> Any:
        if config.DISABLE_JIT:
            return meaning

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            operands = []
            pairs = iter(zip(signature.args, values, strict=True))
            for type_, value in pairs:
                if isinstance(type_, types.Array):
                    data = context.make_array(type_)(context, builder, value).data
                    operands.append(Pointer(builder, data, lanes) + next(pairs)[1])
                else:
                    operands.append(value)
            result = write(Code(builder, lanes), *operands)
            return context.get_dummy_value() if returns is types.void else result

        def typing(context: Any, *arguments: Any) -> Any:
            return returns(*parameters), generate

        # numba reads the signature, and takes no function of "any arguments" here.
        names = [f"operand_{i}" for i in range(len(parameters))]
        kind = inspect.Parameter.POSITIONAL_ONLY
        named = [inspect.Parameter(name, kind) for name in ("context", *names)]
        typing.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
        return intrinsic(typing)

    return declare


def copying(count: int) -> Any:
    """Make the function that copies `count` numbers, all read before any is written."""

    def meaning(source: Any, at: int, out: Any, out_at: int) -> None:
        out[out_at : out_at + count] = source[at : at + count]

    @vector_function(read(), i8, write(), i8, meaning=meaning)
    def copy(code: Code, source: Pointer, out: Pointer) -> None:
        source.copy(out, count)

    return copy
