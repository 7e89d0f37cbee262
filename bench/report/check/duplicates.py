"""Timings that appear twice: copied from another row, or another machine's under this name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench.report.records import Row
from bench.report.statistics.timings import Timings

# Two honest rows may share one timing by the clock's resolution, never this many in order.
SAME_TIMINGS: Final = 5


def fingerprint(timings: Timings) -> str | None:
    """Tell timings from all others; None of too few to tell."""
    if len(timings.seconds) < SAME_TIMINGS or not any(timings.seconds):
        return None
    return timings.fingerprint


def within(rows: Sequence[Row]) -> list[list[str]]:
    """Of each row of a file: what it has in common with another that no two rows share.

    Both are named: nobody can say which is the copy.
    """
    names = Counter(row.fullname for row in rows)
    prints = [fingerprint(row.timings) for row in rows]
    held: dict[str, list[Row]] = {}
    for row, mark in zip(rows, prints, strict=True):
        if mark is not None:
            held.setdefault(mark, []).append(row)
    found: list[list[str]] = []
    for row, mark in zip(rows, prints, strict=True):
        lines = [f"appears {names[row.fullname]} times"] if names[row.fullname] > 1 else []
        others = [r.fullname for r in held.get(mark or "", ()) if r.fullname != row.fullname]
        lines += [f"holds the very timings of {other}" for other in others[:1]]
        found.append(lines)
    return found
