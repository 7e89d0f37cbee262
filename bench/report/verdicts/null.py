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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final, Literal

from bench.report.compare.matching import match
from bench.report.records import ResultFile
from bench.report.rows.examined import Examined
from bench.report.rows.measures import Kind, Measure
from bench.report.statistics.stats import Estimate, ratio, widened
from bench.report.verdicts.noise import Same, Set, noise_of
from bench.report.verdicts.verdict import judge, threshold

FEWEST_HALVES: Final = 2  # laps in each half, so that one odd lap is not the half
MOST_FILES: Final = 12  # newest of one machine and software: 66 pairs say enough

How = Literal["between runs", "within runs"]


@dataclass(frozen=True)
class Null:
    """What the null test of one machine found."""

    machine: str
    how: How
    sets: Sequence[Set]  # rows compared with themselves, by pair of runs
    degrees: int  # differences between runs, or between halves, that are free
    sources: tuple[str, ...]  # the files it rests on
    noise: dict[Kind, float]  # of network rows and of the machine's own: shares, 0.03 for 3%

    @property
    def pairs(self) -> int:
        """How many rows were compared with themselves."""
        return sum(map(len, self.sets))

    @functools.cached_property
    def different(self) -> int:
        """How many of them were called faster or slower."""
        return _called_different(self.sets, self.degrees)

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
    pairs, degrees = _between(runs, without)
    how: How = "between runs"
    sets: dict[tuple[str, ...], Set] = {
        (one.file.source, other.file.source): _rows(one, other) for one, other in pairs
    }
    if not any(sets.values()):
        how, degrees = "within runs", len(runs)
        sets = {(run.file.source,): _halves(run.measures) for run in runs}
    sets = {sources: found for sources, found in sets.items() if found}
    if not sets:
        return None
    rows = list(sets.values())
    return Null(
        machine=name,
        how=how,
        sets=rows,
        degrees=degrees,
        sources=tuple(sorted({source for pair in sets for source in pair})),
        noise=noise_of(rows, degrees),
    )


def _between(
    runs: Sequence[Examined], without: Sequence[ResultFile]
) -> tuple[list[tuple[Examined, Examined]], int]:
    """Every pair of complete runs of the same software, and how many differences are free."""
    equal: dict[object, list[Examined]] = defaultdict(list)
    for run in runs:
        if run.file.status == "complete" and run.file.commit is not None:
            equal[_software(run.file)].append(run)
    groups = [sorted(g, key=lambda run: run.file.written)[-MOST_FILES:] for g in equal.values()]
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    compared = {id(file) for file in without}
    others = [p for p in pairs if not {id(p[0].file), id(p[1].file)} <= compared]
    return others or pairs, sum(len(group) - 1 for group in groups)


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


def _called_different(sets: Sequence[Set], degrees: int) -> int:
    """How many equal rows we call different, each judged with the noise of the other sets.

    Where there is one set only, with the noise of its other rows.
    """
    return sum(_differs(row, noise) for part, noise in _left_out(sets, degrees) for row in part)


def _left_out(sets: Sequence[Set], degrees: int) -> Iterator[tuple[Set, dict[Kind, float]]]:
    """Each set with the noise of the others; each row of an only set with that of the others."""
    if len(sets) > 1:
        for at, part in enumerate(sets):
            yield part, noise_of([*sets[:at], *sets[at + 1 :]], degrees)
    else:
        (rows,) = sets
        for at, row in enumerate(rows):
            yield [row], noise_of([[*rows[:at], *rows[at + 1 :]]], degrees)


def _differs(row: Same, noise: dict[Kind, float]) -> bool:
    apart = noise.get(row.kind, 0.0)
    return judge(widened(row.speed, apart), threshold(apart)).word in ("faster", "slower")
