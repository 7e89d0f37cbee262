"""summary.csv: every sound row of every file on one line, for a spreadsheet or a data frame."""

from __future__ import annotations

from typing import Any, Final, TextIO

import numpy as np
import pandas as pd

from bench.report.pages.said import FACTS
from bench.report.wording import cell
from zipnet.results.runs import LISTS
from zipnet.results.verdict import UNITS

AT_ONCE: Final = 50_000  # rows, so that memory stays bounded

COLUMNS: Final = (
    "source", "machine", "written", "status", "profile", "dataset", "question", "engine",
    "device", "device_name", "threads", "dtype", "batch", "steps", "presentations", "rounds",
    "median_seconds", "low_seconds", "high_seconds", "us_per_presentation",
    "presentations_per_second", "macs_per_second", "peak_macs_per_second", "share_of_peak",
    "bytes_per_second", "training_seconds", "training_kind", "times_sun", "train_misses",
    "test_misses", "quality", "verdicts", "unit", "median_bytes", "low_bytes", "high_bytes",
    *FACTS,
)  # fmt: skip


def to_csv(rows: pd.DataFrame, out: TextIO) -> None:
    """Write the table; numbers in base units, text made harmless to a spreadsheet.

    Each different value of a column is put into words once: of a fleet's half a million rows,
    pandas' own to_csv takes a minute and a half.
    """
    out.write(",".join(COLUMNS) + "\n")
    for begin in range(0, len(rows), AT_ONCE):
        some = rows.iloc[begin : begin + AT_ONCE]
        some = some[some["sound"]]
        derived = {"verdicts": np.where(some["forbidden"].isna(), "yes", "no")}
        for unit, name in UNITS.items():
            for end, column in (("median", "value"), ("low", "low"), ("high", "high")):
                derived[f"{end}_{name}"] = some[column].where(some["unit"] == unit)
        some = some.assign(**derived)
        lines = zip(*(_cells(some[name]) for name in COLUMNS), strict=True)
        out.writelines(map("{}\n".format, map(",".join, lines)))


def _cells(column: pd.Series[Any]) -> list[str]:
    """A column in words."""
    if column.name in LISTS:
        told = _levels if column.name == "levels" else lambda values: " ".join(map(str, values))
        column = column.map(told, na_action="ignore")
    codes, values = pd.factorize(column)
    some = values.tolist()
    words = [_quoted(cell(value)) for value in some]
    found: list[str] = np.array([*words, ""], object)[codes].tolist()  # code -1: there is none
    return found


def _levels(levels: list[dict[str, Any]]) -> str:
    """Seconds to each level, of each training: 8%: 0.112 0.109; 6%: 0.281 not reached."""
    seconds = [["not reached" if s is None else cell(s) for s in level["seconds"]]
               for level in levels]  # fmt: skip
    each = zip(levels, seconds, strict=True)
    return "; ".join(f"{level['error']:g}%: {' '.join(texts)}" for level, texts in each)


def _quoted(text: str) -> str:
    """What holds a comma gets quotation marks."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",\r\n') else text
