"""Every row with what follows from it: rates, the machine's own peak, the time of the 1989 run.

Files hold raw timings and counts only. Whatever the report states about speed is derived here,
once, so that tables, figures and summary.csv cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from bench.report.check import row_findings
from bench.report.check.duplicates import fingerprint
from bench.report.records import ResultFile, Row, Score
from bench.report.rows.peaks import Allowed, peaks
from bench.report.rows.quality import FEW, Doubt, doubts
from bench.report.statistics.stats import Estimate, estimate
from bench.report.wording import joined, threads
from zipnet import paper

Kind = Literal["network", "machine"]


class Measure(NamedTuple):
    """One row of one file, and what its raw timings came to: nothing here needs them any more.

    Rates are derived when they are asked for; None where one has no meaning.
    """

    file: ResultFile
    row: Row
    seconds: Estimate  # of one round
    peak: float | None  # MAC/s that this device reached with as many threads
    rounds: int
    lap_medians: tuple[float, ...]  # seconds; of fifths where the row was measured in one go
    doubts: tuple[Doubt, ...]
    fingerprint: str | None  # of the raw timings: equal only where they are; None of too few

    @property
    def machine(self) -> str:
        """The machine's name."""
        return self.file.machine.name

    @property
    def who(self) -> str:
        """Engine, device and threads."""
        return who(self.row)

    @property
    def us_per_presentation(self) -> Estimate | None:
        """Microseconds that one digit takes."""
        return self.seconds.scaled(1e6 / self._shown) if self._shown else None

    @property
    def presentations_per_second(self) -> Estimate | None:
        """Digits shown to a network."""
        return self.seconds.rate(self._shown) if self._shown else None

    @property
    def macs_per_second(self) -> Estimate | None:
        """Multiply-accumulates."""
        return self.seconds.rate(self.row.macs) if self.row.macs else None

    @property
    def bytes_per_second(self) -> Estimate | None:
        """Bytes read and written."""
        return self.seconds.rate(self.row.bytes) if self.row.bytes else None

    @property
    def _shown(self) -> int | None:
        return self.row.presentations if self.row.shows_digits else None

    @property
    def forbidden(self) -> str | None:
        """Why no verdict may rest on this row; None where one may."""
        for doubt in self.doubts:
            if doubt.forbids:
                return doubt.text
        return None

    @property
    def disturbed(self) -> bool:
        """Whether something else was at work meanwhile; figures mark it. Few rounds show anyway."""
        return any(doubt.forbids and doubt.kind != FEW for doubt in self.doubts)

    @property
    def unit(self) -> tuple[str, int]:
        """What times are compared per, and how many of it one round holds."""
        row = self.row
        if row.shows_digits and row.presentations:
            return "presentation", row.presentations
        if row.macs:
            return "MAC", row.macs
        return ("byte", row.bytes) if row.bytes else ("round", 1)

    @property
    def seconds_per_unit(self) -> Estimate:
        """Of one presentation, MAC, byte or round: what two machines are compared by."""
        return self.seconds.scaled(1 / self.unit[1])

    @property
    def kind(self) -> Kind:
        """Whether a network was at work, or only the machine: the two are never averaged."""
        return "network" if self.row.shows_digits else "machine"

    @property
    def seconds_each(self) -> float:
        """Of one presentation, or of the round where nothing is shown: what rows are ordered by."""
        return self.seconds.median / (self.row.presentations or 1)

    @property
    def combination(self) -> tuple[str, str | None, str]:
        """What stays the same while thread counts and questions vary."""
        return (self.file.source, self.row.engine, self.row.device)

    @property
    def trainings_per_minute(self) -> float | None:
        """Whole runs of 1989 a minute, for a row of many side by side."""
        if self.row.question != "replicas" or self.presentations_per_second is None:
            return None
        return 60.0 * self.presentations_per_second.median / paper.PRESENTATIONS

    @property
    def share_of_peak(self) -> float | None:
        """How much of the machine's own peak the row reached."""
        if self.peak is None or self.macs_per_second is None:
            return None
        return self.macs_per_second.median / self.peak


