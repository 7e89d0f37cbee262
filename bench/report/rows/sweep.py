"""What asking for a step costs and what its digits cost: t(B) = a + b B, fitted to a sweep.

a is dispatch: Python, autograd, launches, waiting; b what one more digit takes once the step is
under way. Where an engine's times bend (a cache runs over, threads set in), the law fits badly, the
intervals grow, and the largest misfit is said beside them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import stdtrit

from bench.report.rows.measures import Measure
from bench.report.statistics.stats import CONFIDENCE, Estimate, ratio

FEWEST_BATCHES: Final = 3  # two points fit any line
NEGLIGIBLE: Final = 1e-6  # of a step: a or b that small is none that this sweep can show
UNKNOWN: Final = math.log(1e12)  # an interval's end beyond this factor says nothing more


@dataclass(frozen=True)
class Fit:
    """One engine on one device, its steps timed at several sizes of batch."""

    source: Measure  # the row of the smallest batch
    rows: tuple[Measure, ...]  # by batch, the disturbed ones included
    asking: Estimate  # a, seconds a step
    digit: Estimate  # b, seconds a digit
    misfit: float  # the largest share by which a measured time differs from the law

    @property
    def half(self) -> float:
        """The batch at which asking and digits take as long as each other."""
        return self.asking.median / self.digit.median

    @property
    def share_of_asking(self) -> float:
        """How much of a step on one digit goes into asking for it."""
        return self.asking.median / self.seconds(1)

    def seconds(self, batch: float) -> float:
        """What the law says of a step on so many digits."""
        return self.asking.median + self.digit.median * batch


@dataclass(frozen=True)
class Overtaking:
    """From some batch on, one engine or device is faster than another that was faster before."""

    first: Measure  # faster at small batches
    then: Measure  # faster at large ones
    batch: float  # by interpolation between the two batches measured around it
    between: tuple[int, int]


def fits(found: Iterable[Measure]) -> list[Fit]:
    """Fit every sweep with enough batches, the least asking first.

    The law is fitted to the batches at which nothing else was at work, and there is none where
    too few of those remain. A batch of few rounds counts: the fit's interval does not come from
    the intervals of its rows.
    """
    sweeps: dict[object, dict[int, Measure]] = {}
    for measure in found:
        if measure.row.question in ("sweep", "fullbatch") and measure.row.batch:
            key = (*measure.combination, measure.row.threads)
            sweeps.setdefault(key, {})[measure.row.batch] = measure
    made = [
        _fit(tuple(rows[batch] for batch in sorted(rows)))
        for rows in sweeps.values()
        if sum(not row.disturbed for row in rows.values()) >= FEWEST_BATCHES
    ]
    return sorted(made, key=lambda fit: fit.asking.median)


def overtakings(found: Sequence[Fit]) -> list[Overtaking]:
    """Every pair that changes places within the batches that both were measured at."""
    return [
        change for one, other in combinations(found, 2) for change in _changes(one.rows, other.rows)
    ]


def _fit(rows: tuple[Measure, ...]) -> Fit:
    """Least squares of relative errors, both numbers positive.

    Steps differ by orders of magnitude between the ends of a sweep; in logarithms each counts
    alike. The interval is Student's, from what the law leaves unexplained, which holds both the
    noise of the medians and the law's own misfit.
    """
    calm = [row for row in rows if not row.disturbed]
    batches = np.array([row.row.batch for row in calm], float)
    times = np.log([row.seconds.median for row in calm])

    def off(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        law: NDArray[np.float64] = np.log(np.exp(logs[0]) + np.exp(logs[1]) * batches)
        return law - times

    least = math.log(NEGLIGIBLE) + times.min()
    start = [times[0], times[-1] - math.log(batches[-1])]
    bounds = ([least, least - math.log(batches[-1])], [times.max() + 1.0] * 2)
    solved = least_squares(off, start, bounds=bounds)
    degrees = len(calm) - 2
    scale = float(np.sum(solved.fun**2)) / degrees
    spread = np.sqrt(scale * np.diag(np.linalg.pinv(solved.jac.T @ solved.jac)))
    reach = np.minimum(float(stdtrit(degrees, 0.5 + CONFIDENCE / 2)) * spread, UNKNOWN)
    a, b = (
        Estimate(math.exp(log), math.exp(log - by), math.exp(log + by))
        for log, by in zip(solved.x, reach, strict=True)
    )
    return Fit(rows[0], rows, a, b, float(np.expm1(np.abs(solved.fun)).max()))


def _changes(one: Sequence[Measure], other: Sequence[Measure]) -> Iterable[Overtaking]:
    theirs = {measure.row.batch: measure for measure in other}
    both = [
        (measure.row.batch, measure, theirs[measure.row.batch])
        for measure in one
        if measure.row.batch in theirs
    ]
    told_apart = [(batch, m, n, lead) for batch, m, n in both if (lead := _lead(m, n)) and batch]
    for (low, m, n, before), (high, _, _, after) in pairwise(told_apart):
        if before * after < 0:
            batch = low * (high / low) ** (before / (before - after))
            first, then = (m, n) if before < 0 else (n, m)
            yield Overtaking(first, then, batch, (low, high))


def _lead(one: Measure, other: Measure) -> float:
    """Logarithm of one's time by the other's; 0 where their intervals do not tell them apart, or
    no verdict may rest on one of them.
    """
    found = ratio(one.seconds, other.seconds)
    if one.forbidden or other.forbidden or found is None or not (found.low and found.high):
        return 0.0
    if found.low <= 1 <= found.high:
        return 0.0
    return math.log(found.median)
