"""One run as the pages show it: its rows, its training times, its cautions, its source."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.report.pages.cautions import cautions
from bench.report.records import ResultFile
from bench.report.rows.examined import Examined, Excluded
from bench.report.rows.measures import Measure, Training, best, latest, trainings
from bench.report.rows.sweep import Fit, Overtaking, fits, overtakings
from bench.report.wording import QUESTIONS, duration, significant, times


@dataclass(frozen=True)
class Run:
    """A result file with everything derived from it."""

    found: Examined
    measures: Sequence[Measure]
    trainings: Sequence[Training]
    cautions: list[str]
    newest: bool  # of its machine: the run that figures and headlines use
    link: str | None

    @property
    def file(self) -> ResultFile:
        """What the run said."""
        return self.found.file

    @property
    def excluded(self) -> Sequence[Excluded]:
        """The rows that cannot be right."""
        return self.found.excluded

    @property
    def fastest(self) -> Training | None:
        """The shortest training time of the run."""
        return self.trainings[0] if self.trainings else None

    @property
    def remedies(self) -> dict[str, str]:
        """What to try against each kind of doubt that some row of the run is in."""
        return {d.kind: d.remedy for measure in self.measures for d in measure.doubts}

    @property
    def by_question(self) -> list[tuple[str, list[Measure]]]:
        """The rows of each question, fastest first; questions in the order of their words."""
        known = list(QUESTIONS)
        asked = {measure.row.question for measure in self.measures}
        order = sorted(asked, key=lambda q: (known.index(q) if q in known else len(known), q))
        return [(question, self._rows_of(question)) for question in order]

    def _rows_of(self, question: str) -> list[Measure]:
        rows = [measure for measure in self.measures if measure.row.question == question]
        return sorted(rows, key=lambda measure: measure.seconds_each)

    @functools.cached_property
    def fits(self) -> list[Fit]:
        """What asking for a step and what a digit costs, for each engine that was swept."""
        return fits(self.measures)

    @property
    def overtakings(self) -> list[Overtaking]:
        """At which batch one engine or device becomes faster than another."""
        return overtakings(self.fits)

    @property
    def learned(self) -> Training | None:
        """The training that a speed is shown with: the fastest that was run to its end."""
        return next((training for training in self.trainings if training.measured), None)


def runs(examined: Sequence[Examined], out: Path) -> list[Run]:
    """Derive every run; links are relative to the folder `out`.

    A file that contradicts itself never stands for its machine.
    """
    newest = {id(file) for file in latest(found.file for found in examined if not found.findings)}
    out = out.resolve()
    return [_run(found, out, newest=id(found.file) in newest) for found in examined]


def headline(found: Sequence[Run]) -> str:
    """The answer in a sentence: fastest engine, its time, times the SUN, and what it learned."""
    fastest = min(
        (run for run in found if run.newest and run.fastest),
        key=lambda run: run.trainings[0].seconds.median,
        default=None,
    )
    if fastest is None:
        return "No row of these files says how long the training of 1989 takes."
    best = fastest.trainings[0]
    kind = "" if best.measured else "projected from steps, "
    return (
        f"{best.source.machine} trains the network of 1989 in {duration(best.seconds.median)} "
        f"({kind}{best.source.who}), {times(best.times_sun)} as fast as the SUN-4/260 with its "
        f"three days; {learned(fastest)}.{side_by_side(fastest)}"
    )


def learned(run: Run) -> str:
    """What the run's network had learned: a speed never stands alone."""
    training = run.learned
    if training is None or training.test is None or training.train is None:
        return "no engine was trained to the end here, so what it learns is not known"
    by = "" if training is run.fastest else f", trained with {training.source.who}"
    return (
        f"{training.test.misses} test and {training.train.misses} training misses on "
        f"{run.file.dataset}{by}"
    )


def side_by_side(run: Run) -> str:
    """How many trainings a minute the run's machine makes, many at once; empty if unmeasured."""
    rates = [(m.trainings_per_minute, m) for m in best(run.measures, "replicas")]
    for rate, measure in rates:
        if rate is not None:
            return f" Side by side it makes {significant(rate)} trainings a minute ({measure.who})."
    return ""


def _run(found: Examined, out: Path, *, newest: bool) -> Run:
    return Run(
        found=found,
        measures=list(found.measures),
        trainings=trainings(found.measures),
        cautions=cautions(found),
        newest=newest,
        link=_link(found.file.path, out),
    )


def _link(path: Path | None, out: Path) -> str | None:
    """A relative link to a result file, where it lies beside the reports as in this repository.

    Anywhere else the way there would tell of folders that are nobody's business.
    """
    if path is None:
        return None
    home, target = out.parent, path.resolve()
    if not target.is_relative_to(home):
        return None
    relative = os.path.relpath(target, out).replace(os.sep, "/")
    return quote(os.fsencode(relative))  # bytes: a file name need not be UTF-8
