"""The null test: equal things compared, to learn how far apart equal things are found.

Two runs of one machine with the same software ought to say the same. How far apart they are is
what no interval taken within a run can know: clocks, heat, memory layout and neighbours change
from run to run. Equal are complete runs of one machine, clean commit, software, profile, workload
and digits; a run of uncommitted changes is equal to nothing but itself. Runs that are compared
with each other have no part in it, so that no comparison sets its own threshold.

The rule, in natural logarithms, for rows of one kind. Runs differ in two ways: all their rows
together, because one was warmer or had a busier neighbour, and each row by itself.

- A run's level is the median, over its rows, of how far each is from the median of the equal runs.
  Levels are taken as normal, with a variance that nobody knows: it has a scaled inverse chi-square
  prior that counts for PRIOR differences of SHARED, so that two runs alike by luck do not set the
  scale, nor do two that fell apart make it absurd. How far the next two runs lie apart is then
  Student's t, and its 95% are what rows share. The prior is a choice and no measurement: it is what
  is said of a machine that was measured once, and fades as runs are added.
- What each row has of its own is the 95th percentile of what is left between every two equal runs,
  whatever its distribution.
- The noise is the root of the sum of both squares; between two machines, the root mean square of
  both noises, because each brings one run. Where it exceeds UNSTEADY, nothing is told any more.
- A run is odd where the others make it next to impossible: its level, or a fifth of its rows, lies
  ODD times as far off as 95 of 100 further runs would. It is named, and left out of the scale.

The prior is what the rule can be wrong by: a machine that steps by more than the noise stated, and
did not do so between the runs that were seen, is called different from itself.

Sources: A. Gelman et al., Bayesian Data Analysis, 3rd ed., 2013, sections 2.6 and 3.2 (a normal
variance and its prediction); S. S. Wilks, Annals of Mathematical Statistics 12 (1941) 91-96 (the
percentile); R. D. Cook, S. Weisberg, Residuals and Influence in Regression, 1982, chapter 2
(the residual of a run from the others).
"""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zipnet.results.match import Keyed, keyed
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import Kind
from zipnet.results.statistics import (
    CONFIDENCE,
    STUDENT,
    Columns,
    Counts,
    Floats,
    Interval,
    ratios,
    student,
    widen,
)

# What two equal runs are taken to differ by before any is seen, as standard deviations in natural
# logarithms: all their rows together, and each by itself; and for how many differences that counts.
SHARED: Final = 0.03
OWN: Final = 0.01
PRIOR: Final = 2
ODD: Final = 4.0
LEVELS: Final = (0.2, 0.5, 0.8)  # of the rows of a run: a fifth of them may be all that is odd
MEDIAN: Final = LEVELS.index(0.5)
FEWEST: Final = 3  # equal runs; of two, nobody can say which is odd

ENOUGH: Final = math.ceil(1 / (1 - CONFIDENCE)) - 1  # rows, from which on their largest is enough
FLOOR: Final = 0.01  # a difference below it matters to nobody, and no null test sees as finely
MARGIN: Final = 0.05  # within which things are the same, unless another is asked for
UNSTEADY: Final = 1.0  # a machine whose equal runs may be twice as fast tells nothing
MOST_FILES: Final = 12  # newest of one machine and software; more add little

ENDS: Final = ("value", "low", "high")


class Answer(IntEnum):
    """What a ratio lets one say. The last three are unclear, each for its own reason."""

    BETTER, WORSE, SAME, TOO_FEW, UNSTEADY, UNTOLD = range(6)


def threshold(noise: Any) -> Any:
    """From how far apart equal things are found to how far apart different ones must be: shares."""
    return np.fmax(FLOOR, noise)


