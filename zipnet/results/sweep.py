"""What a step costs before its work begins, and what more work adds: t(x) = a + b x.

a is the fixed cost of a step: Python, autograd, launches, waiting. b is the cost of one more digit
in a sweep of batches, where x counts digits, and of one more MAC in a ladder of network widths,
where x counts MACs. Where an engine's times bend (a cache overflows, threads set in) there is no
such law, and then neither a nor b means anything: `Law.holds` tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from zipnet.results.runs import WHO, grouped, records, who
from zipnet.results.statistics import Estimate, ratios, student

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

FEWEST: Final = 3  # batches or widths: two points fit any line
WORST_ERROR: Final = 0.15  # of a measured time: a law that misses one by more is none
NEGLIGIBLE: Final = 1e-6  # of a step: a or b that small is none that this sweep can show
UNKNOWN: Final = math.log(1e12)  # an interval's end beyond this factor says nothing more
MOST: Final = 200  # ladders that are fitted


@dataclass(frozen=True)
class Law:
    """t(x) = a + b x: what some steps of one engine on one device take, by how much is in them."""

    rows: tuple[Any, ...]  # records by x, the disturbed ones included
    fixed: Estimate  # a, seconds a step
    each: Estimate  # b, seconds for one more of what x counts
    worst_error: float  # the largest |law - measured| / measured
    covariance: Any  # (2, 2), of log a and log b
    reach: float  # Student's quantile by which an interval reaches beyond a standard error

    @property
    def source(self) -> Any:
        """The record of the smallest x."""
        return self.rows[0]

    @property
    def holds(self) -> bool:
        """Whether the law describes what was measured; a and b mean nothing where it does not."""
        return self.worst_error <= WORST_ERROR

    @property
    def half(self) -> float:
        """The x at which the fixed cost is half of a step."""
        return self.fixed.median / self.each.median

    def seconds(self, x: float) -> float:
        """What the law says of a step with so much in it."""
        return self.fixed.median + self.each.median * x

    def fixed_share(self, x: float = 1.0) -> float:
        """The share of the fixed cost in a step with so much in it."""
        return self.fixed.median / self.seconds(x)

    def between(self, x: float) -> Estimate:
        """The same with its 95% interval, by the delta method on logarithms."""
        share = self.fixed_share(x)
        return self._estimate(self.seconds(x), np.array([share, 1 - share]))

    @property
    def half_between(self) -> Estimate:
        """`half` with its 95% interval."""
        return self._estimate(self.half, np.array([1.0, -1.0]))

    def _estimate(self, value: float, slopes: Any) -> Estimate:
        """slopes: of the value's logarithm, by those of a and b."""
        by = min(self.reach * math.sqrt(slopes @ self.covariance @ slopes), UNKNOWN)
        return Estimate(value, value * math.exp(-by), value * math.exp(by))


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


def fits(rows: pd.DataFrame) -> list[Law]:
    """Fit every sweep among sound rows: those that follow the law first, least fixed cost first.

    x is the batch. The law is fitted to the rows at which nothing else was at work; where fewer
    than three of them remain there is none. A batch of few rounds counts: the law's interval does
    not come from the intervals of its rows.
    """
    return _laws(rows[rows["question"].isin(("sweep", "fullbatch"))], "batch")


def ladders(rows: pd.DataFrame, most: int = MOST) -> list[Law]:
    """Fit t = a + b MACs to every ladder of widths among sound rows, as fits() does to sweeps.

    `half` of one that holds is the MACs of a step of which half is dispatch. most: of a fleet,
    those are fitted whose widest network has the most MACs a second.
    """
    return _laws(rows[rows["question"] == "width"], "macs", "batch", most=most)


def overtakings(found: Sequence[Law]) -> list[Overtaking]:
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
    queued = rows[(rows["question"] == "sgd-queued") & rows["forbidden"].isna()]
    queued = queued.sort_values("us_per_presentation").drop_duplicates(WHO)
    steps = {who(row): row for row in records(queued)}
    swept = {who(fit.source): fit for fit in fits(rows) if fit.holds}
    made = []
    for (file, engine, device), row in steps.items():
        if engine != "eager" or not row.us_per_presentation:
            continue
        replayed, fit = steps.get((file, "graphed", device)), swept.get((file, engine, device))
        if replayed is not None:
            saved = 1 - replayed.us_per_presentation / row.us_per_presentation
            made.append(Dispatch(row, max(0.0, saved), "replay"))
        elif fit is not None:
            made.append(Dispatch(row, fit.fixed_share(), "sweep"))
    return made


def _laws(rows: pd.DataFrame, x: str, *apart: str, most: int | None = None) -> list[Law]:
    """A law by the column x for each engine, device and thread count with enough rows, told apart
    by these columns too; those that hold first.
    """
    whose = [*WHO, "threads", *apart]
    rows = rows[(rows[x] > 0) & (rows["value"] > 0)].drop_duplicates([*whose, x], keep="last")
    every = grouped(rows.sort_values(x, kind="stable"), *whose).values()
    fastest = sorted(every, key=lambda some: some[-1].value / getattr(some[-1], x))[:most]
    enough = [some for some in fastest if sum(not row.disturbed for row in some) >= FEWEST]
    made = [_fit(tuple(some), x) for some in enough]
    return sorted(made, key=lambda law: (not law.holds, law.fixed.median))


def _fit(rows: tuple[Any, ...], x: str) -> Law:
    """Least squares of relative errors, both numbers positive.

    Steps differ by orders of magnitude between the ends of a sweep; in logarithms each counts
    alike. The interval is Student's, from the residuals, which hold both the noise of the medians
    and the law's own misfit.
    """
    from scipy.optimize import least_squares

    calm = [row for row in rows if not row.disturbed]
    xs = np.array([getattr(row, x) for row in calm], float)
    times = np.log([row.value for row in calm])

    def residuals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        law: NDArray[np.float64] = np.log(np.exp(logs[0]) + np.exp(logs[1]) * xs)
        return law - times

    least = math.log(NEGLIGIBLE) + times.min()
    start = [times[0], times[-1] - math.log(xs[-1])]
    bounds = ([least, least - math.log(xs[-1])], [times.max() + 1.0] * 2)
    solved = least_squares(residuals, start, bounds=bounds)
    degrees = len(calm) - 2
    variance = float(np.sum(solved.fun**2)) / degrees
    covariance = variance * np.linalg.pinv(solved.jac.T @ solved.jac)
    reach = student(degrees)
    beyond = np.minimum(reach * np.sqrt(np.diag(covariance)), UNKNOWN)
    fixed, each = (
        Estimate(*(math.exp(log + end) for end in (0.0, -off, off)))
        for log, off in zip(solved.x, beyond, strict=True)
    )
    return Law(rows, fixed, each, float(np.abs(np.expm1(solved.fun)).max()), covariance, reach)


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
