"""The forward phases. Between any two of them the whole block waits for itself.

Each takes the block's shared memory `a`, the number of this thread `t`, and does the share of that
thread. The two convolutions are done by 96 threads, three warps: fewer threads with more outputs
each read shared memory less, and that is what bounds these phases (see the package's header).
"""

from __future__ import annotations

from zipnet.fused_cuda.cuda_compiling import at, inlined
from zipnet.fused_cuda.cuda_functions import ZERO, activate
from zipnet.fused_cuda.cuda_layout import (
    A1,
    A1_PLANE,
    A2,
    A3,
    AO,
    B1,
    B2,
    B3,
    BO,
    IMAGE_ROW,
    PLANE1,
    PLANE2,
    ROW3,
    ROW_OUT,
    SUMS,
    SUMS2,
    SUMS2_PLANE,
    SUMS3,
    W1,
    W2,
    W3,
    WO,
    X,
)
from zipnet.fused_cuda.rows import Row, convolve, eleven, five, four
from zipnet.params import Array


@inlined
def put_four(a: Array, i: int, s: Row) -> None:
    """Store four neighbours."""
    a[at(i)] = s[0]
    a[at(i + 1)] = s[1]
    a[at(i + 2)] = s[2]
    a[at(i + 3)] = s[3]


@inlined
def activate_four(s: Row, relu: bool) -> Row:
    """The nonlinearity of four sums."""
    return activate(s[0], relu), activate(s[1], relu), activate(s[2], relu), activate(s[3], relu)


@inlined
def plane_seen(group: int, s: int) -> int:
    """Which H1 plane is input s (of 8) of the group (of 3) of H2 planes: reference.H2_INPUTS."""
    if group == 1:
        return s + 4
    if group == 2 and s >= 4:
        return s + 4
    return s


@inlined
def first_layer(a: Array, t: int, relu: bool) -> None:
    """H1. A thread makes half a row of two planes, 8 units: planes p and p + 6, row y.

    Neighbouring lanes differ in p: they share the pixels, and their weights lie 25 apart.
    """
    if t < 96:
        p, y, half = t % 6, t // 12, t // 6 % 2
        q = p + 6
        b = B1 + y * 8 + 4 * half
        low, high = four(a, b + p * PLANE1), four(a, b + q * PLANE1)
        for ky in range(5):
            v = eleven(a, X + (2 * y + ky) * IMAGE_ROW + 8 * half)
            low = convolve(low, v, five(a, W1 + p * 25 + 5 * ky))
            high = convolve(high, v, five(a, W1 + q * 25 + 5 * ky))
        into = A1 + (y + 2) * 12 + 4 * half + 2
        put_four(a, into + p * A1_PLANE, activate_four(low, relu))
        put_four(a, into + q * A1_PLANE, activate_four(high, relu))


@inlined
def second_layer_sums(a: Array, t: int) -> None:
    """What each input plane gives H2: a thread takes input s of a group to row y of its planes."""
    if t < 96:
        s, group, y = t % 8, t // 8 % 3, t // 24
        m = n = o = p = (ZERO, ZERO, ZERO, ZERO)
        rows = A1 + plane_seen(group, s) * A1_PLANE + 2 * y * 12
        weights = W2 + 4 * group * PLANE2 + s * 25
        for ky in range(5):
            v = eleven(a, rows + 12 * ky)
            w = weights + 5 * ky
            m = convolve(m, v, five(a, w))
            n = convolve(n, v, five(a, w + PLANE2))
            o = convolve(o, v, five(a, w + 2 * PLANE2))
            p = convolve(p, v, five(a, w + 3 * PLANE2))
        into = SUMS + s * SUMS2 + 4 * group * SUMS2_PLANE + 4 * y
        put_four(a, into, m)
        put_four(a, into + SUMS2_PLANE, n)
        put_four(a, into + 2 * SUMS2_PLANE, o)
        put_four(a, into + 3 * SUMS2_PLANE, p)


@inlined
def second_layer(a: Array, t: int, relu: bool) -> None:
    """H2, a unit a thread, from its eight sums in order."""
    if t < 192:
        total = a[at(B2 + t)]
        place = SUMS + t // 16 * SUMS2_PLANE + t % 16
        for s in range(8):
            total += a[at(place + s * SUMS2)]
        a[at(A2 + t)] = activate(total, relu)


@inlined
def third_layer_sums(a: Array, t: int) -> None:
    """What part q of H2 (every 32nd unit from q) gives units n to n + 2 of H3: ten warps."""
    if t < 320:
        q, n = t % 32, 3 * (t // 32)
        u = v = w = ZERO
        for i in range(6):
            r = q + 32 * i
            h, row = a[at(A2 + r)], W3 + r * ROW3 + n
            u += h * a[at(row)]
            v += h * a[at(row + 1)]
            w += h * a[at(row + 2)]
        into = SUMS + n * SUMS3 + q
        a[at(into)] = u
        a[at(into + SUMS3)] = v
        a[at(into + 2 * SUMS3)] = w


@inlined
def third_layer(a: Array, t: int, relu: bool) -> None:
    """H3, a unit a thread, from its 32 sums: four chains of eight, so that additions overlap."""
    if t < 30:
        k = m = n = o = ZERO
        place = SUMS + t * SUMS3
        for q in range(8):
            k += a[at(place + q)]
            m += a[at(place + 8 + q)]
            n += a[at(place + 16 + q)]
            o += a[at(place + 24 + q)]
        a[at(A3 + t)] = activate(a[at(B3 + t)] + ((k + m) + (n + o)), relu)


@inlined
def output_layer(a: Array, t: int, flat: bool) -> None:
    """The outputs, one a thread, in three chains of ten; flat: without a nonlinearity."""
    if t < 10:
        u = v = s = ZERO
        for n in range(10):
            w = WO + n * ROW_OUT + t
            u += a[at(A3 + n)] * a[at(w)]
            v += a[at(A3 + 10 + n)] * a[at(w + 10 * ROW_OUT)]
            s += a[at(A3 + 20 + n)] * a[at(w + 20 * ROW_OUT)]
        total = a[at(BO + t)] + (u + v + s)
        a[at(AO + t)] = total if flat else activate(total, False)
