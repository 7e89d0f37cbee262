"""What choices change: means and effects of trainings, with intervals.

In a full factorial an effect is the mean of the cells at a factor's second level less that of those
at its first; of two factors together, half of what one's effect differs by between the levels of
the other. The effect of a scheme is the mean difference of its cells from those of blocks that have
all else in common. Each is a contrast of cell means, so its variance is the sum of those of the
means, and its interval Student's t (G. E. P. Box, J. S. Hunter, W. G. Hunter, Statistics for
Experimenters, 2nd ed., 2005, chapter 5). Cells share their seeds: where that makes them alike, an
effect is known better than its interval says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, variance
from typing import Final

from bench.report.learned import newest
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import Trained
from zipnet.results.statistics import student

QUESTION: Final = "choices"
BLOCKS: Final = "blocks"
FACTORS: Final = {  # a recipe's value: its first level, its second, and what they are called
    "optimizer": ("sgd", "pseudo-newton"),
    "activation": ("tanh", "scaled_tanh"),
    "init": ("root", "fan-in"),
}
WORDS: Final = {
    "optimizer": "pseudo-Newton for plain SGD",
    "activation": "scaled tanh for plain tanh",
    "init": "2.4/fan-in for its root",
}
FEWEST: Final = 2  # seeds of a cell, for an interval


@dataclass(frozen=True)
class Mean:
    """A mean, or an effect; half: of the width of its 95% interval."""

    name: str
    value: float
    half: float

    @property
    def told(self) -> str:
        """With its interval."""
        return f"{self.value:.1f} \N{PLUS-MINUS SIGN} {self.half:.1f}"

    @property
    def clear(self) -> bool:
        """Whether its interval leaves out 0."""
        return abs(self.value) > self.half


@dataclass(frozen=True)
class FactorialCell:
    """One combination: its recipe, and the misses of every seed."""

    trained: Trained
    train: Sequence[int]
    test: Sequence[int]

    @property
    def levels(self) -> tuple[int, ...]:
        """-1 for the first level of each factor, 1 for the second."""
        return tuple(1 if getattr(self.trained, factor) == second else -1
                     for factor, (_, second) in FACTORS.items())  # fmt: skip

    def mean(self, split: str = "test") -> Mean:
        """The mean of its misses."""
        misses: Sequence[int] = getattr(self, split)
        error = math.sqrt(variance(misses) / len(misses))
        return Mean(self.trained.name, fmean(misses), student(len(misses) - 1) * error)


@dataclass(frozen=True)
class Factorial:
    """All of a file."""

    run: Run
    cells: list[FactorialCell]  # the grid, by Karpathy's blocks
    others: list[FactorialCell]  # by other schemes

    @property
    def every(self) -> list[FactorialCell]:
        """All combinations."""
        return [*self.cells, *self.others]

    @property
    def seeds(self) -> int:
        """Of each cell; the least, where they differ."""
        return min(len(cell.test) for cell in self.every)

    @property
    def wired(self) -> list[FactorialCell]:
        """Every scheme's cells, and those of blocks that they are held to."""
        levels = {cell.levels for cell in self.others}
        return [*(cell for cell in self.cells if cell.levels in levels), *self.others]

    def scheme_effects(self) -> Iterator[Mean]:
        """Of each other scheme instead of blocks, on the test misses."""
        blocks = {cell.levels: cell for cell in self.cells}
        for scheme in dict.fromkeys(cell.trained.scheme for cell in self.others):
            own = [c for c in self.others if c.trained.scheme == scheme and c.levels in blocks]
            if own:
                value = fmean(fmean(c.test) - fmean(blocks[c.levels].test) for c in own)
                yield _contrast(scheme, value, [*own, *(blocks[c.levels] for c in own)], len(own))

    def effects(self) -> Iterator[Mean]:
        """Of each factor, and of each two together, on the test misses; of a full grid only."""
        if not len({cell.levels for cell in self.cells}) == len(self.cells) == 2 ** len(FACTORS):
            return
        names, half = list(FACTORS), len(self.cells) / 2
        for count in (1, 2):
            for factors in combinations(range(len(names)), count):
                signs = [math.prod(cell.levels[at] for at in factors) for cell in self.cells]
                value = sum(s * fmean(c.test) for s, c in zip(signs, self.cells, strict=True))
                name = ", with ".join(WORDS[names[at]] for at in factors)
                yield _contrast(name, value / half, self.cells, half)


def _contrast(name: str, value: float, cells: Sequence[FactorialCell], over: float) -> Mean:
    """A sum of these cells' means, each with either sign, divided by `over`."""
    error = math.sqrt(sum(variance(cell.test) / len(cell.test) for cell in cells)) / over
    return Mean(name, value, student(sum(len(cell.test) - 1 for cell in cells)) * error)


def factorial(runs: Runs) -> Factorial | None:
    """What the newest file says; None where no file holds such trainings."""
    run = newest(runs, QUESTION)
    if run is None:
        return None
    cells = [
        FactorialCell(
            row.extra_info.trained,
            [one.train.misses for one in row.extra_info.learned],
            [one.test.misses for one in row.extra_info.learned],
        )
        for row in runs.structs(run)
        if row.extra_info.question == QUESTION and row.extra_info.trained
    ]
    enough = [cell for cell in cells if len(cell.test) >= FEWEST]
    grid = [cell for cell in enough if cell.trained.scheme == BLOCKS]
    return Factorial(run, grid, [cell for cell in enough if cell not in grid]) if grid else None
