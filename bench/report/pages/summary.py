"""summary.csv: every row of every file on one line, for a spreadsheet or a data frame."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Final, TextIO

from bench.report.rows.measures import Measure, training_of
from bench.report.statistics.stats import Estimate

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%")  # OWASP, CSV injection

Cell = str | int | float | None


def to_csv(measures: Iterable[Measure], out: TextIO) -> None:
    """Write the table; numbers in base units, text made harmless to a spreadsheet."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in map(_line, measures):  # one at a time: a fleet has half a million
        writer.writerow([cell(line[column]) for column in COLUMNS])


COLUMNS: Final = (
    "source", "machine", "written", "status", "profile", "dataset", "question", "engine",
    "device", "device_name", "threads", "dtype", "batch", "steps", "presentations", "rounds",
    "median_seconds", "low_seconds", "high_seconds", "us_per_presentation",
    "presentations_per_second", "macs_per_second", "peak_macs_per_second", "share_of_peak",
    "bytes_per_second", "training_seconds", "training_kind", "times_sun", "train_misses",
    "test_misses", "quality", "verdicts",
)  # fmt: skip


def _line(measure: Measure) -> dict[str, Cell]:
    file, row, training = measure.file, measure.row, training_of(measure)
    return {
        "source": file.source,
        "machine": file.machine.name,
        "written": file.written,
        "status": file.status,
        "profile": file.profile,
        "dataset": row.dataset,
        "question": row.question,
        "engine": row.engine,
        "device": row.device,
        "device_name": row.device_name,
        "threads": row.threads,
        "dtype": row.dtype,
        "batch": row.batch,
        "steps": row.steps,
        "presentations": row.presentations,
        "rounds": measure.rounds,
        "median_seconds": measure.seconds.median,
        "low_seconds": measure.seconds.low,
        "high_seconds": measure.seconds.high,
        "us_per_presentation": _median(measure.us_per_presentation),
        "presentations_per_second": _median(measure.presentations_per_second),
        "macs_per_second": _median(measure.macs_per_second),
        "peak_macs_per_second": measure.peak,
        "share_of_peak": measure.share_of_peak,
        "bytes_per_second": _median(measure.bytes_per_second),
        "training_seconds": training.seconds.median if training else None,
        "training_kind": ("measured" if training.measured else "projected") if training else None,
        "times_sun": training.times_sun if training else None,
        "train_misses": row.train.misses if row.train else None,
        "test_misses": row.test.misses if row.test else None,
        "quality": "; ".join(f"{doubt.kind}: {doubt.text}" for doubt in measure.doubts),
        "verdicts": "no" if measure.forbidden else "yes",
    }


def _median(estimate: Estimate | None) -> float | None:
    return estimate.median if estimate else None


def cell(value: Cell) -> str:
    """Nine digits say all a timing knows; text that a spreadsheet would run gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.9g}"
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
