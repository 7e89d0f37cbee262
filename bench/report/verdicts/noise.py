"""From equal things found apart to how far apart the next equal things will be found.

Rows of two runs differ in two ways. Each differs by itself; and all differ together, because one
run was warmer or had a busier neighbour. A pair of runs holds many rows, so the first is known
well; but however many rows it has, it is one difference of the second kind, and two runs that
came out alike by luck must not set the scale. So what rows share is given the width that few
runs leave open (Student's t), and what each has of its own is added to it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.report.rows.measures import Kind
from bench.report.statistics.stats import CONFIDENCE, Estimate, student

ENOUGH: Final = math.ceil(1 / (1 - CONFIDENCE)) - 1  # rows, from which on their largest is enough

# Of normal values: the standard error of their median is this times sigma by the root of their
# number, and sigma is this times the median distance from the median.
MEDIAN_ERROR: Final = math.sqrt(math.pi / 2)
MAD_TO_SIGMA: Final = 1.4826


@dataclass(frozen=True)
class Same:
    """One row measured twice: how many times as fast it was the second time."""

    kind: Kind
    speed: Estimate


Set = Sequence[Same]  # all rows of one pair of runs, or of one run's two halves


def noise_of(sets: Iterable[Set], degrees: int) -> dict[Kind, float]:
    """How far apart the next equal rows of each kind are found in 95 of 100 cases: a share.

    degrees: how many differences between sets of rows are free: one less than there are runs, or
    as many as there are runs where each is compared with itself.
    """
    logs: dict[Kind, list[list[float]]] = defaultdict(list)
    for rows in sets:
        of_set: dict[Kind, list[float]] = defaultdict(list)
        for row in rows:
            of_set[row.kind].append(math.log(row.speed.median))
        for kind, values in of_set.items():
            logs[kind].append(values)
    return {kind: math.expm1(_apart(values, degrees)) for kind, values in logs.items()}


def _apart(sets: Sequence[Sequence[float]], degrees: int) -> float:
    shared = [median(values) for values in sets]
    own = [value - middle for values, middle in zip(sets, shared, strict=True) for value in values]
    by_chance = (MEDIAN_ERROR * MAD_TO_SIGMA * median(map(abs, own))) ** 2
    seen = sum(
        max(0.0, middle**2 - by_chance / len(values))
        for values, middle in zip(sets, shared, strict=True)
    )
    common = student(degrees, CONFIDENCE) * math.sqrt(seen / len(sets))
    return math.hypot(common, next_within(own))


def next_within(values: Sequence[float]) -> float:
    """How far from 0 the next value of such a sample lies in 95 of 100 cases.

    The sample's k-th largest of n is exceeded by the next with probability (n + 1 - k)/(n + 1),
    whatever the distribution; of fewer than 19, not even the largest is enough, and normal
    values are assumed: Student's t times their root mean square.

    Source: S. S. Wilks, Annals of Mathematical Statistics 12 (1941) 91-96.
    """
    count, apart = len(values), sorted(map(abs, values))
    if count < ENOUGH:
        return student(count, CONFIDENCE) * math.sqrt(sum(v * v for v in apart) / count)
    return apart[math.ceil(CONFIDENCE * (count + 1)) - 1]
