"""Values of several float32 lanes, as a numba type of their own.

Numba has arrays and scalars, and leaves vectors to LLVM's auto-vectorizer, which keeps accumulators
in memory as soon as a loop nest is not textbook. Here `<8 x float>` and `<16 x float>` are values
like any other: they live in registers, pass through functions and fit in tuples.

    p = address(array)             Floats: a bare pointer to float32, p + n moves it by n floats
    a = load(p, 8)                 eight neighbouring floats
    b = broadcast(p, 8)            one float in all lanes
    c = splat(value, 8)            a scalar in all lanes
    d = fma(a, b, c)               a * b + c
    store(p, d)

`shuffles` rearranges lanes, `tiles` works on tuples of such values, the accumulators of a loop.

Lane counts are literal integers. Everything lowers to generic LLVM vector instructions and the
intrinsics `llvm.fmuladd` and `llvm.sqrt`, nothing that only one kind of machine has: LLVM splits or
joins registers to fit (16 lanes are one AVX-512, two AVX or four NEON registers). `fmuladd` rounds
once where the machine has a fused multiply-add, twice where it has none. Nothing checks bounds.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from zipnet.fused.compiling import primitive, sized

FLOAT = ir.FloatType()
INDEX = ir.IntType(32)


# ---------------------------------------------------------------------------------------- types


class Lanes(types.Type):
    """A value of `count` float32 lanes."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"lanes{count}")


class Floats(types.Type):
    """A bare pointer to float32 values."""

    def __init__(self) -> None:
        super().__init__(name="floats")


floats = Floats()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """In LLVM: <count x float>."""

    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, ir.VectorType(FLOAT, kind.count))


@register_model(Floats)
class FloatsModel(models.PrimitiveModel):
    """In LLVM: a pointer."""

    def __init__(self, manager: Any, kind: Floats) -> None:
        super().__init__(manager, kind, FLOAT.as_pointer())


# ------------------------------------------------------------------- building blocks, LLVM side


def vector(count: int) -> ir.VectorType:
    """<count x float>"""
    return ir.VectorType(FLOAT, count)


def move(builder: Any, pointer: Any, offset: Any) -> Any:
    """`pointer` moved by `offset` floats."""
    return builder.gep(pointer, [offset])


def read(builder: Any, pointer: Any, count: int) -> Any:
    """`count` floats from `pointer` on, which need not be aligned."""
    value = builder.load(builder.bitcast(pointer, vector(count).as_pointer()))
    value.align = 4
    return value


def pick(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    """The stated lanes of a and b, put end to end."""
    mask = ir.Constant(ir.VectorType(INDEX, len(lanes)), lanes)
    return builder.shuffle_vector(a, b, mask)


def spread(builder: Any, value: Any, count: int) -> Any:
    """A scalar in `count` lanes."""
    nothing = ir.Constant(vector(count), ir.Undefined)
    one = builder.insert_element(nothing, value, ir.Constant(INDEX, 0))
    return pick(builder, one, nothing, [0] * count)


def read_pair(builder: Any, pointer: Any, count: int) -> Any:
    """Two floats alternating over `count` lanes; one instruction on most machines."""
    two = read(builder, pointer, 2)
    return pick(builder, two, two, [0, 1] * (count // 2))


def call(builder: Any, name: str, *values: Any) -> Any:
    """Call the LLVM intrinsic `name` on vectors of one type."""
    kind = values[0].type
    full = f"llvm.{name}.v{kind.count}f32"
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(kind, [kind] * len(values)), full
    )
    return builder.call(function, values)


def literal(kind: Any) -> int | None:
    """The value of a literal integer, None for any other type (numba then reports the call)."""
    return kind.literal_value if isinstance(kind, types.IntegerLiteral) else None


# --------------------------------------------------------------------------- pointers and memory


@primitive
def address(typingctx: Any, array: Any) -> Any:
    """Pointer to the start of a float32 array, or to a place in memory given as an integer."""
    if isinstance(array, types.Integer):

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], FLOAT.as_pointer())

        return floats(types.intp), generate

    if isinstance(array, types.Array) and array.dtype == types.float32:

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return context.make_array(sig.args[0])(context, builder, args[0]).data

        return floats(array), generate
    return None


