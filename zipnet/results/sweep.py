"""What a step costs before its work begins, and what more work adds: t(x) = a + b x.

a is the fixed cost of a step: Python, autograd, launches, waiting; b the cost of a digit, where x
counts those of a batch, or of a MAC, where networks of several widths are the ladder, once the step
is under way. Where an engine's times bend (a cache runs over, threads set in) there is no such law,
and then no a and no b either: `Law.holds` tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import numpy as np

from zipnet.results.statistics import Estimate, ratios, student

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

FEWEST: Final = 3  # batches or widths: two points fit any line
WORST_ERROR: Final = 0.15  # of a measured time: a law that misses one by more is none
NEGLIGIBLE: Final = 1e-6  # of a step: a or b that small is none that this sweep can show
UNKNOWN: Final = math.log(1e12)  # an interval's end beyond this factor says nothing more
MOST: Final = 200  # ladders that are fitted
WHO: Final = ["file", "engine", "device"]
AnyLaw = TypeVar("AnyLaw", bound="Law")


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

    def between(self, x: float) -> Estimate:
        """The same with its 95% interval, by the delta method on logarithms."""
        share = self.fixed.median / self.seconds(x)
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
class Fit(Law):
    """Steps timed at several sizes of batch: x counts digits."""

    @property
    def digit(self) -> Estimate:
        """b, seconds a digit."""
        return self.each

    @property
    def fixed_share(self) -> float:
        """The share of the fixed cost in a step on one digit."""
        return self.fixed.median / self.seconds(1)


@dataclass(frozen=True)
class Ladder(Law):
    """Steps of networks of several widths on as many digits each: x counts MACs a step."""


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
    return _fitted(Fit, sweeps.values(), "batch")


def ladders(rows: pd.DataFrame, most: int = MOST) -> list[Ladder]:
    """Fit t = a + b MACs to every ladder of widths among sound rows, as fits() does to sweeps.

    `half` of one that holds is the MACs of a step of which half is dispatch. most: of a fleet,
    those are fitted whose widest network has the most MACs a second.
    """
    from zipnet.results.runs import records

    asked = rows[(rows["question"] == "width") & (rows["value"] > 0) & (rows["macs"] > 0)]
    asked = asked.drop_duplicates([*WHO, "threads", "batch", "width"], keep="last")
    found: dict[object, list[Any]] = {}
    for row in records(asked.sort_values("width", kind="stable")):
        found.setdefault((row.file, row.engine, row.device, row.threads, row.batch), []).append(row)
    fastest = sorted(found.values(), key=lambda rungs: rungs[-1].value / rungs[-1].macs)
    return _fitted(Ladder, fastest[:most], "macs")


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


def _fitted(kind: type[AnyLaw], found: Iterable[list[Any]], by: str) -> list[AnyLaw]:
    """A law for each list of records with enough of them, those that hold first."""
    made = [
        _fit(kind, tuple(some), by)
        for some in found
        if sum(not row.disturbed for row in some) >= FEWEST
    ]
    return sorted(made, key=lambda law: (not law.holds, law.fixed.median))


def _fit(kind: type[AnyLaw], rows: tuple[Any, ...], by: str) -> AnyLaw:
    """Least squares of relative errors, both numbers positive; by: the column that is x.

    Steps differ by orders of magnitude between the ends of a sweep; in logarithms each counts
    alike. The interval is Student's, from the residuals, which hold both the noise of the medians
    and the law's own misfit.
    """
    from scipy.optimize import least_squares

    calm = [row for row in rows if not row.disturbed]
    xs = np.array([getattr(row, by) for row in calm], float)
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
    fixed, each = (
        Estimate(math.exp(log), math.exp(log - beyond), math.exp(log + beyond))
        for log, beyond in zip(
            solved.x, np.minimum(reach * np.sqrt(np.diag(covariance)), UNKNOWN), strict=True
        )
    )
    return kind(
        rows, fixed, each, float(np.abs(np.expm1(solved.fun)).max()), covariance, float(reach)
    )


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