def said(speed: Interval, noise: Any, margin: float = MARGIN) -> NDArray[np.int64]:
    """What each speed lets one say: an Answer by its number.

    speed: how many times as good, with an interval nowhere narrower than the noise. noise, margin:
    shares, 0.03 for 3%; they count on both sides of 1, on a scale of logarithms.
    """
    middle, low, high = map(np.log, speed)
    beyond = np.log1p(threshold(noise))
    cases = {
        Answer.TOO_FEW: np.isnan(low + high),
        Answer.UNSTEADY: np.broadcast_to(np.asarray(noise) >= UNSTEADY, middle.shape),
        Answer.BETTER: (low > 0) & (middle > beyond),
        Answer.WORSE: (high < 0) & (middle < -beyond),
        Answer.SAME: np.maximum(-low, high) <= math.log1p(margin),
    }
    return np.select(list(cases.values()), list(cases), Answer.UNTOLD)


# --- what equal runs show -------------------------------------------------------------------------


class Scale(NamedTuple):
    """What the equal runs of one machine show about rows of one kind, in natural logarithms."""

    degrees: int  # of freedom between runs: 0 where no two of them are equal
    shared: float  # sum of the squares of their levels
    own: float  # what a row differs by of its own, in 95 of 100 cases

    def noise(self, more: int = 0) -> float:
        """How far apart the next equal rows are found in 95 of 100 cases, a share.

        more: after so many further runs like those seen; of a machine without equal runs, after so
        many that agree.
        """
        if not self.degrees:
            free = max(0, more - 1)
            return math.expm1(math.hypot(*(_reach(free, each) for each in (SHARED, OWN))))
        free = self.degrees + more
        seen = math.sqrt(2 * self.shared / self.degrees)
        return math.expm1(math.hypot(_reach(free, SHARED, seen), self.own))


def _reach(free: int, prior: float, seen: float = 0.0) -> float:
    """How far off the next difference is at most, in 95 of 100 cases.

    free: how many are known; seen: their root mean square; prior: what is assumed before any.
    """
    variance = (PRIOR * prior**2 + free * seen**2) / (PRIOR + free)
    return student(min(PRIOR + free, len(STUDENT))) * math.sqrt(variance)


def scale(
    logs: Floats, groups: Sequence[int], known: Known | None = None
) -> tuple[Scale, dict[int, float]]:
    """What runs show about rows of a kind; and the odd ones, with how far off each lies.

    logs: (runs, rows), natural logarithms of what a row needs for a piece of its work; NaN where a
    run has no such row. groups: (runs,), equal where the runs are equal things. known: what some
    equal runs show, where that was found before.
    """
    odd: dict[int, float] = {}
    parts = []
    for equal in _equal_runs(logs, groups):
        while len(equal) > 1:
            part = (known or {}).get(equal) or _shown(logs, [equal])[equal]
            if part.oddest is None:
                parts.append(part)
                break
            at, off = part.oddest
            odd[equal[at]] = off
            equal = (*equal[:at], *equal[at + 1 :])
    degrees = sum(len(part.level) - 1 for part in parts)
    shared = sum(float(((part.level - part.level.mean()) ** 2).sum()) for part in parts)
    return Scale(degrees, shared, next_within([part.own for part in parts])), odd


def _equal_runs(logs: Floats, groups: Sequence[int]) -> list[tuple[int, ...]]:
    """The runs of each group that have any such row."""
    members: dict[int, list[int]] = defaultdict(list)
    for run in np.flatnonzero(~np.isnan(logs).all(axis=1)).tolist():
        members[groups[run]].append(run)
    return [*map(tuple, members.values())]


class Part(NamedTuple):
    """What some equal runs show: how slow each is, (runs,); by how much the rows of every two of
    them differ besides, (pairs, rows); and which of them is odd, by its place, and how far off.
    """

    level: Floats
    own: Floats
    oddest: tuple[int, float] | None


Known = dict[tuple[int, ...], Part]


