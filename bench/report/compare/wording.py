"""Comparisons in words: the headline, and a row's numbers as a table shows them."""

from __future__ import annotations

from bench.report.compare.comparison import Comparison
from bench.report.statistics.stats import Estimate
from bench.report.verdicts.verdict import WORDS
from bench.report.wording import duration, quantity, significant


def headline(found: Comparison, names: tuple[str, str]) -> str:
    """The answer in a sentence: which is faster, by how much, in how many rows."""
    counts = found.counts
    verdicts = ", ".join(f"{counts[word]} {word}" for word in WORDS)
    return f"{_answer(found, names)}; {verdicts}" if found.rows else _answer(found, names)


def _answer(found: Comparison, names: tuple[str, str]) -> str:
    mean, machine = found.mean("network"), found.mean("machine")
    floors = f"floors {speed(machine)}" if machine else ""
    if mean is None:
        shared = any(row.one.kind == "network" for row in found.rows)
        why = "no network row fit for a verdict" if shared else "no network row in common"
        return f"{names[1]} against {names[0]}: " + ", ".join(filter(None, (why, floors)))
    rows = len(found.averaged("network"))
    counted = f"geometric mean of {rows} rows, {span(mean)}" if rows > 1 else f"1 row, {span(mean)}"
    return (
        f"{names[1]} is {speed(mean)} as fast as {names[0]} "
        f"({'; '.join(filter(None, (counted, floors)))})"
    )


def speed(found: Estimate) -> str:
    """A ratio: 1.52x."""
    return f"{significant(found.median)}x"


def span(found: Estimate) -> str:
    """The interval of a ratio."""
    if found.low is None or found.high is None:
        return "no interval"
    return f"{significant(found.low)} to {significant(found.high)}"


def each(found: Estimate, unit: str) -> str:
    """What one side needs for one of the unit: a time, or a rate where the time is tiny."""
    if unit in ("MAC", "byte"):
        return f"{quantity(1 / found.median)}/s"
    return duration(found.median)
