"""Timings that no clock gives, and laps that do not fit what was watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

from bench.report.records import Row

# A timing is the difference of two readings of a clock that has run for hours, so it carries the
# rounding of their many digits: 0.0025 comes out as 0.0024999999 or so. One timing in thousands
# is short by accident; a column of them was typed.
MANY_ROUNDS: Final = 10
DIGITS: Final = 6  # significant ones; a timing of a clock has 9 to 17
COARSE: Final = 1e-3  # seconds; below it, a clock's tick may give many rounds one timing
DIFFERENT: Final = 20  # above it, one in so many is different at the least

# The sum of a lap's rounds against the time that the lap lasted, which is read by another clock.
LONGER: Final = 1.01
SLACK: Final = 1e-3  # seconds


def findings(row: Row) -> Iterator[str]:
    """What speaks against the row's timings."""
    timings = row.seconds
    if row.timings.ordered[0] <= 0:  # a floor that the clock did not always see
        timings = [timing for timing in timings if timing > 0]
    if len(timings) >= MANY_ROUNDS:
        if all(map(_short, timings)):
            yield (f"all {len(timings)} timings have at most {DIGITS} digits; a clock's have more, "
                   "so these were typed or rounded")  # fmt: skip
        elif min(timings) > COARSE and len(set(timings)) <= max(1, len(timings) // DIFFERENT):
            yield f"{len(timings)} rounds hold only {len(set(timings))} different timings"
    yield from _watched(row)


def _short(timing: float) -> bool:
    return float(f"{timing:.{DIGITS - 1}e}") == timing


def _watched(row: Row) -> Iterator[str]:
    """Every lap must have lasted at least as long as its rounds."""
    if not row.watches:
        return
    if len(row.watches) != len(row.laps):
        yield f"watch has {len(row.watches)} entries, one for each of {len(row.laps)} laps expected"
        return
    for at, (seconds, watch) in enumerate(zip(_sums(row), row.watches, strict=True), start=1):
        if seconds > LONGER * watch.seconds + SLACK:
            yield f"the rounds of lap {at} last longer than the lap, by its watch"


def _sums(row: Row) -> Sequence[float]:
    bounds = pairwise(accumulate(row.laps, initial=0))
    return [sum(row.seconds[begin:end]) for begin, end in bounds]
