"""One machine against another: every row they share with its ratio and its verdict."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.report.compare.contestants import Contestant
from bench.report.compare.notes import notes
from bench.report.rows.keys import Key
from bench.report.rows.matching import Alone, Pair, match
from bench.report.rows.measures import Kind, Measure
from bench.report.statistics.stats import Estimate, geometric_mean, ratio, widened
from bench.report.verdicts.noise import of_kind
from bench.report.verdicts.null import Null
from bench.report.verdicts.verdict import FLOOR, UNTESTED, Verdict, Word, judge, threshold


@dataclass(frozen=True)
class Compared:
    """One row of two contestants; speed is how many times as fast the other is."""

    key: Key
    one: Measure
    other: Measure
    speed: Estimate
    threshold: float | None  # None where no null test sets one
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
    noise = _noise(tested, (baseline, other))
    rows = [_compared(pair, of_kind(noise, pair.one.kind), names) for pair in pairs]
    return Comparison(
        baseline,
        other,
        tuple(rows),
        tuple(alone),
        tuple(notes(baseline.file, other.file, names)),
    )


def _compared(pair: Pair, noise: float | None, names: tuple[str, str]) -> Compared:
    speed = ratio(pair.one.seconds_per_unit, pair.other.seconds_per_unit)
    assert speed is not None  # match() leaves rows that take no time alone
    doubts = [
        f"{name}: {measure.forbidden}"
        for name, measure in zip(names, (pair.one, pair.other), strict=True)
        if measure.forbidden
    ]
    if noise is None:
        verdict = judge(speed, FLOOR, [*doubts, UNTESTED])
        return Compared(pair.key, pair.one, pair.other, speed, None, verdict)
    speed, least = widened(speed, noise), threshold(noise)
    return Compared(pair.key, pair.one, pair.other, speed, least, judge(speed, least, doubts))


def _noise(tested: Mapping[str, Null], sides: Sequence[Contestant]) -> dict[Kind, float]:
    """How far apart equal things would be found if one were on either machine: a share.

    Each machine's noise is that of two of its runs, so each run brings half of its square. A
    machine without a null test is taken to be like the other.
    """
    logs: dict[Kind, list[float]] = defaultdict(list)
    for side in sides:
        null = tested.get(side.file.machine.name)
        for kind, noise in null.noise.items() if null else ():
            logs[kind].append(math.log1p(noise))
    return {
        kind: math.expm1(math.sqrt(sum(n * n for n in found) / len(found)))
        for kind, found in logs.items()
    }
