"""The exit code of a comparison: what a script may conclude without reading a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bench.report.compare.comparison import Compared, Comparison
from zipnet.errors import UserError, shown

FINE: Final = 0
SLOWER: Final = 1
NOTHING: Final = 3
UNSURE: Final = 4

PERCENT: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)%")


def limit(text: str) -> float:
    """The share that --fail-if-slower allows: written as a percentage, so that 5 is never 500%."""
    found = PERCENT.fullmatch(text)
    if found is None:
        raise UserError(f"--fail-if-slower {shown(text)}: write a percentage, such as 5%")
    return float(found[1]) / 100


def too_slow(row: Compared, allowed: float) -> bool:
    """Whether a row was called slower, and by more than is allowed.

    Slower by 5% means that the same work takes 5% more time. The near end of the interval counts,
    the one kindest to the machine. Each row is a claim of its own, wrong in about 1 of 40 cases:
    of many rows, one may fail by chance.
    """
    if row.verdict.word != "slower" or not row.speed.high:
        return False
    return 1 / row.speed.high - 1 > allowed


def exit_code(found: Sequence[Comparison], allowed: float | None) -> int:
    """0 fine, 1 too slow, 3 nothing to compare, 4 rows too poor, or no null test."""
    rows = [row for comparison in found for row in comparison.rows]
    if not rows:
        return NOTHING
    if allowed is not None and any(too_slow(row, allowed) for row in rows):
        return SLOWER
    return UNSURE if all(row.forbidden or row.threshold is None for row in rows) else FINE
