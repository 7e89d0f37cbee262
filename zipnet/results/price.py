"""The price of speed: what it took to bring the test error down, batch by batch.

Of several trainings the median counts, and one that did not get there took longer than any that
did: a level is reached by a row where more than half of its trainings reached it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from zipnet.results.runs import Runs, records

if TYPE_CHECKING:
    import pandas as pd

QUESTION: Final = "time-to-error"
AIM: Final = 6.5  # per cent: the level by which learning rates are chosen and batches compared


@dataclass(frozen=True)
class Toll:
    """What a level of error took, in the median: None where it was not reached.

    low, high: the least and the most seconds of any training; None where one did not get there.
    """

    error: float
    seconds: float | None
    passes: float | None
    low: float | None
    high: float | None
    reached: int  # of so many trainings:
    trainings: int

    @classmethod
    def of(cls, level: dict[str, Any]) -> Toll:
        """From a row's level, a schema.Level as a dict."""
        seconds, passes = _median(level["seconds"]), _median(level["passes"])
        there = [one for one in level["seconds"] if one is not None]
        every = len(level["seconds"])
        low, high = (min(there), max(there)) if len(there) == every else (None, None)
        return cls(level["error"], seconds, passes, low, high, len(there), every)


@dataclass(frozen=True)
class Price:
    """The tolls of one row, the highest error first."""

    source: Any  # its record
    tolls: tuple[Toll, ...]

    def to(self, error: float) -> Toll | None:
        """The toll of this level; None where nobody went for it."""
        return next((toll for toll in self.tolls if toll.error == error), None)

    @property
    def seconds(self) -> float:
        """To AIM, for comparing batches; infinite where that was not reached."""
        aim = self.to(AIM)
        return np.inf if aim is None or aim.seconds is None else aim.seconds


def prices(rows: pd.DataFrame) -> list[Price]:
    """Of every row that trained until an error, by file, engine, device and batch."""
    asked = rows[(rows["question"] == QUESTION) & (rows["value"] > 0)]
    asked = asked.sort_values(["file", "engine", "device", "batch"], kind="stable")
    return [Price(row, tuple(map(Toll.of, row.levels))) for row in records(asked)]


def stand_for_prices(runs: Runs) -> pd.Series[bool]:
    """Which rows are of the file that stands for its machine where prices are asked for: the one
    with the most batches, of several the newest. All batches are a long run of their own.

    As in Runs.newest, none does that contradicts itself, nor one of what was learned.
    """
    rows = runs.rows
    may = [run.measures and not run.findings for run in runs.runs]
    asked = rows[(rows["question"] == QUESTION) & rows["sound"] & np.array(may, bool)[rows["file"]]]
    files = asked.groupby(["machine", "written", "file"], as_index=False)["batch"].nunique()
    files = files.sort_values(["batch", "written"], kind="stable")
    return rows["file"].isin(files.drop_duplicates("machine", keep="last")["file"])


def _median(values: Iterable[float | None]) -> float | None:
    found = float(np.median([np.inf if value is None else value for value in values]))
    return found if found < np.inf else None