@dataclass(frozen=True)
class Training:
    """The time one engine needs for the 167,693 presentations, measured or projected."""

    source: Measure
    seconds: Estimate
    measured: bool

    @property
    def times_sun(self) -> float:
        """How many times faster than the three days on the SUN-4/260."""
        return paper.SUN_TRAINING_SECONDS / self.seconds.median

    @property
    def train(self) -> Score | None:
        """What it had learned on the training digits; None where the run is a projection."""
        return self.source.row.train if self.measured else None

    @property
    def test(self) -> Score | None:
        """What it had learned on the test digits; None where the run is a projection."""
        return self.source.row.test if self.measured else None


def measures(file: ResultFile) -> list[Measure]:
    """Derive what can be derived from every sound row of a file."""
    found = zip(file.rows, row_findings(file), strict=True)
    return derive(file, [row for row, findings in found if not findings])


def derive(file: ResultFile, sound: Sequence[Row]) -> list[Measure]:
    """Derive what can be derived from these rows of a file."""
    reached = peaks(sound)
    return [_measure(file, row, reached) for row in sound]


def who(row: Row) -> str:
    """Engine, device and threads."""
    return joined((row.engine, row.device, threads(row.threads)))


def latest(files: Iterable[ResultFile]) -> list[ResultFile]:
    """One file a machine: its newest complete run of everything, or else its newest.

    Figures compare within one run only; older runs keep their tables.
    """
    kept: dict[str, ResultFile] = {}
    for file in files:
        rival = kept.get(file.machine.name)
        if rival is None or _freshness(file) >= _freshness(rival):
            kept[file.machine.name] = file
    return list(kept.values())


def best(found: Iterable[Measure], question: str) -> list[Measure]:
    """The better thread count of each engine and device for one question, fastest first."""
    rows = [m for m in found if m.row.question == question and m.us_per_presentation]
    return first_of_each(
        sorted(rows, key=lambda measure: measure.seconds_each), lambda measure: measure.combination
    )


def trainings(found: Sequence[Measure]) -> list[Training]:
    """Each engine's and device's time for the whole run, shortest first.

    Measured where the run was made; otherwise projected from queued steps, a projection being
    the time of a presentation times 167,693. A measurement is preferred to a projection even
    where another thread count might be faster.
    """
    measured = [
        Training(m, m.seconds, measured=True)
        for m in best(found, "training")
        if m.row.presentations == paper.PRESENTATIONS
    ]
    done = {training.source.combination for training in measured}
    projected = [
        Training(m, m.us_per_presentation.scaled(1e-6 * paper.PRESENTATIONS), measured=False)
        for m in best(found, "sgd-queued")
        if m.us_per_presentation and m.row.batch == 1 and m.combination not in done
    ]
    return sorted(measured + projected, key=lambda training: training.seconds.median)


def training_of(measure: Measure) -> Training | None:
    """The training time that this very row stands for, if it stands for one."""
    found = trainings([measure])
    return found[0] if found else None


Shown = TypeVar("Shown")


def fit(rows: Sequence[Shown], budget: int, machine: Callable[[Shown], str]) -> list[Shown]:
    """Choose what a figure has room for: all; or the first of each machine; or the first few.

    The rows come best first, and keep their order.
    """
    if len(rows) <= budget:
        return list(rows)
    return first_of_each(rows, machine)[:budget]


def _measure(file: ResultFile, row: Row, reached: dict[Allowed, float]) -> Measure:
    return Measure(
        file=file,
        row=row,
        seconds=estimate(row.timings),
        peak=reached.get((row.device, row.threads)) if row.macs else None,
        rounds=len(row.seconds),
        lap_medians=row.timings.lap_medians,
        doubts=doubts(row),
        fingerprint=fingerprint(row.timings),
    )


def _freshness(file: ResultFile) -> tuple[bool, bool, str]:
    whole = file.status == "complete" and file.scope == "all"
    return (whole, whole and file.profile != "quick", file.written)


def first_of_each(rows: Iterable[Shown], key: Callable[[Shown], object]) -> list[Shown]:
    """The first row of each key, in the order in which they came."""
    kept: dict[object, Shown] = {}
    for row in rows:
        kept.setdefault(key(row), row)
    return list(kept.values())
