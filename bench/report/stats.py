"""Medians and their intervals, from raw timings: pure functions, each with its source.

A timing has a floor and a long tail, so the median stands for a row, and its interval comes from
order statistics, which ask nothing of the distribution's shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median as _median
from typing import Final

from scipy.special import bdtr

CONFIDENCE: Final = 0.95
FEWEST_ROUNDS: Final = 6  # of five, even min to max covers the median with only 93.75%


@dataclass(frozen=True)
class Estimate:
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


def estimate(seconds: Sequence[float]) -> Estimate:
    """Median and interval of one row's rounds."""
    ordered = sorted(seconds)
    rank = interval_rank(len(ordered))
    if rank is None:
        return Estimate(_median(ordered), None, None)
    return Estimate(_median(ordered), ordered[rank], ordered[-1 - rank])


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
