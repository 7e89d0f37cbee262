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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final, Literal

from bench.report.compare.keys import Key
from bench.report.compare.matching import paired, rows_by_key
from bench.report.records import ResultFile
from bench.report.rows.examined import Examined
from bench.report.rows.measures import Kind, Measure
from bench.report.statistics.stats import Estimate, ratio, widened
from bench.report.verdicts.noise import Part, Same, Set, free, noise_of, of_kind
from bench.report.verdicts.verdict import judge, threshold

FEWEST_HALVES: Final = 2  # laps in each half, so that one odd lap is not the half
MOST_FILES: Final = 12  # newest of one machine and software: 66 pairs say enough

How = Literal["between runs", "within runs"]


@dataclass(frozen=True)
class Null:
    """What the null test of one machine found."""

    machine: str
    how: How
    parts: Sequence[Part]  # rows compared with themselves, by pair of runs; none is empty
    sources: tuple[str, ...]  # the files it rests on
    noise: dict[Kind, float]  # of network rows and of the machine's own: shares, 0.03 for 3%

    @property
    def pairs(self) -> int:
        """How many rows were compared with themselves."""
        return sum(len(part.rows) for part in self.parts)

    @property
    def degrees(self) -> int:
        """How many differences between runs, or between halves, are free."""
        return free(part.runs for part in self.parts)

    @functools.cached_property
    def different(self) -> int:
        """How many of them were called faster or slower."""
        return _called_different(self.parts)

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
    keyed = _keyed_once()
    pairs = _between(runs, without)
    sets: list[tuple[tuple[Examined, ...], Set]]
    sets = [(pair, _rows(keyed(pair[0]), keyed(pair[1]))) for pair in pairs]
    if not any(rows for _, rows in sets):
        how = "within runs"
        sets = [((run,), _halves(run.measures)) for run in runs]
    sets = [(of, rows) for of, rows in sets if rows]
    if not sets:
        return None
    parts = [Part(tuple(id(run) for run in of), rows) for of, rows in sets]
    return Null(
        machine=name,
        how=how,
        parts=parts,
        sources=tuple(sorted({run.file.source for of, _ in sets for run in of})),
        noise=noise_of(parts),
    )


def _keyed_once() -> Callable[[Examined], Mapping[Key, Measure]]:
    """rows_by_key() of each run once, however many pairs it is in."""
    known: dict[int, Mapping[Key, Measure]] = {}

    def keyed(run: Examined) -> Mapping[Key, Measure]:
        if id(run) not in known:
            known[id(run)] = rows_by_key(run, "")[0]
        return known[id(run)]

    return keyed


def _between(
    runs: Sequence[Examined], without: Sequence[ResultFile]
) -> list[tuple[Examined, Examined]]:
    """Every pair of complete runs of the same software."""
    equal: dict[object, list[Examined]] = defaultdict(list)
    for run in runs:
        if run.file.status == "complete" and run.file.commit is not None:
            equal[_software(run.file)].append(run)
    groups = [sorted(g, key=lambda run: run.file.written)[-MOST_FILES:] for g in equal.values()]
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    compared = {id(file) for file in without}
    others = [p for p in pairs if not {id(p[0].file), id(p[1].file)} <= compared]
    return others or pairs


def _software(file: ResultFile) -> object:
    software = tuple(sorted(file.software.items()))
    return (file.commit, software, file.workload["hash"], file.profile, file.dataset_sha256)


def _rows(ones: Mapping[Key, Measure], others: Mapping[Key, Measure]) -> Set:
    return [
        Same(pair.one.kind, speed)
        for pair in paired(ones, others)
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


def _called_different(parts: Sequence[Part]) -> int:
    """How many equal rows we call different, each judged with the noise of the other parts.

    Where there is one part only, with the noise of its other rows.
    """
    return sum(_differs(row, noise) for rows, noise in _left_out(parts) for row in rows)


def _left_out(parts: Sequence[Part]) -> Iterator[tuple[Set, dict[Kind, float]]]:
    """Each part with the noise of the others; each row of an only part with that of the others."""
    if len(parts) > 1:
        for at, part in enumerate(parts):
            yield part.rows, noise_of([*parts[:at], *parts[at + 1 :]])
    else:
        (only,) = parts
        for at, row in enumerate(only.rows):
            others = Part(only.runs, [*only.rows[:at], *only.rows[at + 1 :]])
            yield [row], noise_of([others])


def _differs(row: Same, noise: Mapping[Kind, float]) -> bool:
    apart = of_kind(noise, row.kind)
    if apart is None:
        return False  # nothing says how far apart equal things are: unclear
    return judge(widened(row.speed, apart), threshold(apart)).word in ("faster", "slower")
