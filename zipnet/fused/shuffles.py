"""Lanes in another order. Each function below says, for inputs of n lanes, which lanes come out.

Lanes of the first input count from 0, those of the second, b, from n. In code the functions
take and return vector values: `evens(a, b)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from zipnet.fused.compiling import primitive
from zipnet.fused.lanes import Lanes, pick


def _of_one(lanes: Callable[[int], Iterable[int]]) -> Any:
    """The shuffle of one input that `lanes` describes."""

    def shuffle(typingctx: Any, a: Any) -> Any:
        chosen = list(lanes(a.count))

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return pick(builder, args[0], args[0], chosen)

        return Lanes(len(chosen))(a), generate

    return _named(shuffle, lanes)


def _of_two(lanes: Callable[[int], Iterable[int]]) -> Any:
    """The shuffle of two inputs that `lanes` describes."""

    def shuffle(typingctx: Any, a: Any, b: Any) -> Any:
        chosen = list(lanes(a.count))

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return pick(builder, args[0], args[1], chosen)

        return Lanes(len(chosen))(a, a), generate

    return _named(shuffle, lanes)


def _named(shuffle: Any, lanes: Any) -> Any:
    shuffle.__name__, shuffle.__qualname__ = lanes.__name__, lanes.__qualname__
    shuffle.__doc__ = lanes.__doc__
    return primitive(shuffle)


@_of_one
def low(n: int) -> Iterable[int]:
    """a0 a1 a2 a3"""
    return range(n // 2)


@_of_one
def high(n: int) -> Iterable[int]:
    """a4 a5 a6 a7"""
    return range(n // 2, n)


@_of_one
def swapped(n: int) -> Iterable[int]:
    """a1 a0 a3 a2 a5 a4 a7 a6"""
    return (i ^ 1 for i in range(n))


@_of_one
def doubled(n: int) -> Iterable[int]:
    """a0 a0 a1 a1 a2 a2 ... : twice as many lanes"""
    return (i // 2 for i in range(2 * n))


@_of_one
def interleaved(n: int) -> Iterable[int]:
    """a0 a4 a1 a5 a2 a6 a3 a7"""
    return (i // 2 + i % 2 * (n // 2) for i in range(n))


@_of_one
def parted(n: int) -> Iterable[int]:
    """a0 a2 a4 a6 a1 a3 a5 a7"""
    return (*range(0, n, 2), *range(1, n, 2))


@_of_two
def join(n: int) -> Iterable[int]:
    """a0 ... a7 b0 ... b7: twice as many lanes"""
    return range(2 * n)


@_of_two
def lows(n: int) -> Iterable[int]:
    """a0 a1 a2 a3 b0 b1 b2 b3"""
    return (*range(n // 2), *range(n, n + n // 2))


@_of_two
def highs(n: int) -> Iterable[int]:
    """a4 a5 a6 a7 b4 b5 b6 b7"""
    return (*range(n // 2, n), *range(n + n // 2, 2 * n))


@_of_two
def evens(n: int) -> Iterable[int]:
    """a0 a2 a4 a6 b0 b2 b4 b6"""
    return range(0, 2 * n, 2)


@_of_two
def odds(n: int) -> Iterable[int]:
    """a1 a3 a5 a7 b1 b3 b5 b7"""
    return range(1, 2 * n, 2)


@_of_two
def even_pairs(n: int) -> Iterable[int]:
    """a0 a1 b0 b1 a4 a5 b4 b5"""
    return (4 * (i // 4) + i % 2 + n * (i // 2 % 2) for i in range(n))


@_of_two
def odd_pairs(n: int) -> Iterable[int]:
    """a2 a3 b2 b3 a6 a7 b6 b7"""
    return (4 * (i // 4) + 2 + i % 2 + n * (i // 2 % 2) for i in range(n))
