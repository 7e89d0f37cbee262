"""The statistics that a file states must follow from the timings that it holds.

They are pytest-benchmark's, by its own formulas, so that a row edited by hand gives itself away.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from bench.report.files.border import found
from bench.report.records import Row
from bench.report.statistics.timings import Timings, middle

# Rounding: sums are taken in another order by newer versions of Python, and differences of nearly
# equal timings keep few digits of them.
TOLERANCE: Final = 1e-9

Possible = dict[str, tuple[float, ...]]  # what may be stated: mostly one number


def findings(row: Row) -> Iterator[str]:
    """Each stated number that the row's timings do not give."""
    stated, rounds = row.stated, len(row.seconds)
    if stated.rounds != rounds:
        yield f"stats.rounds is {stated.rounds}, but stats.data holds {rounds}"
    if stated.iterations not in (None, 1):
        yield f"stats.iterations is {stated.iterations}; a round is one iteration, always"
    possible = _possible(row.timings)
    scale = possible["max"][0]
    for name, value in stated.numbers.items():
        if value in possible[name]:
            continue
        slack = 0.0 if name in ("total", "ops") else TOLERANCE * scale
        if not any(_same(value, expected, slack) for expected in possible[name]):
            yield f"stats.{name} is {value!r}, which stats.data does not give"
    if stated.outliers is not None:
        beyond = stated.outliers.split(";")
        names = ("stddev_outliers", "iqr_outliers")
        known = [{str(int(count)) for count in possible[name]} for name in names]
        if len(beyond) != 2 or beyond[0] not in known[0] or beyond[1] not in known[1]:
            yield f"stats.outliers is {found(stated.outliers)}, which stats.data does not give"


def _same(value: float, expected: float, slack: float) -> bool:
    return math.isclose(value, expected, rel_tol=TOLERANCE, abs_tol=slack)


def _possible(timings: Timings) -> Possible:
    """Every statistic of pytest-benchmark 5.3, and what earlier versions wrote in its place."""
    data, ordered = timings.seconds, timings.ordered
    rounds, total = len(data), math.fsum(data)
    mean = total / rounds
    deviation = math.fsum([(t - mean) * (t - mean) for t in data])
    stddev = math.sqrt(deviation / (rounds - 1)) if rounds > 1 else 0.0
    q1, q3 = quartiles(ordered)
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    beyond = bisect_right(ordered, high)
    return {
        "min": (ordered[0],),
        "max": (ordered[-1],),
        "mean": (mean,),
        "stddev": (stddev,),
        "median": (timings.median,),
        "q1": (q1,),
        "q3": (q3,),
        "iqr": (q3 - q1,),
        "ld15iqr": (ordered[bisect_left(ordered, low)],),
        # Before 5.3 it was the first timing beyond the fence, or the last one of all.
        "hd15iqr": (ordered[beyond - 1], ordered[min(beyond, rounds - 1)]),
        "ops": (rounds / total if total else 0.0,),
        "total": (total,),
        "stddev_outliers": _outside(ordered, mean - stddev, mean + stddev),
        "iqr_outliers": _outside(ordered, low, high),
    }


def quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    """pytest-benchmark's: medians of the halves of an even number of timings, weighted of an odd.

    Source: pytest_benchmark/stats.py, Stats.q1 and Stats.q3.
    """
    rounds, n = len(ordered), len(ordered) // 4
    if rounds == 1:
        return ordered[0], ordered[0]
    if rounds % 2 == 0:
        return middle(ordered[: rounds // 2]), middle(ordered[rounds // 2 :])
    if rounds % 4 == 1:
        return (
            0.25 * ordered[n - 1] + 0.75 * ordered[n],
            0.75 * ordered[3 * n] + 0.25 * ordered[3 * n + 1],
        )
    return (
        0.75 * ordered[n] + 0.25 * ordered[n + 1],
        0.25 * ordered[3 * n + 1] + 0.75 * ordered[3 * n + 2],
    )


def _outside(ordered: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    """How many lie outside the fences; one that lies on a fence, but for rounding, may count."""
    slack, rounds = TOLERANCE * ordered[-1], len(ordered)
    surely = bisect_left(ordered, low - slack) + rounds - bisect_right(ordered, high + slack)
    perhaps = bisect_right(ordered, low + slack) + rounds - bisect_left(ordered, high - slack)
    if low + slack >= high - slack:  # the fences meet, and all lie on one
        perhaps = rounds
    return tuple(float(count) for count in range(surely, perhaps + 1))
