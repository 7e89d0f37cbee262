"""Comparisons for programs: JSON and CSV, numbers in base units."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.report.compare.comparison import Compared, Comparison
from bench.report.pages.summary import Cell, cell
from bench.report.statistics.stats import Estimate
from bench.report.verdicts.null import Null

COLUMNS: Final = (
    "baseline", "other", "question", "engine", "device", "threads", "batch", "dtype", "unit",
    "baseline_seconds", "other_seconds", "speed", "low", "high", "threshold", "verdict", "reason",
)  # fmt: skip


def to_csv(found: Sequence[Comparison]) -> str:
    """One line for each row compared."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for comparison in found:
        for row in comparison.rows:
            line = _line(comparison, row)
            writer.writerow([cell(line[column]) for column in COLUMNS])
    return buffer.getvalue()


def to_json(found: Sequence[Comparison], tested: Mapping[str, Null]) -> str:
    """Everything that the terminal shows, and what it has no room for."""
    document = {
        "baseline": found[0].baseline.label,
        "comparisons": [_comparison(one) for one in found],
        "null_tests": {
            name: {
                "how": null.how,
                "pairs": null.pairs,
                "called_different": null.different,
                "threshold": null.threshold(),
                "noise": null.noise,
            }
            for name, null in tested.items()
        },
    }
    return json.dumps(document, indent=1, allow_nan=False)


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "other": found.other.label,
        "sources": [found.baseline.file.source, found.other.file.source],
        "geometric_mean": {
            kind: _estimate(found.mean(kind)) | {"rows": len(found.averaged(kind))}
            for kind in ("network", "machine")
        },
        "verdicts": found.counts,
        "rows": [_line(found, row) for row in found.rows],
        "not_compared": [{"row": row.row, "reason": row.reason} for row in found.alone],
        "notes": found.notes,
    }


def _line(found: Comparison, row: Compared) -> dict[str, Cell]:
    key, speed = row.key, _estimate(row.speed)
    return {
        "baseline": found.baseline.label,
        "other": found.other.label,
        "question": key.question,
        "engine": key.engine,
        "device": key.device,
        "threads": key.threads or None,
        "batch": key.batch,
        "dtype": key.dtype,
        "unit": row.one.unit[0],
        "baseline_seconds": row.one.seconds_per_unit.median,
        "other_seconds": row.other.seconds_per_unit.median,
        **speed,
        "threshold": row.threshold,
        "verdict": row.verdict.word,
        "reason": row.verdict.reason,
    }


def _estimate(found: Estimate | None) -> dict[str, float | None]:
    if found is None:
        return {"speed": None, "low": None, "high": None}
    return {"speed": found.median, "low": found.low, "high": found.high}