def _shown(logs: Floats, equals: Collection[tuple[int, ...]]) -> Known:
    """What each of these equal runs show: all at once that are as many."""
    found: Known = {}
    for size in {*map(len, equals)}:
        some = [equal for equal in equals if len(equal) == size]
        of_runs = logs[np.array(some)]  # (equals, runs, rows)
        twice = (~np.isnan(of_runs)).sum(axis=1, keepdims=True) > 1
        of_runs = np.where(twice, of_runs, np.nan)
        apart = of_runs - _quantiles(of_runs.swapaxes(1, 2), (0.5,)).swapaxes(1, 2)
        levels = _quantiles(apart, LEVELS)
        levels = np.where(np.isnan(levels), 0.0, levels)
        rest = apart - levels[..., MEDIAN, None]
        one, other = np.triu_indices(size, 1)
        own = np.abs(rest[:, one] - rest[:, other])
        parts = map(Part, levels[..., MEDIAN], own, _oddest(levels))
        found |= zip(some, parts, strict=True)
    return found


def _quantiles(values: Floats, shares: Sequence[float]) -> Floats:
    """(..., shares) of (..., values), passing over NaN; NaN of a sample without values."""
    ordered, last = np.sort(values), (~np.isnan(values)).sum(axis=-1, keepdims=True) - 1
    places = np.maximum(0.0, last * np.array(shares))
    below = places.astype(int)
    ends = [np.take_along_axis(ordered, at, -1) for at in (below, np.minimum(below + 1, last))]
    return np.asarray(ends[0] + (places - below) * (ends[1] - ends[0]))


