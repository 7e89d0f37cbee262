"""Rates that no such machine reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.report.records import Machine, Row
from bench.report.rows.peaks import Allowed, bounds
from bench.report.wording import quantity

# A library's matrix product need not reach the very peak, and clocks move within a run.
BEYOND_PEAK: Final = 1.5

# Multiply-adds of one core a second: two units of sixteen float32 lanes are the widest built, and
# no processor runs at 8 GHz. Twice that, for what may come.
CORE_MACS: Final = 2 * 2 * 16 * 8e9
BYTES: Final = 1e14  # a second; the memory of the fastest accelerators moves some 1e13


def findings(rows: Sequence[Row], machine: Machine) -> dict[str, list[str]]:
    """What is wrong with each row's rate, by the row's name."""
    reached = bounds(rows)
    found: dict[str, list[str]] = {}
    for row in rows:
        line = _finding(row, _bound(row, reached), machine)
        if line:
            found.setdefault(row.fullname, []).append(line)
    return found


def _bound(row: Row, reached: dict[Allowed, float]) -> float | None:
    """What floors with at least as many threads reached: one thread's floor bounds no other row."""
    return max(
        (
            peak
            for (device, threads), peak in reached.items()
            if device == row.device
            and (threads is None or row.threads is None or threads >= row.threads)
        ),
        default=None,
    )


def _finding(row: Row, peak: float | None, machine: Machine) -> str | None:
    seconds = row.timings.median
    if not seconds:
        return None
    macs, moved = (row.macs or 0) / seconds, (row.bytes or 0) / seconds
    if peak and row.shows_digits and macs > BEYOND_PEAK * peak:
        return (
            f"its MAC/s are beyond the peak of {quantity(peak)} MAC/s that the file states for "
            f"{row.device}"
        )
    cores = row.threads or machine.logical_cores or 1
    if row.question == "floor-fma" and row.device == "cpu" and macs > CORE_MACS * cores:
        return f"its MAC/s are beyond {quantity(CORE_MACS)} a core, more than any core multiplies"
    if moved > BYTES:
        return f"its bytes a second are beyond {quantity(BYTES)}B, more than any memory moves"
    return None
