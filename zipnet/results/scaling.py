"""What more ranks add: the rate of a world over that of one rank, in the same run.

Strong scaling where all of them share one batch out, weak where each trains networks of its own:
either way the rate of presentations, so that as many times the rate as there are ranks is the most.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from zipnet.results.match import in_order
from zipnet.results.runs import records
from zipnet.results.statistics import ratios

if TYPE_CHECKING:
    import pandas as pd

WHOSE: Final = attrgetter("file", "question", "device", "threads")  # that worlds of all sizes share


@dataclass(frozen=True)
class Gain:
    """A row of ranks. speedup: over one rank; None of one alone, and of a sum.

    low, high: its 95% interval; None where rounds were too few.
    """

    source: Any  # its record
    speedup: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def efficiency(self) -> float | None:
        """The share of what as many single ranks would make."""
        return self.speedup and self.speedup / self.source.world


def gains(rows: pd.DataFrame) -> list[Gain]:
    """Of every row of ranks, by question and world."""
    asked = rows[(rows["world"] > 0) & (rows["value"] > 0)]
    found = sorted(records(asked), key=lambda row: (
        row.file, in_order(row.question), row.device, row.threads or 0, row.world))  # fmt: skip
    alone = {WHOSE(row): row for row in found if row.world == 1}
    return [Gain(row, *_against(row, alone.get(WHOSE(row)))) for row in found]


def _against(row: Any, one: Any) -> list[float | None]:
    """The rate of a row by that of one rank, with its interval."""
    if one is None or row.world == 1:
        return []
    sides = (np.array([r.value, r.low, r.high], float) / r.works for r in (one, row))
    found = ratios(*(tuple(side) for side in sides))
    return [None if np.isnan(value) else float(value) for value in found]
