"""Medians, their intervals and their ratios, from raw timings: pure functions, with sources.

A timing has a floor and a long tail, so the median stands for a row. Its interval is the wider of
two: one from order statistics, which asks nothing of the distribution's shape but takes rounds as
independent; and one from how far the laps of the row lie apart, which sees the drift that
neighbouring rounds share.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from statistics import fmean
from typing import Final, NamedTuple

from scipy.special import bdtr, stdtrit

from bench.report.statistics.timings import FEWEST_LAPS, Timings

CONFIDENCE: Final = 0.95


class Estimate(NamedTuple):
    """A median and its interval; low and high are None where there are too few rounds for one."""

    median: float
    low: float | None
    high: float | None

    def scaled(self, factor: float) -> Estimate:
        """The same estimate in another unit."""
        return Estimate(
            self.median * factor,
            None if self.low is None else self.low * factor,
            None if self.high is None else self.high * factor,
        )

    def rate(self, work: float) -> Estimate | None:
        """Work done per second where this is the seconds; its ends change places. None for 0 s."""
        if not self.median:
            return None
        return Estimate(
            work / self.median,
            None if self.high is None else work / self.high,
            work / self.low if self.low else None,
        )


def estimate(timings: Timings) -> Estimate:
    """Median and interval of one row's rounds."""
    ordered, middle = timings.ordered, timings.median
    rank = interval_rank(len(ordered))
    if rank is None:
        return Estimate(middle, None, None)
    apart = math.exp(lap_spread(timings.lap_medians))
    return Estimate(
        middle, min(ordered[rank], middle / apart), max(ordered[-1 - rank], middle * apart)
    )


def lap_spread(medians: Sequence[float], confidence: float = CONFIDENCE) -> float:
    """Half the interval of the laps' mean, in natural logarithms; 0 where nothing can be said.

    Student's t over laps. Drift that lasts longer than a lap makes rounds depend on each other,
    and the rounds of a lap then count for little more than one.
    """
    if len(medians) < FEWEST_LAPS or min(medians) <= 0:
        return 0.0
    logs = [math.log(value) for value in medians]
    return student(len(logs) - 1, confidence) * _deviation(logs) / math.sqrt(len(logs))


def ratio(above: Estimate, below: Estimate) -> Estimate | None:
    """One divided by the other, with its interval; None where either is 0.

    Logarithms turn the ratio into a difference, and its interval is made from those of its two
    sides, which need not be symmetric nor of one kind.

    Source: G. Y. Zou, A. Donner, Statistics in Medicine 27 (2008) 1693-1702 (MOVER).
    """
    if not (above.median and below.median):
        return None
    found = above.median / below.median
    if not (above.low and above.high and below.low and below.high):
        return Estimate(found, None, None)
    down = math.hypot(math.log(above.median / above.low), math.log(below.high / below.median))
    up = math.hypot(math.log(above.high / above.median), math.log(below.median / below.low))
    return Estimate(found, found * math.exp(-down), found * math.exp(up))


def widened(found: Estimate, share: float) -> Estimate:
    """The same with an interval of at least this share to either side; none stays none."""
    if found.low is None or found.high is None:
        return found
    apart = 1 + share
    return Estimate(
        found.median, min(found.low, found.median / apart), max(found.high, found.median * apart)
    )


def geometric_mean(ratios: Sequence[Estimate]) -> Estimate:
    """Of ratios with intervals; without one where any has none.

    Its interval is as wide as theirs are on average. That holds however much they depend on each
    other, and rows of one run do: they share its clock, its heat and its neighbours. Narrower by
    the root of their number would hold for independent ones only.
    """
    found = math.exp(fmean(math.log(one.median) for one in ratios))
    ends = [(one.low, one.high) for one in ratios if one.low and one.high]
    if len(ends) < len(ratios):
        return Estimate(found, None, None)
    low, high = (math.exp(fmean(map(math.log, side))) for side in zip(*ends, strict=True))
    return Estimate(found, min(low, found), max(high, found))


def _deviation(values: Sequence[float]) -> float:
    """The sample's standard deviation; statistics.stdev works in fractions, forty times slower."""
    mean = fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


@functools.cache
def student(degrees: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors each side of an interval holds, for so many degrees of freedom."""
    return float(stdtrit(degrees, 0.5 + confidence / 2))


@functools.cache
def interval_rank(rounds: int, confidence: float = CONFIDENCE) -> int | None:
    """How many timings to leave out at either end so that the rest covers the median.

    The number of timings below the true median is binomial(n, 1/2), whatever their distribution.
    Leaving out k at both ends misses the median where at most k lie on one side of it, which
    happens with 2 P(X <= k). The largest k within the confidence is returned; None where even
    k = 0 is not. Rounds are taken as independent, which neighbours in time never quite are.

    Source: H. A. David, H. N. Nagaraja, Order Statistics, 3rd ed., 2003, section 7.1.
    """
    tail = (1 - confidence) / 2
    if 0.5**rounds > tail:
        return None
    # Normal approximation first, then a step or two to the exact rank, for any n.
    rank = max(0, int(rounds / 2 - rounds**0.5))
    while bdtr(rank, rounds, 0.5) > tail:
        rank -= 1
    while bdtr(rank + 1, rounds, 0.5) <= tail:
        rank += 1
    return rank
