"""Hartigan's dip: how far a sample lies from the nearest distribution with one mode.

A long tail is no second mode, and the dip does not take it for one: it asks for no shape at all,
only that the density rises and then falls. That is why it is used here, and not a coefficient of
skewness and kurtosis, which calls every long tail bimodal.

Source: J. A. Hartigan, P. M. Hartigan, Annals of Statistics 13 (1985) 70-84.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# sqrt(n) times the dip of n uniform timings, the least favourable of all with one mode, exceeds
# this in 1 of 1000 samples at most: of 100,000 simulated samples each, 1 of 1000 exceeded 0.62,
# 0.66, 0.68 and 0.71 at n = 20, 50, 100 and 200.
CRITICAL: Final = 0.71
FEWEST: Final = 20  # timings below which two modes are two accidents
POINTS: Final = 200  # order statistics looked at, at most: plenty for a mode that matters


def has_two_modes(ordered: Sequence[float]) -> bool:
    """Whether the dip says, wrong in about 1 of 1000 rows, that there is more than one mode.

    ordered: seconds, from the shortest to the longest.
    """
    if len(ordered) < FEWEST:
        return False
    values = _spread_ties(np.asarray(ordered, float))
    if len(values) > POINTS:
        values = values[np.linspace(0, len(values) - 1, POINTS).round().astype(int)]
    critical = CRITICAL / math.sqrt(len(values))
    # A floor with a tail, as timings are, is known by its one hull. Few rows need both, narrowing.
    return dip_of_falling(values) > critical and dip(values) > critical


def dip_of_falling(ordered: Floats) -> float:
    """No less than the dip: half the distance from the nearest density that only falls.

    That is the slope of the least concave majorant (U. Grenander, Skandinavisk Aktuarietidskrift
    39 (1956) 125-153), and it has one mode.
    """
    heights = np.arange(len(ordered), dtype=float)
    above = _hull(ordered, -heights)
    apart = np.interp(ordered, ordered[above], heights[above]) - heights
    return (float(np.max(apart)) + 1.0) / (2 * len(ordered))


def dip(ordered: Floats) -> float:
    """The dip of a sorted sample without ties.

    The modal interval is narrowed until the distance between the greatest convex minorant and
    the least concave majorant within it no longer exceeds what was found outside.
    """
    count = len(ordered)
    heights = np.arange(count, dtype=float)  # of the distribution function, in steps of 1/n
    low, high, found = 0, count - 1, 1.0
    while True:
        x, y = ordered[low : high + 1], heights[low : high + 1]
        below, above = _hull(x, y), _hull(x, -y)
        convex = np.interp(x, x[below], y[below])
        concave = np.interp(x, x[above], y[above])
        left, right, apart = _widest(below, above, concave - convex)
        if apart <= found:
            break
        outside = max(
            float(np.max(y[: left + 1] - convex[: left + 1])),
            float(np.max(concave[right:] - y[right:])),
        )
        found = max(found, outside + 1.0)  # the function jumps by one step at each timing
        if (left, right) == (0, len(x) - 1):
            break
        low, high = low + left, low + right
    return found / (2 * count)


def _widest(below: list[int], above: list[int], apart: Floats) -> tuple[int, int, float]:
    """The interval between the corners of both hulls at which they lie farthest apart."""
    corner = max([*below, *above], key=lambda at: apart[at])
    left = max(at for at in below if at <= corner)
    right = min(at for at in above if at >= corner)
    if corner in below:
        left = corner
    else:
        right = corner
    return left, right, float(apart[corner]) + 1.0


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
    different = 1 + np.count_nonzero(np.diff(whole))
    if different * 2 > len(ordered):
        return np.asarray(ordered[np.append(np.diff(ordered) > 0, True)], float)
    if different < 2:
        return ordered
    values, counts = np.unique(whole, return_counts=True)
    step = float(np.min(np.diff(values)))
    inside = np.concatenate([(np.arange(count) + 0.5) / count - 0.5 for count in counts])
    return np.asarray((np.repeat(values, counts) + step * inside) * 1e-9, float)
