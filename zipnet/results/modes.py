"""Two modes in a row's rounds: two groups that lie apart, and a dip between that is no accident.

Hartigan's dip is how far a sample lies from the nearest distribution with one mode. A long tail is
no second mode, and the dip does not take it for one: it asks for no shape at all, only that the
density rises and then falls. That is why it is used here, and not a coefficient of skewness and
kurtosis, which calls every long tail bimodal.

Source: J. A. Hartigan, P. M. Hartigan, Annals of Statistics 13 (1985) 70-84.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zipnet.results.statistics import Counts, Floats, Ragged

APART: Final = 0.05  # below it a second mode would change no verdict
SHARE: Final = 0.1  # of the rounds; fewer are outliers

# sqrt(n) times the dip of n uniform timings, the least favourable of all with one mode, exceeds
# this in 1 of 1000 samples at most: of 100,000 simulated samples each, 1 of 1000 exceeded 0.62,
# 0.66, 0.68 and 0.71 at n = 20, 50, 100 and 200.
CRITICAL: Final = 0.71
FEWEST: Final = 20  # timings below which two modes are two accidents
NODES: Final = 16  # order statistics, for a quick look
POINTS: Final = 200  # order statistics looked at, at most: plenty for a mode that matters


class Modes(NamedTuple):
    """The slower of two groups."""

    share: float  # of the rounds
    apart: float  # how much longer they take, by medians


def two_modes(rows: Ragged) -> Iterator[tuple[int, Modes]]:
    """The rows whose rounds have two modes, each with the slower one."""
    cut = np.ones(len(rows.sizes), int)
    for alike in rows.alike():
        if (rounds := rows.sizes[alike[0]]) >= FEWEST:
            cut[alike] = split(rows.ordered[rows.starts[alike, None] + np.arange(rounds)])
    share = (rows.sizes - cut) / rows.sizes
    apart = rows.at((cut + rows.sizes - 1) / 2) / rows.at((cut - 1) / 2) - 1
    clear = (apart > APART) & (share >= SHARE) & (share <= 1 - SHARE) & (rows.sizes >= FEWEST)
    likely = np.flatnonzero(clear)
    for at in likely[may_dip(rows.take(likely))].tolist():
        begin = rows.starts[at]
        if has_two_modes(rows.ordered[begin : begin + rows.sizes[at]]):
            yield at, Modes(float(share[at]), float(apart[at]))


def split(ordered: Floats) -> Counts:
    """(rows,): how many of each of (rows, rounds) are the faster group, told apart best.

    Source: N. Otsu, IEEE Transactions on Systems, Man, and Cybernetics 9 (1979) 62-66.
    """
    rounds = ordered.shape[1]
    sums, before = ordered.cumsum(axis=1), np.arange(1, rounds)
    between = (sums[:, -1:] * (before / rounds) - sums[:, :-1]) ** 2
    return np.asarray((between * (1 / (before * (rounds - before)))).argmax(axis=1) + 1)


def may_dip(rows: Ragged) -> NDArray[np.bool_]:
    """(rows,): whether the dip may exceed what one mode gives; a quick no for most rows.

    The dip is no more than the distance from any density that only falls, as a floor with a tail
    does: from the slope of the least concave majorant (U. Grenander, Skandinavisk Aktuarietidskrift
    39 (1956) 125-153), here of a few order statistics.
    """
    sizes, starts = rows.sizes[:, None], rows.starts[:, None]
    nodes = (sizes - 1) * np.arange(NODES + 1) // NODES
    values, later = rows.ordered[starts + nodes], np.triu(np.ones((NODES, NODES), bool))
    with np.errstate(divide="ignore", invalid="ignore"):
        chords = nodes[:, None, 1:] - nodes[:, :-1, None]  # from each node to each later one
        chords = chords / (values[:, None, 1:] - values[:, :-1, None])
        steepest = np.maximum.accumulate(np.where(later, chords, 0.0)[..., ::-1], axis=2)
        slopes = np.where(later, steepest[..., ::-1], np.inf).min(axis=1)
        heights = np.cumsum(slopes * np.diff(values), axis=1) - slopes * values[:, 1:]
        place = np.arange(len(rows.flat)) - rows.starts[rows.row]
        cell = np.minimum(NODES - 1, ((place + 1) * NODES - 1) // (rows.sizes[rows.row] - 1))
        above = heights[rows.row, cell] + slopes[rows.row, cell] * rows.ordered - place
    gap = Ragged(above, rows.sizes)  # in steps of 1 / n, as the heights
    within = gap.at(rows.sizes - 1) - gap.at(0) + 1 <= 2 * CRITICAL * np.sqrt(rows.sizes)
    # Of other rows the dip is not that of all their rounds: those that tie, or are too many.
    steps = np.diff(np.round(rows.ordered * 1e9), prepend=np.nan) != 0
    same = np.diff(rows.ordered, prepend=np.nan) == 0
    steps[rows.starts], same[rows.starts] = True, False
    whole = (2 * rows.sums(steps) > rows.sizes) & (rows.sums(same) == 0) & (rows.sizes <= POINTS)
    return np.asarray(~(within & whole))


def has_two_modes(ordered: Floats) -> bool:
    """Whether the dip says, wrong in about 1 of 1000 rows, that there is more than one mode."""
    values = _spread_ties(ordered)
    if len(values) > POINTS:
        values = values[np.linspace(0, len(values) - 1, POINTS).round().astype(int)]
    critical = CRITICAL / math.sqrt(len(values))
    return dip(values, critical) > critical


def dip(ordered: Floats, enough: float = 0.0) -> float:
    """The dip of a sorted sample without ties; no more than `enough` where it is not more.

    The modal interval is narrowed until the distance between the greatest convex minorant and
    the least concave majorant within it no longer exceeds what was found outside.
    """
    count = len(ordered)
    heights = np.arange(count, dtype=float)  # of the distribution function, in steps of 1/n
    low, high, found = 0, count - 1, max(1.0, enough * 2 * count * (1 - 1e-9))
    while True:
        x, y = ordered[low : high + 1], heights[low : high + 1]
        below, above = _hull(x, y), _hull(x, -y)
        convex = np.interp(x, x[below], y[below])
        concave = np.interp(x, x[above], y[above])
        gaps = concave - convex
        corner = max([*below, *above], key=gaps.__getitem__)  # where they are widest
        if gaps[corner] + 1.0 <= found:
            break
        left, right = max(at for at in below if at <= corner), corner
        if corner in below:
            right = min(at for at in above if at >= corner)
        outside = np.append(y[: left + 1] - convex[: left + 1], concave[right:] - y[right:])
        found = max(found, float(outside.max()) + 1.0)  # it jumps by one step at each timing
        if (left, right) == (0, len(x) - 1):
            break
        low, high = low + left, low + right
    return found / (2 * count)


def _hull(x: Floats, y: Floats) -> list[int]:
    """Corners of the greatest convex minorant, by A. M. Andrew's chain (1979)."""
    corners: list[int] = []
    xs, ys = x.tolist(), y.tolist()
    for at in range(len(xs)):
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            if (ys[b] - ys[a]) * (xs[at] - xs[a]) < (ys[at] - ys[a]) * (xs[b] - xs[a]):
                break
            corners.pop()
        corners.append(at)
    return corners


def _spread_ties(ordered: Floats) -> Floats:
    """Spread timings that a coarse clock made equal evenly over the clock's step.

    Otherwise each tick of the clock would be a mode of its own.
    """
    whole = np.round(ordered * 1e9)  # ns: below it lies the rounding of the clock's float
    begins = np.flatnonzero(np.diff(whole, prepend=np.nan))
    if len(begins) * 2 > len(ordered):
        return np.asarray(ordered[np.append(np.diff(ordered) > 0, True)], float)
    if len(begins) < 2:
        return ordered
    counts = np.diff(begins, append=len(whole))
    step, count = np.diff(whole[begins]).min(), np.repeat(counts, counts)
    inside = (np.arange(len(whole)) - np.repeat(begins, counts) + 0.5) / count - 0.5
    return np.asarray((whole + step * inside) * 1e-9, float)
