"""Medians, their intervals and their ratios, and a test of ranks: many rows at once, with sources.

A timing has a floor and a long tail, so the median stands for a row. Its interval is the wider of
two: one from order statistics, which asks nothing of the distribution's shape but takes rounds as
independent; and one from how far the laps of the row lie apart, which sees the drift that
neighbouring rounds share. Rows differ in length, so they lie one after another in one array, and
half a million rows of a fleet cost some hundred calls of numpy in each batch of files. scipy takes
longer to load than two files take to compare: it is asked only for what the tables below lack.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from statistics import fmean
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zipnet.results.schema import FEWEST_ROUNDS

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]
Columns = dict[str, NDArray[Any]]  # one array a column, all of one length

FEWEST_LAPS: Final = 3  # two say next to nothing about a third
PARTS: Final = 5  # that a row measured in one go is cut into, to stand for its laps
SAME_TIMINGS: Final = 5  # honest rows may share one by the clock's resolution, never so many
CONFIDENCE: Final = 0.95
GOLDEN: Final = 0x9E3779B97F4A7C15  # 2^64 by the golden ratio: no two rounds are mixed alike
SURE: Final = 1e-3  # chance that the test of ranks calls equal groups different

# Quantiles that are asked for in every report: Student's t at 0.975 for 1, 2, ... degrees of
# freedom, and chi-square at 1 - SURE likewise.
STUDENT: Final = (
    12.706204736174694, 4.302652729749462, 3.1824463052837078, 2.7764451051977934,
    2.5705818356363146, 2.4469118511449786, 2.364624251592784, 2.306004135204166,
    2.262157162798205, 2.228138851986274, 2.200985160091639, 2.1788128296672284,
    2.1603686564627913, 2.144786687917804, 2.131449545559776, 2.1199052992212546,
    2.1098155778333156, 2.1009220402410382, 2.0930240544083087, 2.085963447265864,
    2.0796138447276795, 2.0738730679040254, 2.0686576104190486, 2.0638985616280245,
    2.0595385527532972, 2.0555294386428735, 2.0518305164802846, 2.0484071417952454,
    2.045229642132703, 2.0422724563012378,
)  # fmt: skip
CHI_SQUARE: Final = (
    10.827566170662733, 13.815510557964274, 16.26623619623813, 18.466826952903173,
    20.515005652432876, 22.457744484825323, 24.321886347856854, 26.124481558376143,
    27.877164871256575, 29.58829844507442,
)  # fmt: skip


def numbers(values: Sequence[float | None]) -> Floats:
    """As float64, NaN for None; numpy is slow to look at column after column of nothing."""
    nothing = values.count(None) == len(values)
    return np.full(len(values), np.nan) if nothing else np.array(values, float)


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of different lengths, one after another in one array, and asked all at once."""

    flat: Floats
    sizes: Counts  # (rows,); a row without values has no order statistic

    @cached_property
    def starts(self) -> Counts:
        """(rows,), where each begins."""
        return np.asarray(self.sizes.cumsum() - self.sizes)

    @cached_property
    def row(self) -> Counts:
        """(values,), whose each is."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def ordered(self) -> Floats:
        """As flat, but each row from its least value to its largest."""
        ordered = np.empty_like(self.flat)
        for rows in self.alike():
            where = self.starts[rows, None] + np.arange(self.sizes[rows[0]])
            ordered[where] = np.sort(self.flat[where], axis=1)
        return ordered

    def alike(self) -> Iterator[Counts]:
        """The rows of each length."""
        order = np.argsort(self.sizes, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(self.sizes[order])) + 1)
        return (rows for rows in groups if len(rows))

    def at(self, position: Any) -> Floats:
        """(rows,), the order statistic, from 0; between two where the position is not whole."""
        position = np.clip(position, 0, self.sizes - 1)
        whole = position.astype(int)
        share, where = position - whole, self.starts + whole
        above = self.ordered[where + (share > 0)]
        return np.asarray((1 - share) * self.ordered[where] + share * above)

    @cached_property
    def medians(self) -> Floats:
        """(rows,)."""
        return self.at((self.sizes - 1) / 2)

    def below(self, limits: Floats) -> Counts:
        """(..., rows), how many values of each row are less than each of its limits: bisection."""
        found = np.zeros(limits.shape, int)
        for bit in reversed(range(int(self.sizes.max(initial=0)).bit_length())):
            further = np.minimum(found + 2**bit, self.sizes)
            less = self.ordered[self.starts + further - 1] < limits
            found = np.where(less, further, found)
        return found

    def sums(self, values: Any) -> Floats:
        """(rows,), of something that has one value for each of ours."""
        return np.asarray(np.bincount(self.row, values, len(self.sizes)), float)

    def take(self, rows: Counts) -> Ragged:
        """Some of the rows, by number."""
        sizes = self.sizes[rows]
        moved = np.repeat(self.starts[rows] - (sizes.cumsum() - sizes), sizes)
        where = moved + np.arange(len(moved))
        taken = Ragged(self.flat[where], sizes)
        if "ordered" in vars(self):  # what was put in order need not be again
            vars(taken)["ordered"] = self.ordered[where]
        return taken


@dataclass(frozen=True, eq=False)
class Rounds:
    """The raw values of many rows."""

    values: Sequence[Floats]  # (rounds,) of each row, in the order of time
    laps: Sequence[tuple[int, ...]]  # rounds of each lap; (n,) where there were none
    timed: Any = True  # (rows,) bool: by a clock; honest sizes may all be equal, never its times

    @cached_property
    def rows(self) -> Ragged:
        """The values of each row."""
        flat = np.concatenate([np.empty(0), *self.values])
        return Ragged(flat, np.array([len(values) for values in self.values], int))

    @cached_property
    def parts(self) -> list[tuple[int, ...]]:
        """Rounds of each lap; of each fifth of the rounds where they were taken in one go."""
        return [_parts(laps) for laps in self.laps]

    @cached_property
    def lap_medians(self) -> Ragged:
        """The median of each of the parts of each row."""
        sizes = np.array([*chain.from_iterable(self.parts)], int)
        of_rows = np.array([len(parts) for parts in self.parts], int)
        covered = self.rows if of_rows.all() else self.rows.take(np.flatnonzero(of_rows))
        return Ragged(Ragged(covered.flat, sizes).medians, of_rows)

    @cached_property
    def fingerprints(self) -> NDArray[np.uint64]:
        """(rows,), equal only where the rounds are; 0 where equal ones tell nothing: of too
        few, of nothing but 0, and of what no clock gave.

        Source of the mixing: G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014 (SplitMix).
        """
        rows = self.rows
        places = np.arange(len(rows.flat)) - rows.starts[rows.row]
        mixed = rows.flat.view(np.uint64) + places.astype(np.uint64) * np.uint64(GOLDEN)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
        found = np.add.reduceat(mixed, rows.starts)
        told = self.timed & (rows.sizes >= SAME_TIMINGS) & (rows.at(rows.sizes - 1) > 0)
        return np.where(told, found, np.uint64(0))


@functools.lru_cache(4096)
def _parts(laps: tuple[int, ...]) -> tuple[int, ...]:
    if len(laps) >= FEWEST_LAPS:
        return laps
    rounds = sum(laps)
    parts = min(PARTS, rounds // FEWEST_ROUNDS)
    return tuple(rounds * (p + 1) // parts - rounds * p // parts for p in range(parts))


def summary(rounds: Rounds) -> Columns:
    """What the rounds of each row come to.

    rounds; value, the median, and low and high, its 95% interval (NaN: too few rounds), all in the
    row's unit; fingerprint.
    """
    rows = rounds.rows
    rank = np.array([interval_rank(size) for size in rows.sizes.tolist()], float)
    apart = np.where(np.isnan(rank), np.nan, np.exp(lap_spread(rounds.lap_medians)))
    kept = np.nan_to_num(rank)
    return {
        "rounds": rows.sizes.astype(float),
        "value": rows.medians,
        "low": np.minimum(rows.at(kept), rows.medians / apart),
        "high": np.maximum(rows.at(rows.sizes - 1 - kept), rows.medians * apart),
        "fingerprint": rounds.fingerprints,
    }


@functools.cache
def interval_rank(rounds: int) -> int | None:
    """How many rounds to leave out at either end so that the rest covers the median.

    The number of rounds below the true median is binomial(n, 1/2), whatever their distribution.
    Leaving out k at both ends misses the median where at most k lie on one side of it, which
    happens with 2 P(X <= k). The largest k within the confidence is returned; None where even
    k = 0 is not. Rounds are taken as independent, which neighbours in time never quite are.

    Source: H. A. David, H. N. Nagaraja, Order Statistics, 3rd ed., 2003, section 7.1.
    """
    tail = (1 - CONFIDENCE) / 2
    rank = max(0, int(rounds / 2 - 5 * math.sqrt(rounds)))  # ten sigma: below it lies 1e-23
    logs = math.lgamma(rounds + 1) - math.lgamma(rank + 1) - math.lgamma(rounds - rank + 1)
    chance = total = math.exp(logs - rounds * math.log(2))
    if total > tail:
        return None
    while (total := total + (chance := chance * (rounds - rank) / (rank + 1))) <= tail:
        rank += 1
    return rank


def lap_spread(laps: Ragged) -> Floats:
    """Half the interval of the mean of each row's laps, in natural logarithms; 0: none known.

    Student's t over laps. Drift that lasts longer than a lap makes rounds depend on each other,
    and the rounds of a lap then count for little more than one.
    """
    spread = np.zeros(len(laps.sizes))
    known = np.flatnonzero(laps.sizes >= FEWEST_LAPS)
    known = known[laps.take(known).at(0) > 0]
    logs, sizes = laps.take(known), laps.sizes[known]
    log = np.log(logs.flat)
    squares = logs.sums((log - (logs.sums(log) / sizes)[logs.row]) ** 2)
    quantiles = np.array([student(size - 1) for size in sizes.tolist()], float)
    spread[known] = quantiles * np.sqrt(squares / (sizes - 1) / sizes)
    return spread


@functools.cache
def student(degrees: int) -> float:
    """How many standard errors either side of a 95% interval holds, by degrees of freedom."""
    if degrees <= len(STUDENT):
        return STUDENT[degrees - 1]
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))


@functools.cache
def chi_square(degrees: int) -> float:
    """What chi-square exceeds with probability SURE, by degrees of freedom."""
    if degrees <= len(CHI_SQUARE):
        return CHI_SQUARE[degrees - 1]
    from scipy.special import chdtri

    return float(chdtri(degrees, SURE))


def differ(rows: Ragged, groups: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """(rows,): whether groups of values differ, wrong with at most SURE where they do not.

    groups: of each row, how many of its values each group has, one group after another.
    """
    limits = np.array([chi_square(len(sizes) - 1) for sizes in groups], float)
    return np.asarray(kruskal_wallis(rows, groups) > limits)


def kruskal_wallis(rows: Ragged, groups: Sequence[Sequence[int]]) -> Floats:
    """(rows,): how far the ranks of groups lie apart; chi-square where the groups are equal.

    Of two groups it is the test of rank sums. 0 where all values tie.

    Source: W. H. Kruskal, W. A. Wallis, Journal of the American Statistical Association 47 (1952)
    583-621, with their correction for ties.
    """
    order, count = np.lexsort((rows.flat, rows.row)), rows.sizes.astype(float)
    differs = np.diff(rows.flat[order], prepend=np.nan) != 0
    differs[rows.starts] = True
    begins = np.flatnonzero(differs)
    tied = np.diff(begins, append=len(order))
    row = rows.row[begins]
    ranks = np.empty(len(order))
    ranks[order] = np.repeat(begins - rows.starts[row] + (tied + 1) / 2, tied)
    of_groups = Ragged(ranks, np.array([*chain.from_iterable(groups)], int))
    of_rows = Ragged(of_groups.sums(ranks), np.array([len(sizes) for sizes in groups], int))
    squares = of_rows.sums(of_rows.flat**2 / of_groups.sizes)
    free = 1 - np.bincount(row, tied**3.0 - tied, len(count)) / (count**3 - count)
    apart = 12 / (count * (count + 1)) * squares - 3 * (count + 1)
    return np.where(free > 0, apart / np.where(free > 0, free, 1.0), 0.0)


class Estimate(NamedTuple):
    """A median and its interval; low and high are None where there are too few rounds for one."""

    median: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, median: float, low: float, high: float) -> Estimate:
        """From columns, where NaN says what None says here."""
        ends = (None if math.isnan(end) else float(end) for end in (low, high))
        return cls(float(median), *ends)


Interval = tuple[Floats, Floats, Floats]  # medians, and the ends of their intervals or NaN


def ratios(above: Interval, below: Interval) -> Interval:
    """One divided by the other, with its interval; NaN where either is 0.

    Logarithms turn the ratio into a difference, and its interval is made from those of its two
    sides, which need not be symmetric nor of one kind.

    Source: G. Y. Zou, A. Donner, Statistics in Medicine 27 (2008) 1693-1702 (MOVER).
    """
    (middle_above, low_above, high_above), (middle_below, low_below, high_below) = above, below
    there = (middle_above > 0) & (middle_below > 0)
    known = there & (low_above > 0) & (high_above > 0) & (low_below > 0) & (high_below > 0)
    logs = (np.log(np.where(known, side, 1.0)) for side in (*above, *below))
    middle, low, high, middle_other, low_other, high_other = logs
    found = np.where(there, middle_above, np.nan) / np.where(there, middle_below, 1.0)
    apart = np.where(known, found, np.nan)
    down = np.exp(-np.hypot(middle - low, high_other - middle_other))
    up = np.exp(np.hypot(high - middle, middle_other - low_other))
    return found, apart * down, apart * up


def widen(found: Interval, share: float | Floats) -> Interval:
    """The same with intervals of at least this share to either side; none stays none."""
    middle, low, high = found
    return middle, np.minimum(low, middle / (1 + share)), np.maximum(high, middle * (1 + share))


def geometric_mean(ratios: Interval) -> Estimate:
    """Of ratios with intervals; without one where any has none.

    Its interval is as wide as theirs are on average. That holds however much they depend on each
    other, and rows of one run do: they share its clock, its heat and its neighbours. Narrower by
    the root of their number would hold for independent ones only.
    """
    found, low, high = (math.exp(fmean(map(math.log, side.tolist()))) for side in ratios)
    return Estimate.of(found, min(low, found), max(high, found))
