"""The null test: equal things compared, to learn how far apart equal things are found.

Two runs of one machine with the same software ought to say the same. How far apart they are is
what no interval taken within a run can know: clocks, heat, memory layout and neighbours change
from run to run. Where a machine has one run only, its first laps are compared with its last: that
sees less time pass, though each half is also noisier than the whole.

From it come a machine's noise and threshold, and a check of ourselves: how often our own verdict
calls equal things different, judged with the noise of the *other* pairs.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final, Literal, NamedTuple

from bench.report.records import ResultFile
from bench.report.rows.examined import Examined
from bench.report.rows.matching import comparable
from bench.report.rows.measures import Kind, Measure
from bench.report.statistics.stats import Estimate, ratio, widened
from bench.report.verdicts.noise import Part, free, noise_of, of_kind
from bench.report.verdicts.verdict import judge, threshold

FEWEST_HALVES: Final = 2  # laps in each half, so that one odd lap is not the half
MOST_FILES: Final = 12  # newest of one machine and software: 66 pairs say enough

How = Literal["between runs", "within runs"]


class Tested(NamedTuple):
    """A row of one run, or of half a run."""

    kind: Kind
    log: float  # of the median seconds per unit: what every pair of runs asks for
    seconds: Estimate
    units: int  # that those seconds are for

    @classmethod
    def of(cls, measure: Measure, seconds: Estimate) -> Tested:
        """The seconds of a measure's rounds, or of half of them."""
        units = measure.unit[1]
        return cls(measure.kind, math.log(seconds.median / units), seconds, units)

    @property
    def seconds_per_unit(self) -> Estimate:
        """What is compared."""
        return self.seconds.scaled(1 / self.units)


Side = Mapping[object, Tested]  # by what tells the row from the others


@dataclass(frozen=True)
class Twice:
    """The rows that were measured twice: in two runs, or in both halves of one."""

    runs: tuple[int, ...]  # which, among the runs of the machine
    ones: Side
    others: Side

    def rows(self) -> Iterator[tuple[Tested, Tested]]:
        """The two measurements of each."""
        return (
            (one, other)
            for name, one in self.ones.items()
            if (other := self.others.get(name)) is not None
        )

    def part(self, without: int | None = None) -> Part:
        """How far apart they are; without: the number of a row to leave out."""
        logs: dict[Kind, list[float]] = defaultdict(list)
        for at, (one, other) in enumerate(self.rows()):
            if at != without:
                logs[one.kind].append(one.log - other.log)
        return Part(self.runs, logs)


@dataclass(frozen=True)
class Null:
    """What the null test of one machine found."""

    machine: str
    how: How
    twice: Sequence[Twice]  # none is without rows
    sources: tuple[str, ...]  # the files it rests on
    noise: dict[Kind, float]  # of network rows and of the machine's own: shares, 0.03 for 3%

    @functools.cached_property
    def pairs(self) -> int:
        """How many rows were compared with themselves."""
        return sum(1 for twice in self.twice for _ in twice.rows())

    @property
    def degrees(self) -> int:
        """How many differences between runs, or between halves, are free."""
        return free(twice.runs for twice in self.twice)

    @functools.cached_property
    def different(self) -> int:
        """How many of them were called faster or slower."""
        return _called_different(self.twice)

    def threshold(self, kind: Kind = "network") -> float:
        """How far apart rows of a kind must be to be called different: a share.

        Of a kind that was not tested, as far as rows of the other kind.
        """
        return threshold(of_kind(self.noise, kind) or 0.0)

    @property
    def rate(self) -> float:
        """How often equal things were called different: a share."""
        return self.different / self.pairs


def nulls(found: Sequence[Examined], without: Sequence[ResultFile] = ()) -> dict[str, Null]:
    """The null test of every machine that allows one, by machine.

    without: files that are being compared with each other. A pair of them is left out where the
    machine has other pairs, so that no comparison sets its own threshold.
    """
    machines: dict[str, list[Examined]] = defaultdict(list)
    for one in found:
        if not one.findings:
            machines[one.file.machine.name].append(one)
    tested = (_of_machine(name, runs, without) for name, runs in sorted(machines.items()))
    return {null.machine: null for null in tested if null is not None}


