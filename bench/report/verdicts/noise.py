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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.report.rows.measures import Kind
from bench.report.statistics.stats import CONFIDENCE, student

ENOUGH: Final = math.ceil(1 / (1 - CONFIDENCE)) - 1  # rows, from which on their largest is enough

# Of normal values: the standard error of their median is this times sigma by the root of their
# number, and sigma is this times the median distance from the median.
MEDIAN_ERROR: Final = math.sqrt(math.pi / 2)
MAD_TO_SIGMA: Final = 1.4826


Logs = Mapping[Kind, Sequence[float]]


@dataclass(frozen=True)
class Part:
    """Rows that two runs were compared by, or one run with itself.

    logs: of how many times as fast each was the second time. runs: what tells them from others.
    """

    runs: tuple[object, ...]
    logs: Logs


def noise_of(parts: Iterable[Part]) -> dict[Kind, float]:
    """How far apart the next equal rows of each kind are found in 95 of 100 cases: a share."""
    logs: dict[Kind, list[Sequence[float]]] = defaultdict(list)
    runs: dict[Kind, list[tuple[object, ...]]] = defaultdict(list)
    for part in parts:
        for kind, values in part.logs.items():
            logs[kind].append(values)
            runs[kind].append(part.runs)
    return {kind: math.expm1(_apart(values, free(runs[kind]))) for kind, values in logs.items()}


def free(parts: Iterable[tuple[object, ...]]) -> int:
    """How many of the differences are free: one for each run that was compared with itself, and
    for runs compared with each other one less than there are, in each group that hangs together.
    """
    alone = 0
    groups: list[set[object]] = []
    for runs in parts:
        if len(runs) == 1:
            alone += 1
            continue
        touched = [group for group in groups if not group.isdisjoint(runs)]
        groups = [group for group in groups if group.isdisjoint(runs)]
        groups.append(set(runs).union(*touched))
    return alone + sum(len(group) - 1 for group in groups)


def of_kind(noise: Mapping[Kind, float], kind: Kind) -> float | None:
    """The noise of rows of a kind; that of the other kind where it was not tested; else None."""
    return noise.get(kind, max(noise.values(), default=None))


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
