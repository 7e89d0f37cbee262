"""The backward phases: gradients of sums, last layer first, and of weights as they become known.

Every gradient of a weight is made whole by one thread, in a fixed order, and handed over as
`into[i] += scale * gradient`, i being the weight's place in the layout. Where a step is one
presentation of plain SGD, `into` is the weights themselves and scale the negative learning rate;
otherwise it is the sum of the batch's gradients, and scale is 1. No weight changes before the last
thread that needs its old value has read it: a barrier, or the order of one thread's own
instructions, stands between.
"""

from __future__ import annotations

from typing import Any

from zipnet.fused_cuda.cuda_compiling import at, inlined
from zipnet.fused_cuda.cuda_forward import plane_seen, put_four
from zipnet.fused_cuda.cuda_functions import ONE, ZERO, slope
from zipnet.fused_cuda.cuda_layout import (
    A1,
    A1_PLANE,
    A2,
    A3,
    B1,
    B2,
    B3,
    BO,
    D1,
    D1_PLANE,
    D1_ROW,
    D2,
    D3,
    IMAGE_ROW,
    PLANE1,
    PLANE2,
    ROW3,
    ROW_OUT,
    SUMS,
    SUMS1,
    SUMS1W,
    W1,
    W2,
    W3,
    WO,
    X,
)
from zipnet.fused_cuda.cuda_loss import highest, output_delta, sum_of_exponentials
from zipnet.fused_cuda.rows import Row, correlate, eleven, five, four, spread, ten
from zipnet.params import Array


@inlined
def add_five(into: Array, i: int, scale: Any, g: Row) -> None:
    """Hand over the gradients of five neighbouring weights."""
    v, w, x, y, z = five(into, i)
    into[at(i)] = v + scale * g[0]
    into[at(i + 1)] = w + scale * g[1]
    into[at(i + 2)] = x + scale * g[2]
    into[at(i + 3)] = y + scale * g[3]
    into[at(i + 4)] = z + scale * g[4]


@inlined
def third_deltas(
    a: Array,
    into: Array,
    scale: Any,
    t: int,
    share: Any,
    relu: bool,
    flat: bool,
    cross_entropy: bool,
) -> None:
    """Deltas of H3, and the output layer learns: unit n of H3 a thread.

    A thread works out the ten deltas of the outputs for itself, which saves a barrier.
    """
    if t < 30 or 32 <= t < 42:
        top, total = ZERO, ONE
        if cross_entropy:
            top = highest(a)
            total = sum_of_exponentials(a, top)
        if t < 30:
            h, row, back = a[at(A3 + t)], WO + t * ROW_OUT, ZERO
            for k in range(10):
                delta = share * output_delta(a, k, flat, cross_entropy, top, total)
                back += delta * a[at(row + k)]
                into[at(row + k)] += scale * (h * delta)
            a[at(D3 + t)] = back * slope(h, relu)
        else:
            k = t - 32
            delta = share * output_delta(a, k, flat, cross_entropy, top, total)
            into[at(BO + k)] += scale * delta


