"""What a device reached with nothing in its way: the yardstick of its other rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bench.report.records import Row

PEAKS: Final = ("floor-fma", "floor-gemm")  # the first that a file holds counts

Allowed = tuple[str, int | None]  # a device and the CPU threads it was allowed


def peaks(rows: Iterable[Row]) -> dict[Allowed, float]:
    """Peak MAC/s by device and threads: what a library or a loop of FMAs reached in this run."""
    reached = floors(rows)
    return reached["floor-gemm"] | reached["floor-fma"]


def bounds(rows: Iterable[Row]) -> dict[Allowed, float]:
    """The most MAC/s that any floor reached, by device and threads: what nothing can be beyond.

    A loop of FMAs may be slower than a library that has wider units to itself, and the reverse.
    """
    reached = floors(rows)
    gemm, fma = reached["floor-gemm"], reached["floor-fma"]
    return {key: max(gemm.get(key, 0.0), fma.get(key, 0.0)) for key in gemm | fma}


def floors(rows: Iterable[Row]) -> dict[str, dict[Allowed, float]]:
    """MAC/s of each kind of floor, by device and threads."""
    of_question: dict[str, dict[Allowed, float]] = {question: {} for question in PEAKS}
    for row in rows:
        if row.question in PEAKS and row.macs and (seconds := row.timings.median) > 0:
            found, key = of_question[row.question], (row.device, row.threads)
            found[key] = max(row.macs / seconds, found.get(key, 0.0))
    return of_question
