"""The null test: equal things compared, to learn how far apart equal things are found.

Two runs of one machine with the same software ought to say the same. How far apart they are is
what no interval taken within a run can know: clocks, heat, memory layout and neighbours change
from run to run. Where a machine has one run only, its first laps are compared with its last: that
sees less time pass, though each half is also noisier than the whole.

Rows of two runs differ in two ways. Each differs by itself; and all differ together, because one
run was warmer or had a busier neighbour. A pair of runs holds many rows, so the first is known
well; but however many rows it has, it is one difference of the second kind, and two runs that
came out alike by luck must not set the scale. So what rows share is given the width that few
runs leave open (Student's t), and what each has of its own is added to it.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations, compress
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from zipnet.results.match import NOTHING, Keyed, Numbers, keyed
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import Kind
from zipnet.results.statistics import CONFIDENCE, Columns, Floats, Interval, ratios, student, widen

ENOUGH: Final = math.ceil(1 / (1 - CONFIDENCE)) - 1  # rows, from which on their largest is enough
FLOOR: Final = 0.01  # a difference below it matters to nobody, and no null test sees as finely
MOST_FILES: Final = 12  # newest of one machine and software: 66 pairs say enough

# Of normal values: the standard error of their median is this times sigma by the root of their
# number, and sigma is this times the median distance from the median.
MEDIAN_ERROR: Final = math.sqrt(math.pi / 2)
MAD_TO_SIGMA: Final = 1.4826

ENDS: Final = ("value", "low", "high")
Pairs = tuple[tuple[int, ...], ...]
How = Literal["between runs", "within runs"]


class Answer(IntEnum):
    """What a ratio lets one say. The last three are unclear, each for its own reason."""

    BETTER, WORSE, SAME, TOO_FEW, WITHIN_NOISE, TOO_WIDE = range(6)


def threshold(noise: Any) -> Any:
    """From how far apart equal things are found to how far apart different ones must be: shares."""
    return np.fmax(FLOOR, noise)


def alike(threshold: Any) -> Any:
    """Within which share of each other two things are called the same: the margin of sameness."""
    return np.where(threshold <= FLOOR, FLOOR, (1 + threshold) ** 2 - 1)


def said(speed: Interval, threshold: Any) -> NDArray[np.int64]:
    """What each speed lets one say: an Answer by its number. speed: how many times as good.

    threshold: shares, 0.03 for 3%; they count on both sides of 1, on a scale of logarithms.
    """
    middle, low, high = map(np.log, speed)
    beyond, margin = np.log1p(threshold), np.log1p(alike(threshold))
    cases = {
        Answer.TOO_FEW: np.isnan(low + high),
        Answer.BETTER: (low > 0) & (middle > beyond),
        Answer.WORSE: (high < 0) & (middle < -beyond),
        Answer.SAME: np.maximum(-low, high) <= margin,
        Answer.WITHIN_NOISE: (low > 0) | (high < 0),
    }
    return np.select(list(cases.values()), list(cases), Answer.TOO_WIDE)


Pick = Callable[[NDArray[np.intp]], Floats]  # of each sample, the value of this rank, from 0


def apart(logs: Floats, runs: Pairs) -> Floats:
    """How far apart the next equal rows are found in 95 of 100 cases, for many sets of pairs.

    logs: (sets, pairs, rows), natural logarithms of how many times as fast a row was the second
    time; NaN where there is none. runs: which runs each pair compares, or the one that is compared
    with itself. Returns (sets,) shares, 0.03 for 3%; NaN of a set without rows.
    """
    shared, own, counts = _shared(logs)
    sizes = np.abs(own.reshape(len(logs), -1))
    return _share(shared, counts, np.nansum(sizes**2, axis=1), ranked(sizes), runs)


def apart_without(logs: Floats, runs: Pairs) -> Floats:
    """As apart(), for each of (pairs, rows) by the other pairs: (pairs, 1); by the other rows where
    there is one pair only: (rows,).
    """
    if len(runs) == 1:
        out = np.eye(logs.shape[1], dtype=bool)[:, None]
        return apart(np.where(out, np.nan, logs), runs)
    shared, own, counts = _shared(logs)
    out = np.eye(len(logs), dtype=bool)
    squares = np.where(out, 0.0, np.nansum(own**2, axis=1)).sum(axis=1)
    rest = np.where(out, np.nan, shared), np.where(out, 0, counts), squares
    return _share(*rest, ranked_without(np.abs(own)), runs)[:, None]


def _shared(logs: Floats) -> tuple[Floats, Floats, Any]:
    """What the rows of each pair share, what each has of its own, and how many there are."""
    counts = (~np.isnan(logs)).sum(axis=-1)
    pick = ranked(logs.reshape(-1, logs.shape[-1]))
    shared = _median(pick, counts.ravel()).reshape(counts.shape)
    return shared, logs - shared[..., None], counts


def _share(shared: Floats, counts: Any, squares: Floats, pick: Pick, runs: Pairs) -> Floats:
    """From (sets, pairs) of what is shared and (sets,) of what is not: (sets,) shares.

    squares: the sum over the rows of a set; pick: their sizes, by rank.
    """
    rows, there = counts.sum(axis=1), counts > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        by_chance = (MEDIAN_ERROR * MAD_TO_SIGMA * _median(pick, rows)) ** 2
        seen = np.fmax(0.0, shared**2 - by_chance[:, None] / counts)
        seen = np.where(there, seen, 0.0).sum(axis=1) / there.sum(axis=1)
    degrees = [free(runs, of_set.tobytes()) for of_set in there]
    common = np.array([student(some) if some else np.nan for some in degrees]) * np.sqrt(seen)
    return np.asarray(np.expm1(np.hypot(common, next_within(rows, squares, pick))))


def next_within(counts: Any, squares: Floats, pick: Pick) -> Floats:
    """How far from 0 the next value of each sample lies in 95 of 100 cases.

    counts, squares: of its values, and their sum. pick: the k-th of its sizes. The sample's k-th
    largest of n is exceeded by the next with probability (n + 1 - k)/(n + 1), whatever the
    distribution; of fewer than 19, not even the largest is enough, and normal values are assumed:
    Student's t times their root mean square.

    Source: S. S. Wilks, Annals of Mathematical Statistics 12 (1941) 91-96.
    """
    largest = pick(np.ceil(CONFIDENCE * (counts + 1)).astype(int) - 1 - (counts < ENOUGH))
    if counts.min() >= ENOUGH:
        return largest
    times = [student(n) if 0 < n < ENOUGH else np.nan for n in counts.tolist()]
    spread = np.sqrt(squares / np.maximum(1, counts))
    return np.where(counts < ENOUGH, np.array(times) * spread, largest)


def _median(pick: Pick, counts: Any) -> Floats:
    return (pick((counts - 1) // 2) + pick(counts // 2 - (counts == 0))) / 2


def ranked(values: Floats) -> Pick:
    """(samples, values), NaN where there is none."""
    ordered, samples = np.sort(values, axis=1), np.arange(len(values))
    return lambda ranks: np.asarray(ordered[samples, ranks])


def ranked_without(values: Floats) -> Pick:
    """All of the values but those of one sample, for each sample."""
    order = np.argsort(values, axis=None)
    places = np.empty(values.size, int)
    places[order] = np.arange(values.size)
    # The i-th of a sample's values is passed over by every rank that is not below place - i.
    passed = np.sort(places.reshape(values.shape), axis=1) - np.arange(values.shape[1])
    ordered = values.ravel()[order]
    return lambda ranks: np.asarray(ordered[ranks + (passed <= ranks[:, None]).sum(axis=1)])


@functools.lru_cache(65536)  # the machines of a fleet have the same few numbers of runs
def free(pairs: Pairs, there: bytes = b"") -> int:
    """Degrees of freedom: one for each run that was compared with itself, and for runs compared
    with each other one less than there are, in each group that hangs together. there: which pairs
    count, where not all do.
    """
    groups: list[set[int]] = []
    for runs in compress(pairs, there) if there else pairs:
        touched = [group for group in groups if not group.isdisjoint(runs)]
        groups = [group for group in groups if group.isdisjoint(runs)]
        groups.append(set(runs).union(*touched))
    return sum(max(1, len(group) - 1) for group in groups)


def of_kind(noise: Mapping[Kind, float], kind: Kind | None) -> float | None:
    """The noise of rows of a kind; the largest of the others where it was not tested; else None."""
    found = noise.get(kind) if kind else None
    return max(noise.values(), default=None) if found is None else found


@dataclass(frozen=True, eq=False)
class NullTest:
    """What the null test of one machine found."""

    machine: str
    how: How
    sources: tuple[str, ...]  # the files it rests on
    runs: Pairs  # which runs each pair compares; one alone where its halves are compared
    kinds: NDArray[np.object_]  # (rows,)
    ones: Floats  # (3, runs, rows): value per unit of work, low and high, or those of first laps;
    others: Floats  # the same, or those of last laps; NaN where a run has no such row

    @functools.cached_property
    def noise(self) -> dict[Kind, float]:
        """How far apart the next equal rows of each kind are found in 95 of 100 cases: a share."""
        rows = {kind: self.kinds == kind for kind in sorted(set(self.kinds))}
        found = {kind: apart(self._logs[None, :, of], self.runs)[0] for kind, of in rows.items()}
        return {kind: float(share) for kind, share in found.items() if not np.isnan(share)}

    @functools.cached_property
    def pairs(self) -> int:
        """How many rows were compared with themselves."""
        return int((~np.isnan(self._logs)).sum())

    @property
    def degrees(self) -> int:
        """How many differences between runs, or between halves, are free."""
        return free(self.runs)

    @functools.cached_property
    def different(self) -> int:
        """How many of them we call different, none judged with noise that it had a part in.

        A pair of runs is judged with the noise of the other pairs; where there is one pair only,
        each of its rows with the noise of its other rows.
        """
        share = np.full(self._logs.shape, np.nan)
        for kind in set(self.kinds):
            rows = self.kinds == kind
            share[:, rows] = apart_without(self._logs[:, rows], self.runs)
        largest = np.fmax.reduce(share, axis=1, keepdims=True)  # for a kind that no other pair has
        if len(self.runs) == 1:
            others = [[n for k, n in self.noise.items() if k != kind] for kind in self.kinds]
            largest = np.array([max(each, default=np.nan) for each in others])
        share = np.where(np.isnan(share), largest, share)
        speed = widen(ratios(self._side(self.ones, 0), self._side(self.others, -1)), share)
        return int((said(speed, threshold(share)) <= Answer.WORSE).sum())

    @property
    def rate(self) -> float:
        """How often equal things were called different: a share."""
        return self.different / self.pairs

    def threshold(self, kind: Kind = "network") -> float:
        """How far apart rows of a kind must be to be called different: a share."""
        return float(threshold(of_kind(self.noise, kind) or 0.0))

    @functools.cached_property
    def _logs(self) -> Floats:
        """How many times as fast each row was the second time: (pairs, rows)."""
        first, last = (self._side(np.log(side[:1]), at)[0] for side, at in
                       ((self.ones, 0), (self.others, -1)))  # fmt: skip
        return first - last

    def _side(self, values: Floats, at: int) -> Interval:
        """Of the first or the last run of each pair: (pairs, rows) each."""
        return tuple(values[:, [pair[at] for pair in self.runs]])


def nulls(
    runs: Runs, without: Collection[Run] = (), machines: Collection[str] | None = None
) -> dict[str, NullTest]:
    """The null test of every machine that allows one, or of these, by machine.

    without: runs that are being compared with each other. A pair of them is left out where the
    machine has other pairs, so that no comparison sets its own threshold.
    """
    of_machine: dict[str, list[Run]] = defaultdict(list)
    for run in runs.runs:
        if not run.findings and (machines is None or run.name in machines):
            of_machine[run.name].append(run)
    keys, compared = keyed(runs), frozenset(map(id, without))
    tested = (_between(own, compared, keys, runs.columns) or _within(own, runs.columns)
              for _, own in sorted(of_machine.items()))  # fmt: skip
    return {null.machine: null for null in tested if null}


def _between(
    own: list[Run], compared: frozenset[int], keys: Keyed, columns: Columns
) -> NullTest | None:
    """Every pair of complete runs of the same software; of many runs the newest."""
    equal: dict[object, list[int]] = defaultdict(list)
    for at, run in enumerate(own):  # in the order of time
        about, commit = run.about, run.about.commit_info
        if about.status == "complete" and commit and commit.id:
            what = (commit.id, about.workload["hash"], about.profile, about.dataset.sha256)
            equal[
                what,
                repr(about.limits),
                tuple(sorted((k, str(v)) for k, v in about.software.items())),
            ].append(at)
    pairs = [pair for group in equal.values() for pair in combinations(group[-MOST_FILES:], 2)]
    others = [pair for pair in pairs if not {id(own[at]) for at in pair} <= compared]
    spans = np.searchsorted(keys.testable, [(run.begin, run.end) for run in own])
    rows = np.concatenate([keys.testable[slice(*span)] for span in spans])
    number = np.repeat(np.arange(len(own)), spans[:, 1] - spans[:, 0])
    each = np.stack([columns[name][rows] for name in ENDS]) / columns["works"][rows]
    kinds = columns["kind"][rows]
    return _test(
        "between runs", own, others or pairs, keys.answers[rows], number, kinds, (each, each)
    )


def _within(own: Sequence[Run], columns: Columns) -> NullTest | None:
    """First laps against last ones, of every row that has laps enough.

    Half the rounds make the interval of a row wider by root two.
    """
    rows = np.concatenate([np.arange(run.begin, run.end) for run in own])
    run = np.repeat(np.arange(len(own)), [run.end - run.begin for run in own])
    kinds = columns["kind"][rows]
    halves = np.stack([columns["first_laps"][rows], columns["last_laps"][rows]])
    value, *ends = (columns[name][rows] for name in ENDS)
    ends = [np.where(ends[0] > 0, end / value, np.nan) ** math.sqrt(2) for end in ends]
    values = np.stack([halves, *(halves * end for end in ends)], axis=1) / columns["works"][rows]
    fit = ~np.isnan(values[0, 0]) & (columns["forbidden"][rows] == NOTHING)
    fit &= kinds != NOTHING
    names = Numbers().of(rows - np.array([run.begin for run in own])[run], kinds)
    alone = [(at,) for at in range(len(own))]
    return _test("within runs", own, alone, names[fit], run[fit], kinds[fit], values[..., fit])


def _test(
    how: How, own: Sequence[Run], pairs: Sequence[tuple[int, ...]], names: Any, run: Any,
    kinds: Any, values: Any,
) -> NullTest | None:  # fmt: skip
    """From rows, each with a name that tells it from others of its run, its run and its kind."""
    _, first, at = np.unique(names, return_index=True, return_inverse=True)
    ones, others = sides = np.full((2, 3, len(own), len(first)), np.nan)
    sides[:, :, run, at] = values
    left, right = ([pair[end] for pair in pairs] for end in (0, -1))
    there = ~np.isnan(ones[0][left] + others[0][right]).all(axis=1)
    kept = tuple(compress(pairs, there.tolist()))
    sources = tuple(sorted({own[at].source for pair in kept for at in pair}))
    return NullTest(own[0].name, how, sources, kept, kinds[first], ones, others) if kept else None
