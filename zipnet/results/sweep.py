"""What a step costs before its first digit, and what each digit adds: t(B) = a + b B.

a is the fixed cost of a step: Python, autograd, launches, waiting; b the cost of a digit once the
step is under way. Where an engine's times bend (a cache runs over, threads set in) there is no such
law, and then no a and no b either: `Fit.holds` tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from zipnet.results.statistics import Estimate, ratios, student

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

FEWEST_BATCHES: Final = 3  # two points fit any line
WORST_ERROR: Final = 0.15  # of a measured time: a law that misses one by more is none
NEGLIGIBLE: Final = 1e-6  # of a step: a or b that small is none that this sweep can show
UNKNOWN: Final = math.log(1e12)  # an interval's end beyond this factor says nothing more
WHO: Final = ["file", "engine", "device"]


@dataclass(frozen=True)
class Fit:
    """One engine on one device, its steps timed at several sizes of batch."""

    rows: tuple[Any, ...]  # records by batch, the disturbed ones included
    fixed: Estimate  # a, seconds a step
    digit: Estimate  # b, seconds a digit
    worst_error: float  # the largest |law - measured| / measured

    @property
    def source(self) -> Any:
        """The record of the smallest batch."""
        return self.rows[0]

    @property
    def holds(self) -> bool:
        """Whether the law describes what was measured; a and b mean nothing where it does not."""
        return self.worst_error <= WORST_ERROR

    @property
    def half(self) -> float:
        """The batch at which the fixed cost and the digits take as long as each other."""
        return self.fixed.median / self.digit.median

    @property
    def fixed_share(self) -> float:
        """The share of the fixed cost in a step on one digit."""
        return self.fixed.median / self.seconds(1)

    def seconds(self, batch: float) -> float:
        """What the law says of a step on so many digits."""
        return self.fixed.median + self.digit.median * batch


@dataclass(frozen=True)
class Overtaking:
    """From some batch on, one engine or device is faster than another that was faster before."""

    first: Any  # record of the one that is faster at small batches
    then: Any  # and at large ones
    batch: float  # by interpolation between the two batches measured around it
    between: tuple[int, int]


@dataclass(frozen=True)
class Dispatch:
    """The share of one eager step that is Python, autograd and launches, and how it is known."""

    source: Any  # record of the queued eager steps
    share: float
    by: Literal["replay", "sweep"]


def fits(rows: pd.DataFrame) -> list[Fit]:
    """Fit every sweep among sound rows: those that follow the law first, least fixed cost first.

    The law is fitted to the batches at which nothing else was at work; where fewer than three of
    them remain there is no fit. A batch of few rounds counts: the fit's interval does not come from
    the intervals of its rows.
    """
    from zipnet.results.runs import records

    swept = rows[rows["question"].isin(("sweep", "fullbatch"))]
    swept = swept[(swept["batch"] > 0) & (swept["value"] > 0)]
    swept = swept.drop_duplicates([*WHO, "threads", "batch"], keep="last").sort_values("batch")
    sweeps: dict[object, list[Any]] = {}
    for row in records(swept):
        sweeps.setdefault((row.file, row.engine, row.device, row.threads), []).append(row)
    made = [
        _fit(tuple(found))
        for found in sweeps.values()
        if sum(not row.disturbed for row in found) >= FEWEST_BATCHES
    ]
    return sorted(made, key=lambda fit: (not fit.holds, fit.fixed.median))


def overtakings(found: Sequence[Fit]) -> list[Overtaking]:
    """Every pair that changes places within the batches that both were measured at."""
    return [
        change for one, other in combinations(found, 2) for change in _changes(one.rows, other.rows)
    ]


def dispatches(rows: pd.DataFrame) -> list[Dispatch]:
    """One for each machine's device on which eager steps were measured and a share is known.

    Where the same operations were also replayed from a graph (the graphed engine), what the replay
    saves was dispatch. Elsewhere the sweep says it, where its law holds. Rows that no verdict may
    rest on are not asked.
    """
    from zipnet.results.runs import records

    queued = rows[(rows["question"] == "sgd-queued") & rows["forbidden"].isna()]
    queued = queued.sort_values("us_per_presentation").drop_duplicates(WHO)
    steps = {(row.file, row.engine, row.device): row for row in records(queued)}
    swept = {(f.source.file, f.source.engine, f.source.device): f for f in fits(rows) if f.holds}
    made = []
    for (file, engine, device), row in steps.items():
        if engine != "eager" or not row.us_per_presentation:
            continue
        replayed, fit = steps.get((file, "graphed", device)), swept.get((file, engine, device))
        if replayed is not None:
            saved = 1 - replayed.us_per_presentation / row.us_per_presentation
            made.append(Dispatch(row, max(0.0, saved), "replay"))
        elif fit is not None:
            made.append(Dispatch(row, fit.fixed_share, "sweep"))
    return made


def _fit(rows: tuple[Any, ...]) -> Fit:
    """Least squares of relative errors, both numbers positive.

    Steps differ by orders of magnitude between the ends of a sweep; in logarithms each counts
    alike. The interval is Student's, from the residuals, which hold both the noise of the medians
    and the law's own misfit.
    """
    from scipy.optimize import least_squares

    calm = [row for row in rows if not row.disturbed]
    batches = np.array([row.batch for row in calm], float)
    times = np.log([row.value for row in calm])

    def residuals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        law: NDArray[np.float64] = np.log(np.exp(logs[0]) + np.exp(logs[1]) * batches)
        return law - times

    least = math.log(NEGLIGIBLE) + times.min()
    start = [times[0], times[-1] - math.log(batches[-1])]
    bounds = ([least, least - math.log(batches[-1])], [times.max() + 1.0] * 2)
    solved = least_squares(residuals, start, bounds=bounds)
    degrees = len(calm) - 2
    variance = float(np.sum(solved.fun**2)) / degrees
    errors = np.sqrt(variance * np.diag(np.linalg.pinv(solved.jac.T @ solved.jac)))
    reach = np.minimum(student(degrees) * errors, UNKNOWN)
    fixed, digit = (
        Estimate(math.exp(log), math.exp(log - by), math.exp(log + by))
        for log, by in zip(solved.x, reach, strict=True)
    )
    return Fit(rows, fixed, digit, float(np.abs(np.expm1(solved.fun)).max()))


def _changes(one: Iterable[Any], other: Iterable[Any]) -> Iterator[Overtaking]:
    """Neighbouring batches at which the lead changes, of those where their intervals tell one.

    No lead rests on a row that no verdict may rest on.
    """
    theirs = {row.batch: row for row in other if not row.forbidden}
    both = [(m, theirs[m.batch]) for m in one if m.batch in theirs and not m.forbidden]
    if not both:
        return
    above, below = (
        np.array([(row.value, row.low, row.high) for row in side], float).T
        for side in zip(*both, strict=True)
    )
    quotient, low, high = ratios(tuple(above), tuple(below))
    leads = [(*both[at], math.log(quotient[at])) for at in np.flatnonzero((low > 1) | (high < 1))]
    for (m, n, before), (later, _, after) in pairwise(leads):
        if before * after < 0:
            batch = m.batch * (later.batch / m.batch) ** (before / (before - after))
            first, then = (m, n) if before < 0 else (n, m)
            yield Overtaking(first, then, batch, (m.batch, later.batch))