def _oddest(levels: Floats) -> list[tuple[int, float] | None]:
    """Of (..., runs, levels) the run that lies farthest beyond what the others allow, and how far
    off; or none does.
    """
    others = levels.shape[1] - 1
    if others + 1 < FEWEST:
        return [None] * len(levels)
    mean = (levels.sum(axis=1, keepdims=True) - levels) / others
    squares = (levels**2).sum(axis=1, keepdims=True) - levels**2 - others * mean**2
    free = PRIOR + others - 1
    of_next = (PRIOR * SHARED**2 / 2 + np.maximum(0.0, squares)) / free * (1 + 1 / others)
    off = (levels - mean).reshape(len(levels), -1)
    beyond = np.abs(off) / (student(free) * np.sqrt(of_next)).reshape(off.shape)
    at = beyond.argmax(axis=1)
    return [(where // len(LEVELS), float(off[sample, where]))
            if beyond[sample, where] > ODD else None
            for sample, where in enumerate(at.tolist())]  # fmt: skip


def next_within(sizes: Sequence[Floats]) -> float:
    """How far from 0 the next value lies in 95 of 100 cases, by the sizes of those seen.

    sizes: of each group of equal runs, (pairs, rows), NaN where there is none. The k-th largest of
    n is exceeded by the next with probability k/(n + 1), whatever the distribution. Of too few that
    are free, normal values are assumed, and the prior is added to them.
    """
    seen = np.sort(np.concatenate([np.empty(0), *(each[~np.isnan(each)] for each in sizes)]))
    # Of n runs of a row, n - 1 differences are free, and there are n (n - 1)/2.
    pairs = [(~np.isnan(each)).sum(axis=0) for each in sizes]
    free = sum(int(((np.sqrt(8 * many + 1) - 1) / 2).round().sum()) for many in pairs)
    if free >= ENOUGH:
        return float(seen[math.ceil(CONFIDENCE * (len(seen) + 1)) - 1])
    return _reach(free, OWN, math.sqrt((seen**2).mean()) if free else 0.0)


UNSEEN: Final = Scale(0, 0.0, next_within([]))


def of_kind(scales: Mapping[Kind, Scale], kind: Kind | None) -> Scale:
    """Of rows of a kind; of a question that nobody knows, the kind that differs most."""
    known = list(scales.values()) if kind is None else []
    return scales.get(kind, UNSEEN) if kind else max(known, key=Scale.noise, default=UNSEEN)


def together(scales: Sequence[Scale], more: int = 0) -> float:
    """The noise between machines, a share: each run brings half of its machine's square."""
    logs = [math.log1p(one.noise(more)) for one in scales]
    return min(UNSTEADY, math.expm1(math.hypot(*logs) / math.sqrt(len(logs))))


# --- the runs of a machine ------------------------------------------------------------------------


class Odd(NamedTuple):
    """A run that its equals make next to impossible."""

    source: str
    speed: float  # how many times as fast as they are, by what lies farthest off
    equals: int


@dataclass(frozen=True, eq=False)
class NullTest:
    """What the null test of one machine found."""

    machine: str
    members: tuple[str, ...]  # the files of its equal runs; those that are compared come last
    tested: int  # how many of them are not
    groups: tuple[int, ...]  # (members,) equal where the runs are equal things
    kinds: NDArray[np.object_]  # (rows,)
    values: Floats  # (3, members, rows): value per unit of work, low and high; NaN: no such row

    @functools.cached_property
    def _found(self) -> tuple[dict[Kind, Scale], dict[int, float]]:
        """What the tested runs show, and which of them are odd."""
        return _scales(np.log(self.values[0, : self.tested]), self.groups, self.kinds)

    @property
    def scales(self) -> dict[Kind, Scale]:
        """What the runs show about rows of each kind."""
        return self._found[0]

    @functools.cached_property
    def sources(self) -> tuple[str, ...]:
        """The files that the scales rest on: runs with an equal, none of them odd or compared."""
        sound = [at for at in range(self.tested) if at not in self._found[1]]
        count = Counter(self.groups[at] for at in sound)
        return tuple(sorted(self.members[at] for at in sound if count[self.groups[at]] > 1))

    @functools.cached_property
    def odd(self) -> tuple[Odd, ...]:
        """The odd ones among all runs of the machine, those that are compared included."""
        found = _scales(np.log(self.values[0]), self.groups, self.kinds)[1]
        return tuple(Odd(self.members[at], math.exp(-off), self.groups.count(self.groups[at]) - 1)
                     for at, off in sorted((self._found[1] | found).items()))  # fmt: skip

    def scale(self, kind: Kind | None) -> Scale:
        """Of rows of a kind; None: of a question that nobody knows."""
        return of_kind(self.scales, kind)

    def threshold(self, kind: Kind = "network") -> float:
        """How far apart rows of a kind must be to be called different: a share."""
        return float(min(UNSTEADY, threshold(self.scale(kind).noise())))

    @property
    def pairs(self) -> int:
        """How many rows were compared with themselves."""
        return self._called[0]

    @property
    def different(self) -> int:
        """How many of them we call different, each pair judged by all other runs, as compare would.

        Those of odd runs are among them: they too are equal things.
        """
        return self._called[1]

    @property
    def rate(self) -> float:
        """How often equal things were called different: a share."""
        return self.different / self.pairs if self.pairs else 0.0

    @functools.cached_property
    def _called(self) -> tuple[int, int]:
        pairs = [pair for pair in combinations(range(self.tested), 2)
                 if self.groups[pair[0]] == self.groups[pair[1]]]  # fmt: skip
        if not pairs:
            return 0, 0
        sides = np.array(pairs).T
        noises = self._noises_without(sides)
        one, other = (tuple(self.values[:, side]) for side in sides)
        speed = widen(ratios(one, other), noises)
        return int((~np.isnan(speed[0])).sum()), int((said(speed, noises) <= Answer.WORSE).sum())

    def _noises_without(self, pairs: Counts) -> Floats:
        """(pairs, rows): the noise of each row, by all tested runs but those of each pair."""
        logs, many = np.log(self.values[0, : self.tested]), pairs.shape[1]
        rests = np.repeat(logs[None], many, axis=0)
        rests[np.arange(many), pairs] = np.nan
        known: dict[Kind, Known] = {}
        for kind in {*self.kinds}:
            own = rests[..., self.kinds == kind]
            equals = {equal for rest in own for equal in _equal_runs(rest, self.groups)}
            known[kind] = _shown(logs[:, self.kinds == kind], equals)
        noises = []
        for rest in rests:
            scales = _scales(rest, self.groups, self.kinds, known)[0]
            of_kinds = {kind: each.noise() for kind, each in scales.items()}
            noises.append([of_kinds[kind] for kind in self.kinds])
        return np.array(noises)


def nulls(
    runs: Runs, without: Collection[Run] = (), machines: Collection[str] | None = None
) -> dict[str, NullTest]:
    """The null test of every machine, or of these, by machine.

    without: runs that are being compared with each other.
    """
    of_machine: dict[str, list[Run]] = defaultdict(list)
    for run in runs.runs:  # in the order of time
        if not run.findings and (machines is None or run.name in machines):
            of_machine[run.name].append(run)
    keys, compared = keyed(runs), frozenset(map(id, without))
    return {name: _null(name, own, compared, keys, runs.columns)
            for name, own in sorted(of_machine.items())}  # fmt: skip


def _null(
    name: str, own: Sequence[Run], compared: frozenset[int], keys: Keyed, columns: Columns
) -> NullTest:
    equal: dict[object, tuple[list[Run], list[Run]]] = defaultdict(lambda: ([], []))
    for run in own:
        if what := _equality(run):
            equal[what][id(run) in compared].append(run)
    # Those that set the scale come first, then those that are compared and may be odd.
    tested, shown = ([(group, run) for group, sides in enumerate(equal.values())
                      for run in sides[side][-MOST_FILES:]] for side in (0, 1))  # fmt: skip
    groups, members = [group for group, _ in tested + shown], [run for _, run in tested + shown]
    sources, (values, kinds) = [run.source for run in members], _matrix(members, keys, columns)
    return NullTest(name, tuple(sources), len(tested), tuple(groups), kinds, values)


def _equality(run: Run) -> object:
    """What runs that are equal things share; None of a run that is equal to nothing but itself."""
    about, commit = run.about, run.about.commit_info
    if about.status != "complete" or not run.measures or run.dirty or not (commit and commit.id):
        return None
    software = tuple(sorted((name, str(said)) for name, said in about.software.items()))
    what = commit.id, about.workload["hash"], about.profile, about.dataset.sha256
    return what, software, repr(about.limits), repr(about.environment or {})


def _matrix(members: Sequence[Run], keys: Keyed, columns: Columns) -> tuple[Floats, Any]:
    """Values and kinds of all rows that members have, as NullTest holds them."""
    spans = np.searchsorted(keys.testable, [(run.begin, run.end) for run in members])
    spans = spans.reshape(-1, 2)
    rows = np.concatenate([keys.testable[:0], *(keys.testable[slice(*span)] for span in spans)])
    number = np.repeat(np.arange(len(members)), spans[:, 1] - spans[:, 0])
    _, first, at = np.unique(keys.answers[rows], return_index=True, return_inverse=True)
    values = np.full((len(ENDS), len(members), len(first)), np.nan)
    values[:, number, at] = [columns[name][rows] / columns["works"][rows] for name in ENDS]
    return values, columns["kind"][rows][first]


def _scales(
    logs: Floats, groups: Sequence[int], kinds: Any, known: Mapping[Kind, Known] | None = None
) -> tuple[dict[Kind, Scale], dict[int, float]]:
    """The scale of each kind of rows, and the runs that are odd in any, by what lies farthest.

    A run that is odd in one kind has no part in any.
    """
    found = {kind: scale(logs[:, kinds == kind], groups, (known or {}).get(kind))
             for kind in sorted(set(kinds))}  # fmt: skip
    odd: dict[int, float] = {}
    for _, each in found.values():
        odd |= {run: off for run, off in each.items() if abs(off) > abs(odd.get(run, 0.0))}
    if not odd:
        return {kind: each for kind, (each, _) in found.items()}, odd
    rest = logs.copy()
    rest[[*odd]] = np.nan
    scales, more = _scales(rest, groups, kinds, known)
    return scales, odd | more
