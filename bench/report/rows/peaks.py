"""What a device reached with nothing in its way: the yardstick of its other rows."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Final

from bench.report.records import Row

PEAKS: Final = ("floor-fma", "floor-gemm")  # the first that a file holds counts

Place = tuple[str, int | None]  # a device and the CPU threads it was allowed


def peaks(rows: Iterable[Row]) -> dict[Place, float]:
    """Peak MAC/s by device and threads: what a library or a loop of FMAs reached in this run."""
    of_question: dict[str, dict[Place, float]] = {question: {} for question in PEAKS}
    for row in rows:
        if row.question in PEAKS and row.macs and (seconds := median(row.seconds)) > 0:
            found, key = of_question[row.question], (row.device, row.threads)
            found[key] = max(row.macs / seconds, found.get(key, 0.0))
    return of_question["floor-gemm"] | of_question["floor-fma"]
