"""What a ratio of two machines' speeds lets one say: faster, slower, same, or unclear.

Two things stand between a ratio and a verdict. The interval holds what the rounds of these two
rows leave open, and is never narrower than what equal things were found apart (bench/report/
null.py): a machine that differs from itself by 5% from run to run cannot be told from another
within 5%, however alike its rounds are. The threshold is what would matter: that same noise, or
1% on the calmest machine. A difference is called only beyond both. The interval being as wide as
the noise to either side, sameness has a margin of its own: 1% on the calmest machine, or else twice
the noise, within which the whole interval must lie. Anything else is unclear, which is an answer
too; so is everything where no null test says what the noise is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.report.statistics.stats import Estimate
from bench.report.wording import percent

FLOOR: Final = 0.01  # a difference below it matters to nobody, and no null test sees as finely
UNTESTED: Final = (
    "no null test: how far apart equal things are is not known here; "
    "measure with --profile standard"
)
Word = Literal["faster", "slower", "same", "unclear"]
WORDS: Final[tuple[Word, ...]] = ("faster", "slower", "same", "unclear")


@dataclass(frozen=True)
class Verdict:
    """A word and why it was chosen, for a person."""

    word: Word
    reason: str


def threshold(noise: float) -> float:
    """From how far apart equal things are found to how far apart different ones must be."""
    return max(FLOOR, noise)


def alike(threshold: float) -> float:
    """Within which share of each other two things are called the same: the margin of sameness."""
    return FLOOR if threshold <= FLOOR else (1 + threshold) ** 2 - 1


def judge(speed: Estimate, threshold: float, doubts: Sequence[str] = ()) -> Verdict:
    """Judge how many times as fast the second is as the first.

    threshold: a share, 0.03 for 3%; it counts on both sides of 1, on a scale of logarithms.
    doubts: what forbids a verdict for either row; the first is given as the reason.
    """
    if doubts:
        return Verdict("unclear", doubts[0])
    if speed.low is None or speed.high is None:
        return Verdict("unclear", "too few rounds for an interval")
    beyond = math.log1p(threshold)
    low, middle, high = (math.log(value) for value in (speed.low, speed.median, speed.high))
    margin = alike(threshold)
    if threshold <= FLOOR:
        within = f"differences below {percent(FLOOR)} are not called"
    else:
        within = f"equal things differ by up to {percent(threshold)} here"
    if low > 0 and middle > beyond:
        return Verdict("faster", f"the interval lies above 1, and {within}")
    if high < 0 and middle < -beyond:
        return Verdict("slower", f"the interval lies below 1, and {within}")
    if max(-low, high) <= math.log1p(margin):
        return Verdict("same", f"differs by less than {percent(margin)}")
    if low > 0 or high < 0:
        return Verdict("unclear", f"a difference, but {within}")
    return Verdict("unclear", f"the interval holds 1 and ends beyond {percent(margin)}")
