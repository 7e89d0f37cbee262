"""One machine against another: every row they share with its ratio and its verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.report.compare.contestants import Contestant
from bench.report.compare.keys import Key
from bench.report.compare.matching import Alone, Pair, match
from bench.report.compare.notes import notes
from bench.report.rows.measures import Kind, Measure
from bench.report.statistics.stats import Estimate, geometric_mean, ratio, widened
from bench.report.verdicts.null import Null
from bench.report.verdicts.verdict import Verdict, Word, judge, threshold


@dataclass(frozen=True)
class Compared:
    """One row of two contestants; speed is how many times as fast the other is."""

    key: Key
    one: Measure
    other: Measure
    speed: Estimate
    threshold: float
    verdict: Verdict

    @property
    def forbidden(self) -> bool:
        """Whether no verdict may rest on one of the two rows."""
        return bool(self.one.forbidden or self.other.forbidden)


@dataclass(frozen=True)
class Comparison:
    """Everything that can be said of two contestants."""

    baseline: Contestant
    other: Contestant
    rows: tuple[Compared, ...]
    alone: tuple[Alone, ...]
    notes: tuple[str, ...]

    @property
    def counts(self) -> Counter[Word]:
        """How many rows were given each verdict."""
        return Counter(row.verdict.word for row in self.rows)

    def averaged(self, kind: Kind) -> list[Compared]:
        """The rows that the geometric mean of a kind is taken over: those without a doubt in them
        that forbids.
        """
        return [row for row in self.rows if row.one.kind == kind and not row.forbidden]

    def mean(self, kind: Kind) -> Estimate | None:
        """How many times as fast the other is by the geometric mean; None without rows."""
        rows = self.averaged(kind)
        return geometric_mean([row.speed for row in rows]) if rows else None


def compare(
    baseline: Contestant, other: Contestant, tested: Mapping[str, Null], names: tuple[str, str]
) -> Comparison:
    """Judge every row that two contestants share; names: what to call them."""
    pairs, alone = match(baseline.found, other.found, names)
    noise = {kind: _noise(tested, (baseline, other), kind) for kind in ("network", "machine")}
    rows = [_compared(pair, noise[pair.one.kind], names) for pair in pairs]
    return Comparison(
        baseline,
        other,
        tuple(rows),
        tuple(alone),
        tuple(notes(baseline.file, other.file, names)),
    )


def _compared(pair: Pair, noise: float, names: tuple[str, str]) -> Compared:
    speed = ratio(pair.one.seconds_per_unit, pair.other.seconds_per_unit)
    assert speed is not None  # match() leaves rows that take no time alone
    speed = widened(speed, noise)
    doubts = [
        f"{name}: {measure.forbidden}"
        for name, measure in zip(names, (pair.one, pair.other), strict=True)
        if measure.forbidden
    ]
    verdict = judge(speed, threshold(noise), doubts)
    return Compared(pair.key, pair.one, pair.other, speed, threshold(noise), verdict)


def _noise(tested: Mapping[str, Null], sides: Sequence[Contestant], kind: Kind) -> float:
    """How far apart equal things would be found if one were on either machine: a share.

    Each machine's noise is that of two of its runs, so each run brings half of its square. A
    machine without a null test is taken to be like the other.
    """
    found = [
        math.log1p(null.noise[kind])
        for side in sides
        if (null := tested.get(side.file.machine.name)) is not None and kind in null.noise
    ]
    return math.expm1(math.sqrt(sum(n * n for n in found) / len(found))) if found else 0.0
