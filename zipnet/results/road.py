"""The road from 1989: what a step of ever larger networks takes, and how far that can be known.

Beyond the widest network that was timed there is only the ladder's law (sweep.py), with its
interval. It is followed as far as the machine's memory holds the network that it speaks of: past
that another machine would be at work, or another law.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from zipnet import paper
from zipnet.results.statistics import Estimate
from zipnet.results.sweep import Law, ladders
from zipnet.results.units import percent, quantity

if TYPE_CHECKING:
    import pandas as pd

BYTES: Final = 3 * 4  # a parameter: the weight, its gradient and its move, float32 each
WIDEST: Final = 10**7  # that is asked for


@dataclass(frozen=True)
class Road:
    """A ladder, and where it ends."""

    ladder: Law
    ends: float  # MACs a step of the widest network that memory holds; 0 where it is not known

    @property
    def source(self) -> Any:
        """The record of the narrowest network."""
        return self.ladder.source

    @property
    def last(self) -> float:
        """MACs a step of the widest network that was timed."""
        return float(self.ladder.rows[-1].macs)

    def why_not(self, macs: float) -> str | None:
        """Why nothing is known of a step of so many MACs; None where it is."""
        if not self.ladder.holds:
            return f"no such law, off by {percent(self.ladder.worst_error)}"
        if macs <= max(self.last, self.ends):
            return None
        return f"memory ends at {quantity(self.ends, 2)} MACs" if self.ends else "memory not known"

    def seconds(self, macs: float) -> Estimate | None:
        """What a step of so many MACs takes by the law, with its 95% interval; None: not known."""
        return None if self.why_not(macs) else self.ladder.between(macs)


def roads(rows: pd.DataFrame) -> list[Road]:
    """Every ladder of sound rows with its end; those whose law holds first.

    Files tell a machine's memory, not an accelerator's.
    """
    return [Road(ladder, _end(ladder.source)) for ladder in ladders(rows)]


def _end(row: Any) -> float:
    if row.memory_gib is None or row.device != "cpu":
        return 0.0
    room = row.memory_gib * 2**30 / BYTES
    widths = range(1, WIDEST)
    widest = bisect_right(widths, room, key=lambda width: paper.total("params", width))
    return float(row.batch * paper.step_macs(curvature=False, width=widest) if widest else 0)
