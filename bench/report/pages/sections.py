"""All runs as the pages show them: the headline, training times, and what a run's section says."""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pandas as pd

from bench.report.factorial import Factorial
from bench.report.figures import Drawn
from bench.report.learned import Reproduction
from bench.report.pages.said import cautions, doubts, of_run
from bench.report.picks import best, trainings
from bench.report.wording import duration, significant, times, who
from zipnet import paper
from zipnet.results.noise import NullTest
from zipnet.results.price import Price, prices
from zipnet.results.quality import REMEDIES
from zipnet.results.road import Road, roads
from zipnet.results.roofs import Roofed, roofed
from zipnet.results.runs import Run, Runs, grouped, records
from zipnet.results.scaling import gains
from zipnet.results.schema import QUESTIONS
from zipnet.results.sweep import fits, overtakings


def headline(runs: Runs) -> str:
    """The answer in a sentence: fastest engine, its time, times the SUN, and what it learned.

    A run that is a part answers only where there is no whole one, and the sentence says so.
    """
    rows = runs.rows[runs.rows["newest"] & runs.rows["sound"]]
    parts = [at for at, run in enumerate(runs.runs) if not run.whole]
    if whole := not rows["file"].isin(parts).all():
        rows = rows[~rows["file"].isin(parts)]
    found = trainings(rows)
    if found.empty:
        return "No row of these files says how long the training of 1989 takes."
    run = found["file"].iloc[0]
    first, *others = records(found[found["file"] == run])
    kind = "" if first.training_kind == "measured" else "projected from steps, "
    part = "" if whole else "By a part of the benchmarks only: "
    return (
        f"{part}{first.machine} trains the network of 1989 in {duration(first.training_seconds)} "
        f"({kind}{who(first)}), {times(first.times_sun)} as fast as the SUN-4/260 with its "
        f"three days; {learned([first, *others])}.{side_by_side(rows[rows['file'] == run])}"
    )


def learned(found: list[Any]) -> str:
    """What a run's network had learned, from records of its trainings, the fastest first."""
    end = next((one for one in found if one.training_kind == "measured"), None)
    if end is None or end.test_misses is None or end.train_misses is None:
        return "no engine was trained to the end here, so what it learns is not known"
    by = "" if end is found[0] else f", trained with {who(end)}"
    return f"{end.test_misses} test and {end.train_misses} training misses on {end.dataset}{by}"


def side_by_side(rows: pd.DataFrame) -> str:
    """How many trainings a minute a run's machine makes, many at once; empty if unmeasured."""
    for one in records(best(rows, "replicas").head(1)):
        rate = 60.0 * one.presentations_per_second / paper.PRESENTATIONS
        return f" Side by side it makes {significant(rate)} trainings a minute ({who(one)})."
    return ""


SHOWN: Final = [  # of a training
    "file", "machine", "engine", "device", "threads", "world", "dataset", "training_seconds",
    "training_low", "training_high", "training_kind", "times_sun", "test_misses", "train_misses",
]  # fmt: skip


class Report(NamedTuple):
    """All that is published."""

    headline: str
    runs: Runs
    sections: list[Section]
    figures: list[Drawn]
    tested: dict[str, NullTest]
    prices: list[Price]
    roads: list[Road]
    found: Reproduction | None  # what recipes learned,
    learning: list[Drawn]  # and its figures
    asked: Factorial | None  # what the article's open choices change
    roofs: list[Roofed]


@dataclass(frozen=True)
class Section:
    """One run, and how long its engines need for the training of 1989."""

    runs: Runs
    run: Run
    newest: bool  # the run that figures and headlines use, of its machine
    link: str | None
    trainings: list[Any]  # records of rows that stand for the whole training, shortest first

    @property
    def fastest(self) -> Any:
        """The shortest training time of the run; None where no row says."""
        return next(iter(self.trainings), None)

    @property
    def learned(self) -> Any:
        """The training that a speed is shown with: the fastest that was run to its end."""
        return next((one for one in self.trainings if one.training_kind == "measured"), None)

    @property
    def cautions(self) -> list[str]:
        """What to know before trusting it."""
        return cautions(self.runs, self.run)

    def in_full(self) -> dict[str, Any]:
        """Everything else that its section shows.

        Questions stand in the order of the schema, the unknown last; their rows fastest first.
        """
        of_file = {
            "machine": self.run.name,
            "memory_gib": self.run.about.machine_info.memory_gib,
        }
        rows = pd.DataFrame(self.runs.of(self.run) | of_file)
        sound = rows[rows["sound"]]
        ordered = sound.iloc[(sound["value"] / sound["works"]).argsort(kind="stable")]
        asked = grouped(ordered, "question")
        order = [*QUESTIONS, *sorted(set(asked) - set(QUESTIONS))]
        swept = fits(sound)
        in_doubt = {kind for quality in sound["quality"] for kind in doubts(quality)}
        return {
            "facts": of_run(self.runs, self.run),
            "said": f"{learned(self.trainings)}.{side_by_side(sound)}",
            "fits": swept,
            "overtakings": overtakings(swept),
            "roads": roads(sound),
            "prices": prices(sound),
            "gains": gains(sound),
            "roofs": [one for one in roofed(sound) if one.nearest],
            "questions": [(name, asked[name]) for name in order if name in asked],
            "rows": len(sound),
            "remedies": {kind: text for kind, text in REMEDIES.items() if kind in in_doubt},
            "excluded": records(rows[~rows["sound"]]),
        }


def sections(runs: Runs, out: Path) -> list[Section]:
    """All runs, the fastest first; links are relative to the folder `out`."""
    found = grouped(trainings(runs.rows[runs.rows["sound"]])[SHOWN], "file")
    newest = set(map(id, runs.newest))
    made = [
        Section(runs, run, id(run) in newest, link(run.place.path, out), found.get(at, []))
        for at, run in enumerate(runs.runs)
        if run.measures
    ]
    return sorted(made, key=lambda one: one.fastest.training_seconds if one.fastest else math.inf)


def link(path: Path | None, out: Path) -> str | None:
    """A relative link to a result file, where it lies beside the reports as in this repository.

    Anywhere else the way there would tell of folders that are nobody's business.
    """
    out = out.resolve()
    if path is None or not (folder := _resolved(path.parent)).is_relative_to(out.parent):
        return None
    relative = os.path.relpath(folder / path.name, out).replace(os.sep, "/")
    return quote(os.fsencode(relative))  # bytes: a file name need not be UTF-8


@functools.cache  # thousands of files lie in a few folders
def _resolved(folder: Path) -> Path:
    return folder.resolve()
