"""Rows of values in registers, and the three ways in which a 5x5 kernel at stride 2 meets them.

Every function is straight-line code on tuples, which become registers; nothing is indexed by a
variable, because that would put it in slow local memory. `a` is the block's shared memory, and `i`
the place of a row's first value in it. A convolution makes four outputs from eleven inputs at a
time, with 20 multiply-adds for the 16 values it loads, or fewer where planes share the inputs.
"""

from __future__ import annotations

from typing import Any

from zipnet.fused_cuda.cuda_compiling import at, inlined
from zipnet.params import Array

Row = tuple[Any, ...]


@inlined
def four(a: Array, i: int) -> Row:
    """Four neighbours."""
    return a[at(i)], a[at(i + 1)], a[at(i + 2)], a[at(i + 3)]


@inlined
def five(a: Array, i: int) -> Row:
    """Five neighbours: a row of a kernel."""
    return a[at(i)], a[at(i + 1)], a[at(i + 2)], a[at(i + 3)], a[at(i + 4)]


@inlined
def ten(a: Array, i: int) -> Row:
    """Ten neighbours."""
    p, q, r, s, t = five(a, i)
    u, v, w, x, y = five(a, i + 5)
    return p, q, r, s, t, u, v, w, x, y


@inlined
def eleven(a: Array, i: int) -> Row:
    """Eleven neighbours: what four outputs at stride 2 see of a row."""
    p, q, r, s, t, u, v, w, x, y = ten(a, i)
    return p, q, r, s, t, u, v, w, x, y, a[at(i + 10)]


@inlined
def convolve(s: Row, v: Row, w: Row) -> Row:
    """Four sums s plus what a row v (11) gives them through a row of weights w (5).

    s[x] + sum over k of v[2x + k] * w[k]: 20 multiply-adds.
    """
    return (
        s[0] + v[0] * w[0] + v[1] * w[1] + v[2] * w[2] + v[3] * w[3] + v[4] * w[4],
        s[1] + v[2] * w[0] + v[3] * w[1] + v[4] * w[2] + v[5] * w[3] + v[6] * w[4],
        s[2] + v[4] * w[0] + v[5] * w[1] + v[6] * w[2] + v[7] * w[3] + v[8] * w[4],
        s[3] + v[6] * w[0] + v[7] * w[1] + v[8] * w[2] + v[9] * w[3] + v[10] * w[4],
    )


@inlined
def correlate(g: Row, v: Row, d: Row) -> Row:
    """Five gradients g of a row of weights, plus those of a row v (11) with deltas d (4).

    g[k] + sum over x of v[2x + k] * d[x]: 20 multiply-adds.
    """
    return (
        g[0] + v[0] * d[0] + v[2] * d[1] + v[4] * d[2] + v[6] * d[3],
        g[1] + v[1] * d[0] + v[3] * d[1] + v[5] * d[2] + v[7] * d[3],
        g[2] + v[2] * d[0] + v[4] * d[1] + v[6] * d[2] + v[8] * d[3],
        g[3] + v[3] * d[0] + v[5] * d[1] + v[7] * d[2] + v[9] * d[3],
        g[4] + v[4] * d[0] + v[6] * d[1] + v[8] * d[2] + v[10] * d[3],
    )


@inlined
def spread(b: Row, d: Row, w: Row) -> Row:
    """Eight gradients b of a row of inputs, plus what deltas d (4) send back through weights w (5).

    b[j] + sum over x of d[x] * w[j + 2 - 2x], where that weight exists: 17 multiply-adds; the other
    three of the 20 would go to the border.
    """
    return (
        b[0] + d[1] * w[0] + d[0] * w[2],
        b[1] + d[1] * w[1] + d[0] * w[3],
        b[2] + d[2] * w[0] + d[1] * w[2] + d[0] * w[4],
        b[3] + d[2] * w[1] + d[1] * w[3],
        b[4] + d[3] * w[0] + d[2] * w[2] + d[1] * w[4],
        b[5] + d[3] * w[1] + d[2] * w[3],
        b[6] + d[3] * w[2] + d[2] * w[4],
        b[7] + d[3] * w[3],
    )
