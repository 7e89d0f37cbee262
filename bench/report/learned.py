"""What trainings learned, beside what was published of them: values for the page and its figures.

A published figure reproduces where it lies within the range of our seeds, rounded as it was
printed. Where every seed of ours makes less of what it counts, it is beaten; otherwise it does not,
and by how much is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean
from typing import Final

import numpy as np

from bench.report.wording import significant
from zipnet import paper
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import Benchmark, Learned, Score, Trained

REPRODUCTION: Final = "reproduction"
ARTICLE: Final = "as-printed"  # the recipe that claims to be the article's


@dataclass(frozen=True)
class Against:
    """One published figure and what each seed of ours ended with, in the same unit.

    low, high: what the printed text may stand for. unit: what follows a number of it.
    """

    what: str
    printed: str
    low: float
    high: float
    ours: Sequence[float]
    unit: str
    source: str

    @property
    def verdict(self) -> str:
        """yes, beaten, or no and by how much the best of our seeds misses it."""
        if min(self.ours) > self.high:
            apart = min(self.ours) - self.high
            return f"no, by {_number(apart)}{self.unit or (' miss' if apart == 1 else ' misses')}"
        return "yes" if max(self.ours) >= self.low else "beaten"

    @property
    def told(self) -> str:
        """Ours: the mean, and the range where there is one."""
        return spread(self.ours, self.unit)


@dataclass(frozen=True)
class Outcome:
    """A recipe on digits: a row of the file, and what was published of it."""

    row: Benchmark
    published: tuple[paper.Reported, ...]

    @property
    def trained(self) -> Trained:
        """The recipe."""
        assert self.row.extra_info.trained is not None, "the checker has seen to it"
        return self.row.extra_info.trained

    @property
    def learned(self) -> list[Learned]:
        """What each seed learned."""
        return self.row.extra_info.learned

    @property
    def digits(self) -> str:
        """The digits, and the start where it is Karpathy's and not one of our seeds."""
        start = "" if self.trained.start == "seed" else ", his start"
        return f"{self.row.extra_info.dataset}{start}"

    @property
    def name(self) -> str:
        """For a figure."""
        return f"{self.trained.name} on {self.digits}"

    @property
    def printed(self) -> str:
        """The test misses that were published, or the error where the misses were not."""
        return "; ".join(one.printed for one in self._tests)

    @property
    def us(self) -> float:
        """Median microseconds of a presentation."""
        return 1e6 * self.row.stats.median / (self.row.extra_info.presentations or 1)

    def ours(self, split: str, name: str = "misses") -> list[float]:
        """A number of every seed's score; none where one has it not."""
        scores: list[Score] = [getattr(one, split) for one in self.learned]
        values = [getattr(score, name) for score in scores]
        return [] if None in values else values

    @cached_property
    def against(self) -> list[Against]:
        """Every published figure that ours can be held to."""
        return [one for published in self.published for one in self._against(published)]

    @property
    def verdict(self) -> str:
        """Of the test misses, by which recipes are known; empty where nothing was published."""
        return next((one.verdict for one in self._tests), "")

    @property
    def _tests(self) -> list[Against]:
        return [one for one in self.against if one.what in ("test misses", "test error")]

    def told(self, split: str, name: str = "misses", unit: str = "") -> str:
        """Ours, in words; a dash where there is none."""
        values = self.ours(split, name)
        return spread(values, unit) if values else "\N{EN DASH}"

    def _against(self, published: paper.Reported) -> Iterator[Against]:
        for split in ("test", "train"):
            misses, error = (getattr(published, f"{split}_{name}") for name in ("misses", "error"))
            if misses is not None:
                printed = published.printed[split == "test"] if published.printed else misses
                text = f"{misses}" if printed == misses else f"{misses} (printed: {printed})"
                yield Against(f"{split} misses", text, misses, misses, self.ours(split), "",
                              published.source)  # fmt: skip
            else:
                yield self._rounded(f"{split} error", error, split, "error", published, "%")
            loss = getattr(published, f"{split}_loss")
            if loss is not None and self.ours(split, "half_mse"):
                half = 1.0 if published.halved else 2.0
                what = f"{split} {'half ' if published.halved else ''}MSE"
                yield self._rounded(what, loss, split, "half_mse", published, "", half)
        if published.rejected is not None:
            yield self._rounded("rejected", published.rejected, "test", "rejected", published, "%")

    def _rounded(
        self, what: str, value: float, split: str, name: str, published: paper.Reported, unit: str,
        times: float = 1.0,
    ) -> Against:  # fmt: skip
        """A figure that stands for all that is rounded to it."""
        half = 0.5 * 10.0 ** -len(f"{value}".partition(".")[2])
        ours = [times * one for one in self.ours(split, name)]
        return Against(what, f"{value:.7g}{unit}", value - half, value + half, ours,
                       unit or " in MSE", published.source)  # fmt: skip