@inlined
def second_deltas(a: Array, into: Array, scale: Any, t: int, relu: bool) -> None:
    """Deltas of H2, and the third layer learns: row r of H3w a thread, ten weights at a time.

    Ten, because a store may not be overtaken by the loads that the program writes after it.
    """
    if t < 192:
        h, row, back = a[at(A2 + t)], W3 + t * ROW3, ZERO
        rate = scale * h
        for third in range(3):
            i = row + 10 * third
            w, d = ten(a, i), ten(a, D3 + 10 * third)
            back += ((w[0] * d[0] + w[1] * d[1]) + (w[2] * d[2] + w[3] * d[3])) + (
                (w[4] * d[4] + w[5] * d[5])
                + ((w[6] * d[6] + w[7] * d[7]) + (w[8] * d[8] + w[9] * d[9]))
            )
            add_five(into, i, rate, (d[0], d[1], d[2], d[3], d[4]))
            add_five(into, i + 5, rate, (d[5], d[6], d[7], d[8], d[9]))
        a[at(D2 + t // 16 * 24 + 4 + t % 16)] = back * slope(h, relu)
    elif t < 222:
        n = t - 192
        into[at(B3 + n)] += scale * a[at(D3 + n)]


@inlined
def group_that_sees(c: int, half: int) -> int:
    """The two groups of H2 planes that see H1 plane c: half 0 is the lower, half 1 the higher."""
    block = c // 4
    if half == 0:
        return 1 if block == 2 else 0
    return 1 if block == 1 else 2


@inlined
def first_delta_sums(a: Array, t: int) -> None:
    """What one of the two groups of H2 planes that see plane c sends back to its rows 2y, 2y + 1.

    Even rows and columns meet three rows and columns of the kernel, odd ones two. Rows of zeros
    above and below D2 stand for what lies beyond the border.
    """
    if t < 96:
        c, half, y = t % 12, t // 12 % 2, t // 24
        group = group_that_sees(c, half)
        s = c - 4 if c >= 4 and (group == 1 or c >= 8) else c
        even = odd = (ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO)
        for j in range(4):
            o = 4 * group + j
            d = D2 + o * 24 + 4 * y
            above, here, below = four(a, d), four(a, d + 4), four(a, d + 8)
            w = W2 + o * PLANE2 + s * 25
            even = spread(even, above, five(a, w + 20))
            even = spread(even, here, five(a, w + 10))
            even = spread(even, below, five(a, w))
            odd = spread(odd, here, five(a, w + 15))
            odd = spread(odd, below, five(a, w + 5))
        into = SUMS + half * SUMS1 + c * PLANE1 + 16 * y
        put_four(a, into, (even[0], even[1], even[2], even[3]))
        put_four(a, into + 4, (even[4], even[5], even[6], even[7]))
        put_four(a, into + 8, (odd[0], odd[1], odd[2], odd[3]))
        put_four(a, into + 12, (odd[4], odd[5], odd[6], odd[7]))


@inlined
def second_biases_learn(a: Array, into: Array, scale: Any, t: int) -> None:
    """H2b, beside first_delta_sums() on threads that it leaves idle."""
    if 192 <= t < 384:
        u = t - 192
        into[at(B2 + u)] += scale * a[at(D2 + u // 16 * 24 + 4 + u % 16)]


@inlined
def first_deltas(a: Array, into: Array, scale: Any, t: int, relu: bool) -> None:
    """Deltas of H1, two units a thread, and its biases learn."""
    for e in range(t, 768, 384):
        c, p = e // 64, e % 64
        i = c * PLANE1 + p
        h = a[at(A1 + c * A1_PLANE + (p // 8 + 2) * 12 + p % 8 + 2)]
        delta = (a[at(SUMS + i)] + a[at(SUMS + SUMS1 + i)]) * slope(h, relu)
        a[at(D1 + c * D1_PLANE + p // 8 * D1_ROW + p % 8)] = delta
        into[at(B1 + i)] += scale * delta


@inlined
def second_weights_learn(a: Array, into: Array, scale: Any, t: int) -> None:
    """H2w: a thread makes the gradients of row ky, input s, of the four planes of a group."""
    if t < 120:
        s, ky, group = t % 8, t // 8 % 5, t // 40
        k = m = n = o = (ZERO, ZERO, ZERO, ZERO, ZERO)
        rows = A1 + plane_seen(group, s) * A1_PLANE + 12 * ky
        deltas = D2 + 4 * group * 24 + 4
        for y in range(4):
            v, d = eleven(a, rows + 24 * y), deltas + 4 * y
            k = correlate(k, v, four(a, d))
            m = correlate(m, v, four(a, d + 24))
            n = correlate(n, v, four(a, d + 48))
            o = correlate(o, v, four(a, d + 72))
        w = W2 + 4 * group * PLANE2 + s * 25 + 5 * ky
        add_five(into, w, scale, k)
        add_five(into, w + PLANE2, scale, m)
        add_five(into, w + 2 * PLANE2, scale, n)
        add_five(into, w + 3 * PLANE2, scale, o)


@inlined
def put_five(a: Array, i: int, g: Row) -> None:
    """Store five neighbours."""
    a[at(i)] = g[0]
    a[at(i + 1)] = g[1]
    a[at(i + 2)] = g[2]
    a[at(i + 3)] = g[3]
    a[at(i + 4)] = g[4]


@inlined
def first_weight_sums(a: Array, t: int) -> None:
    """What row y of H1 adds to the gradients of row ky of H1w, for the four planes of a group.

    It runs beside second_weights_learn(), four warps each.
    """
    if 128 <= t < 248:
        u = t - 128
        y, ky, group = u % 8, u // 8 % 5, u // 40
        k = m = n = o = (ZERO, ZERO, ZERO, ZERO, ZERO)
        for half in range(2):
            v = eleven(a, X + (2 * y + ky) * IMAGE_ROW + 8 * half)
            d = D1 + 4 * group * D1_PLANE + y * D1_ROW + 4 * half
            k = correlate(k, v, four(a, d))
            m = correlate(m, v, four(a, d + D1_PLANE))
            n = correlate(n, v, four(a, d + 2 * D1_PLANE))
            o = correlate(o, v, four(a, d + 3 * D1_PLANE))
        sums = SUMS + y * SUMS1W + 4 * group * 25 + 5 * ky
        put_five(a, sums, k)
        put_five(a, sums + 25, m)
        put_five(a, sums + 50, n)
        put_five(a, sums + 75, o)


@inlined
def first_weights_learn(a: Array, into: Array, scale: Any, t: int) -> None:
    """H1w, a weight a thread, from its eight sums in order."""
    if t < 300:
        total = ZERO
        for y in range(8):
            total += a[at(SUMS + y * SUMS1W + t)]
        into[at(W1 + t)] += scale * total