def _of_machine(name: str, runs: Sequence[Examined], without: Sequence[ResultFile]) -> Null | None:
    how: How = "between runs"
    whole = functools.cache(lambda at: _whole(runs[at]))
    twice = [Twice(pair, *map(whole, pair)) for pair in _between(runs, without)]
    parts = [one.part() for one in twice]
    if not any(part.logs for part in parts):
        how = "within runs"
        twice = [Twice((at,), *_halves(run.measures)) for at, run in enumerate(runs)]
        parts = [one.part() for one in twice]
    with_rows = [(one, part) for one, part in zip(twice, parts, strict=True) if part.logs]
    if not with_rows:
        return None
    return Null(
        machine=name,
        how=how,
        twice=[one for one, _ in with_rows],
        sources=tuple(sorted({runs[at].file.source for one, _ in with_rows for at in one.runs})),
        noise=noise_of(part for _, part in with_rows),
    )


def _between(runs: Sequence[Examined], without: Sequence[ResultFile]) -> list[tuple[int, int]]:
    """Every pair of complete runs of the same software."""
    equal: dict[object, list[int]] = defaultdict(list)
    for at, run in enumerate(runs):
        if run.file.status == "complete" and run.file.commit is not None:
            equal[_software(run.file)].append(at)
    groups = [sorted(g, key=lambda at: runs[at].file.written)[-MOST_FILES:] for g in equal.values()]
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    compared = {id(file) for file in without}
    others = [pair for pair in pairs if not {id(runs[at].file) for at in pair} <= compared]
    return others or pairs


def _software(file: ResultFile) -> object:
    software = tuple(sorted(file.software.items()))
    return (file.commit, software, file.workload["hash"], file.profile, file.dataset_sha256)


def _whole(run: Examined) -> Side:
    return {
        name: Tested.of(measure, measure.seconds)
        for name, measure in comparable(run).items()
        if not measure.forbidden
    }


def _halves(measures: Sequence[Measure]) -> tuple[Side, Side]:
    """First laps against last ones, of every row that has laps enough; a middle lap is left out."""
    firsts: dict[object, Tested] = {}
    lasts: dict[object, Tested] = {}
    for at, measure in enumerate(measures):
        laps, half = measure.lap_medians, len(measure.lap_medians) // 2
        if half >= FEWEST_HALVES and not measure.forbidden and min(laps) > 0:
            firsts[at] = Tested.of(measure, _half(measure, laps[:half]))
            lasts[at] = Tested.of(measure, _half(measure, laps[-half:]))
    return firsts, lasts


def _half(measure: Measure, laps: Sequence[float]) -> Estimate:
    """The estimate of half a row: half the rounds make the row's interval wider by root two."""
    middle, whole = median(laps), measure.seconds
    if whole.low is None or whole.high is None or not whole.low:
        return Estimate(middle, None, None)
    wider = math.sqrt(2)
    return Estimate(
        middle,
        middle * (whole.low / whole.median) ** wider,
        middle * (whole.high / whole.median) ** wider,
    )


def _called_different(twice: Sequence[Twice]) -> int:
    """How many equal rows we call different, none judged with noise that it had a part in."""
    return sum(
        _differs(one, other, noise)
        for number in range(len(twice))
        for one, other, noise in _with_noise_of_others(twice, number)
    )


def _with_noise_of_others(
    twice: Sequence[Twice], number: int
) -> Iterator[tuple[Tested, Tested, dict[Kind, float]]]:
    """The rows of a pair of runs, each with the noise of the other pairs.

    Where there is one pair only, with the noise of its other rows.
    """
    others = [one.part() for at, one in enumerate(twice) if at != number]
    noise = noise_of(others)
    for at, (one, other) in enumerate(twice[number].rows()):
        yield one, other, noise if others else noise_of([twice[number].part(without=at)])


def _differs(one: Tested, other: Tested, noise: Mapping[Kind, float]) -> bool:
    apart = of_kind(noise, one.kind)
    speed = ratio(one.seconds_per_unit, other.seconds_per_unit)
    if apart is None or speed is None:
        return False  # nothing says how far apart equal things are: unclear
    return judge(widened(speed, apart), threshold(apart)).word in ("faster", "slower")