@infer_global(operator.add)
class _MovePointer(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        if len(args) == 2 and args[0] == floats and isinstance(args[1], types.Integer):
            return signature(floats, floats, types.int64)
        return None


@lower_builtin(operator.add, Floats, types.Integer)
def _move_pointer(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return move(builder, *args)


@sized
def load(typingctx: Any, pointer: Any, count: Any) -> Any:
    """`count` neighbouring floats."""
    n = literal(count)
    if n is None:
        return None

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return read(builder, args[0], n)

    return Lanes(n)(floats, count), generate


@primitive
def store(typingctx: Any, pointer: Any, value: Any) -> Any:
    """Write the lanes of `value` to `pointer` and its neighbours."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        target = builder.bitcast(args[0], args[1].type.as_pointer())
        builder.store(args[1], target, align=4)
        return context.get_dummy_value()

    return types.void(floats, value), generate


@primitive
def increase(typingctx: Any, pointer: Any, factor: Any, value: Any) -> Any:
    """Add factor * value to the floats at `pointer`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        old = read(builder, args[0], value.count)
        new = call(builder, "fmuladd", args[1], args[2], old)
        builder.store(new, builder.bitcast(args[0], new.type.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(floats, value, value), generate


@sized
def broadcast(typingctx: Any, pointer: Any, count: Any) -> Any:
    """The float at `pointer` in all `count` lanes."""
    n = literal(count)
    if n is None:
        return None

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return spread(builder, builder.load(args[0]), n)

    return Lanes(n)(floats, count), generate


@sized
def splat(typingctx: Any, value: Any, count: Any) -> Any:
    """A scalar in all `count` lanes."""
    n = literal(count)
    if n is None:
        return None

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return spread(builder, args[0], n)

    return Lanes(n)(types.float32, count), generate


@primitive
def fill(typingctx: Any, like: Any, value: Any) -> Any:
    """A scalar in as many lanes as `like` has."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return spread(builder, args[1], sig.args[0].count)

    return like(like, types.float32), generate


@primitive
def extract(typingctx: Any, value: Any, lane: Any) -> Any:
    """One lane as a scalar."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.extract_element(*args)

    return types.float32(value, types.int64), generate


@primitive
def with_lane(typingctx: Any, value: Any, lane: Any, scalar: Any) -> Any:
    """`value` with one lane replaced."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.insert_element(args[0], args[2], args[1])

    return value(value, types.int64, types.float32), generate


@primitive
def take_next(typingctx: Any, counter: Any) -> Any:
    """The value of an int64 array's first element, which grows by one: safe between threads."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), generate


# ------------------------------------------------------------------------------------ arithmetic


def _define_operator(symbol: Any, instruction: str) -> None:
    """Let `symbol` work lane by lane on two values of one type."""

    class Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) == 2 and isinstance(args[0], Lanes) and args[0] == args[1]:
                return signature(args[0], *args)
            return None

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)

    infer_global(symbol)(Typing)
    lower_builtin(symbol, Lanes, Lanes)(generate)


_define_operator(operator.add, "fadd")
_define_operator(operator.sub, "fsub")
_define_operator(operator.mul, "fmul")
_define_operator(operator.truediv, "fdiv")


@primitive
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Multiply and add: a * b + c."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return call(builder, "fmuladd", *args)

    return a(a, a, a), generate


@primitive
def sqrt(typingctx: Any, a: Any) -> Any:
    """The square root of each lane."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return call(builder, "sqrt", *args)

    return a(a), generate


@primitive
def lesser(typingctx: Any, a: Any, limit: Any) -> Any:
    """min(a, limit) in each lane; where a is not a number it stays so."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), args[1], args[0])

    return a(a, a), generate


@primitive
def greater(typingctx: Any, a: Any, limit: Any) -> Any:
    """max(a, limit) in each lane; where a is not a number it stays so."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *args), args[1], args[0])

    return a(a, a), generate


@primitive
def where_positive(typingctx: Any, condition: Any, value: Any) -> Any:
    """`value` in the lanes where `condition` > 0, else 0."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        zero = ir.Constant(args[0].type, None)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], zero)

    return value(value, value), generate
