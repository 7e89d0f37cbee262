"""Tiles: tuples of vector values, the accumulators of an inner loop.

    tile = zeros(12, 8)            twelve accumulators of eight lanes
    tile = outer_pairs(tile, vectors, p, offsets)
                                   tile[i, j] += pair at (p + offsets[i]) * vectors[j]

A pair is two neighbouring floats alternating over all lanes, x0 x1 x0 x1 ...: with the vectors
arranged to match, it brings two inputs (or two positions) to half as many outputs, and it is as
cheap to load as a single float. Where an output has fewer planes than a register has lanes, this
is what fills the register.

An outer product is what keeps a core busy: from m values and n vectors read it makes m x n
multiply-adds, all independent of each other.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from zipnet.fused.compiling import primitive, sized
from zipnet.fused.lanes import Lanes, call, floats, literal, move, read, read_pair, spread


@sized
def zeros(typingctx: Any, size: Any, count: Any) -> Any:
    """A tuple of `size` values of `count` zeros."""
    m, n = literal(size), literal(count)
    if m is None or n is None:
        return None
    kind = types.UniTuple(Lanes(n), m)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return ir.Constant(context.get_value_type(kind), None)

    return kind(size, count), generate


@sized
def load_tile(typingctx: Any, pointer: Any, size: Any, count: Any) -> Any:
    """A tuple of `size` values of `count` lanes, end to end in memory."""
    m, n = literal(size), literal(count)
    if m is None or n is None:
        return None
    kind = types.UniTuple(Lanes(n), m)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        step = ir.IntType(64)
        values = [
            read(builder, move(builder, args[0], ir.Constant(step, n * i)), n) for i in range(m)
        ]
        return cgutils.pack_array(builder, values)

    return kind(floats, size, count), generate


@primitive
def store_tile(typingctx: Any, pointer: Any, tile: Any) -> Any:
    """Write the values of a tuple end to end."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        for i, value in enumerate(cgutils.unpack_tuple(builder, args[1])):
            place = move(builder, args[0], ir.Constant(ir.IntType(64), i * value.type.count))
            builder.store(value, builder.bitcast(place, value.type.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(floats, tile), generate


@primitive
def fma_tile(typingctx: Any, tile: Any, factor: Any, term: Any) -> Any:
    """tile[i] * factor + term for all i."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        values = cgutils.unpack_tuple(builder, args[0])
        return cgutils.pack_array(
            builder, [call(builder, "fmuladd", value, args[1], args[2]) for value in values]
        )

    return tile(tile, factor, term), generate


def _outer(name: str, doc: str, fetch: Any) -> Any:
    """An intrinsic that adds the outer product of values read from memory and vectors to a tile."""

    def outer(typingctx: Any, tile: Any, vectors: Any, pointer: Any, offsets: Any) -> Any:
        count = tile.dtype.count

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            sums = cgutils.unpack_tuple(builder, args[0])
            columns = cgutils.unpack_tuple(builder, args[1])
            places = cgutils.unpack_tuple(builder, args[3])
            result = []
            for i, place in enumerate(places):
                value = fetch(builder, move(builder, args[2], place), count)
                for j, column in enumerate(columns):
                    total = sums[i * len(columns) + j]
                    result.append(call(builder, "fmuladd", value, column, total))
            return cgutils.pack_array(builder, result)

        return tile(tile, vectors, floats, offsets), generate

    outer.__name__ = outer.__qualname__ = name
    outer.__doc__ = doc
    return primitive(outer)


def _read_one(builder: Any, pointer: Any, count: int) -> Any:
    return spread(builder, builder.load(pointer), count)


outer_pairs = _outer(
    "outer_pairs", "tile[i, j] += pair at (pointer + offsets[i]) * vectors[j].", read_pair
)
outer_values = _outer(
    "outer_values", "tile[i, j] += float at (pointer + offsets[i]) * vectors[j].", _read_one
)
outer_loads = _outer(
    "outer_loads", "tile[i, j] += vector at (pointer + offsets[i]) * vectors[j].", read
)
