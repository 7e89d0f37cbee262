"""The null test: equal things compared, to learn how far apart equal things are found.

Two runs of one machine with the same software ought to say the same. How far apart they are is
what no interval taken within a run can know: clocks, heat, memory layout and neighbours change
from run to run. Where a machine has one run only, its first laps are compared with its last: that
sees less time pass, though each half is also noisier than the whole.

From it come a machine's noise and threshold, and a check of ourselves: how often our own verdict
calls equal things different, judged with the noise of the *other* pairs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final, Literal

from bench.report.compare.matching import match
from bench.report.examined import Examined
from bench.report.measures import Kind, Measure
from bench.report.records import ResultFile
from bench.report.stats import Estimate, ratio, widened
from bench.report.verdict import judge, threshold

SHARE: Final = 0.95  # of equal rows lie within the noise
FEWEST_HALVES: Final = 2  # laps in each half, so that one odd lap is not the half
MOST_FILES: Final = 12  # newest of one machine and software: 66 pairs say enough

How = Literal["between runs", "within runs"]


@dataclass(frozen=True)
class Same:
    """One row measured twice: how many times as fast it was the second time."""

    kind: Kind
    speed: Estimate


Set = Sequence[Same]  # all rows of one pair of runs, or of one run's two halves


@dataclass(frozen=True)
class Null:
    """What the null test of one machine found."""

    machine: str
    how: How
    pairs: int  # rows compared with themselves
    different: int  # of them called faster or slower
    sources: tuple[str, ...]  # the files it rests on
    noise: dict[Kind, float]  # of network rows and of the machine's own: shares, 0.03 for 3%

    def threshold(self, kind: Kind = "network") -> float:
        """How far apart rows of a kind must be to be called different: a share."""
        return threshold(self.noise.get(kind, 0.0))

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
    sets: dict[tuple[str, ...], Set] = {
        (one.file.source, other.file.source): _rows(one, other)
        for one, other in _between(runs, without)
    }
    if not any(sets.values()):
        how, sets = "within runs", {(run.file.source,): _halves(run.measures) for run in runs}
    sets = {sources: found for sources, found in sets.items() if found}
    if not sets:
        return None
    rows = list(sets.values())
    sources = tuple(sorted({source for pair in sets for source in pair}))
    return Null(name, how, sum(map(len, rows)), _called_different(rows), sources, noise_of(rows))


def _between(
    runs: Sequence[Examined], without: Sequence[ResultFile]
) -> list[tuple[Examined, Examined]]:
    """Every pair of complete runs of the same software."""
    equal: dict[object, list[Examined]] = defaultdict(list)
    for run in runs:
        if run.file.status == "complete":
            equal[_software(run.file)].append(run)
    pairs = [
        pair
        for group in equal.values()
        for pair in combinations(sorted(group, key=lambda r: r.file.written)[-MOST_FILES:], 2)
    ]
    compared = {id(file) for file in without}
    others = [p for p in pairs if not {id(p[0].file), id(p[1].file)} <= compared]
    return others or pairs


def _software(file: ResultFile) -> object:
    software = tuple(sorted(file.software.items()))
    return (file.commit, software, file.workload["hash"], file.profile, file.dataset_sha256)


def _rows(one: Examined, other: Examined) -> Set:
    pairs, _ = match(one, other, ("the first", "the second"))
    return [
        Same(pair.one.kind, speed)
        for pair in pairs
        if not (pair.one.forbidden or pair.other.forbidden)
        and (speed := ratio(pair.one.seconds_per_unit, pair.other.seconds_per_unit)) is not None
    ]


def _halves(measures: Iterable[Measure]) -> Set:
    """First laps against last ones, of every row that has laps enough; a middle lap is left out."""
    found = []
    for measure in measures:
        laps, half = measure.lap_medians, len(measure.lap_medians) // 2
        if half < FEWEST_HALVES or measure.forbidden or min(laps) <= 0:
            continue
        first, last = (_half(measure, part) for part in (laps[:half], laps[-half:]))
        speed = ratio(first, last)
        if speed is not None:
            found.append(Same(measure.kind, speed))
    return found


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


def noise_of(sets: Iterable[Set]) -> dict[Kind, float]:
    """How far apart equal rows of each kind are found in 95 of 100 cases: a share."""
    apart: dict[Kind, list[float]] = defaultdict(list)
    for row in (row for part in sets for row in part):
        apart[row.kind].append(abs(math.log(row.speed.median)))
    return {name: math.expm1(percentile(values)) for name, values in apart.items()}


def percentile(values: Sequence[float], share: float = SHARE) -> float:
    """The smallest value that has at least this share of the values at or below it."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _called_different(sets: Sequence[Set]) -> int:
    """How many equal rows we call different, each set judged with the noise of the others.

    Where there is one set only, each row is judged with the noise of the other rows.
    """
    parts: Sequence[Set] = sets if len(sets) > 1 else [[row] for row in sets[0]]
    different = 0
    for at, part in enumerate(parts):
        noise = noise_of([*parts[:at], *parts[at + 1 :]])
        for row in part:
            apart = noise.get(row.kind, 0.0)
            verdict = judge(widened(row.speed, apart), threshold(apart))
            different += verdict.word in ("faster", "slower")
    return different
