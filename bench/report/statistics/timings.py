"""The raw timings of one row, and what more than one reader asks of them, worked out once."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from statistics import median
from typing import Final

FEWEST_ROUNDS: Final = 6  # of five, even min to max covers the median with only 93.75%
FEWEST_LAPS: Final = 3  # two say next to nothing about a third
PARTS: Final = 5  # that a row measured in one go is cut into, to stand for its laps


@dataclass(frozen=True)
class Timings:
    """Seconds of every round, and how many rounds each lap took, both in the order of time."""

    seconds: Sequence[float]
    laps: Sequence[int] = ()

    @cached_property
    def ordered(self) -> list[float]:
        """From the shortest to the longest."""
        return sorted(self.seconds)

    @cached_property
    def median(self) -> float:
        """Of all rounds."""
        return middle(self.ordered)

    @cached_property
    def fingerprint(self) -> str:
        """A short hash, the same for the same timings only."""
        return hashlib.blake2b(array("d", self.seconds).tobytes(), digest_size=12).hexdigest()

    @cached_property
    def parts(self) -> list[Sequence[float]]:
        """The rounds of each lap; each fifth of them where they were taken in one go."""
        laps = self.laps
        if len(laps) < FEWEST_LAPS:
            rounds = len(self.seconds)
            parts = min(PARTS, rounds // FEWEST_ROUNDS)
            laps = [rounds * (p + 1) // parts - rounds * p // parts for p in range(parts)]
        return [self.seconds[begin:end] for begin, end in pairwise(accumulate(laps, initial=0))]

    @cached_property
    def lap_medians(self) -> tuple[float, ...]:
        """The median of each of the parts."""
        return tuple(map(median, self.parts))


def middle(ordered: Sequence[float]) -> float:
    """The median of timings in order, which statistics.median would put in order once more."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