@dataclass(frozen=True)
class Reproduction:
    """All of a file."""

    run: Run
    outcomes: list[Outcome]

    @property
    def article(self) -> Outcome | None:
        """The recipe that is the article's own, on its digits."""
        return next((one for one in self.outcomes if one.trained.name == ARTICLE
                     and one.published), None)  # fmt: skip

    @property
    def title(self) -> str:
        """Whether the article reproduces, in a few words."""
        if self.article is None:
            return "What the recipes learn"
        held = [one.verdict in ("yes", "beaten") for one in self.article.against]
        return "The article of 1989 reproduces" if all(held) else (
            f"Of the article's {len(held)} figures {sum(held)} reproduce"
        )  # fmt: skip

    @property
    def sentence(self) -> str:
        """Whether the article reproduces, figure by figure, with its source."""
        if self.article is None:
            return "The article's own recipe is not among these trainings."
        told = "; ".join(f"{one.what} {one.printed}, ours {one.told}: {one.verdict}"
                         for one in self.article.against)  # fmt: skip
        return (
            f"With its own algorithm, units and initialisation ({len(self.article.learned)} seeds "
            f"of recipe {ARTICLE}) on its own digits: {told}. Published: "
            f"{self.article.published[0].source}."
        )


def newest(runs: Runs, question: str) -> Run | None:
    """The file that answers a question of learning: of most trainings, of those the newest."""
    columns, best = runs.columns, None
    asked = columns["sound"] & (columns["question"] == question)
    counts = np.where(asked, columns["rounds"], 0)
    for run in (run for run in runs.runs if not run.measures and not run.findings):
        rank = (int(counts[run.begin : run.end].sum()), run.about.datetime)
        if rank[0] and (best is None or rank >= best[0]):
            best = (rank, run)
    return best and best[1]


def reproduction(runs: Runs) -> Reproduction | None:
    """What the newest file says; None where no file holds such trainings."""
    run = newest(runs, REPRODUCTION)
    if run is None:
        return None
    rows = [row for row in runs.structs(run) if row.extra_info.question == REPRODUCTION]
    return Reproduction(run, [Outcome(row, _published(row)) for row in rows])


def _published(row: Benchmark) -> tuple[paper.Reported, ...]:
    about = row.extra_info
    name = about.trained.name if about.trained else ""
    return tuple(one for one in paper.REPORTED if (one.recipe, one.data) == (name, about.dataset))


def spread(values: Sequence[float], unit: str = "") -> str:
    """109.7 (98 to 117); one value alone, or several that are equal, by itself."""
    unit, low, high = unit.removesuffix(" in MSE"), min(values), max(values)
    if low == high:
        return f"{_number(low)}{unit}"
    middle = mean(values)
    said = f"{middle:.1f}" if all(map(_whole, values)) else _number(middle)
    return f"{said}{unit} ({_number(low)} to {_number(high)}{unit})"


def _whole(value: float) -> bool:
    return float(value).is_integer()


def _number(value: float) -> str:
    """Counts as they are, the rest with three digits."""
    return f"{value:,.0f}" if _whole(value) else significant(value)
