"""One benchmark session: what it was asked for, what it measured, and the file it leaves."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import msgspec
import pytest
import torch

from bench.measuring import laps, writer
from bench.measuring.draft import Draft
from bench.measuring.folder import Folder
from bench.measuring.harness import Timed, Work, nothing, seconds_a_step, seconds_of, value_of
from bench.measuring.memory import let_go, shortage
from bench.measuring.profiles import Profile
from bench.measuring.settings import (
    DevicePlace,
    Setting,
    absences,
    places,
    settings,
    thread_counts,
)
from bench.measuring.workshop import Workshop
from zipnet import data, devices, engines, paper
from zipnet.engines import Engine, Placed
from zipnet.errors import UserError, one_line, shown
from zipnet.recipe import KARPATHY_1989
from zipnet.results import schema
from zipnet.results.schema import Absent, Row, Verified

PROBE_DIGITS: Final = 8


@dataclass
class Session:
    """State of one run of `pytest --benchmark-only`.

    rows are of the benchmarks that passed; one that failed never gets in, because whoever adds
    it waits for the outcome.
    """

    profile: Profile
    digits_name: str
    engines: list[str]
    devices: list[str]
    threads: list[int]
    train_limit: float
    results: Folder
    end: float = math.inf  # by time.monotonic(): after it no row begins
    rows: list[Timed] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    everything: set[str] | None = None  # the benchmarks of a whole run; None: not known
    ran: set[str] = field(default_factory=set)
    failed: dict[str, Absent] = field(default_factory=dict)  # without a row since its last attempt
    broken: set[str] = field(default_factory=set)  # those of them that are a failure
    cut: bool = False  # there was no time for some row
    failures: int = 0  # rows that lost a later lap
    finished: bool = False  # all that was to be measured was gone through
    saved: str | None = None
    lost: str | None = None  # why it is not where it was to be saved

    def __post_init__(self) -> None:
        self.draft = Draft()
        self.absent += absences(KARPATHY_1989, self.engines, self.devices)

    @functools.cached_property
    def places(self) -> dict[str, DevicePlace]:
        """Every place to measure in, by name."""
        return {str(place): place for place in places(self.devices, self.threads)}

    @functools.cached_property
    def settings(self) -> dict[str, Setting]:
        """Every setting to measure, by name."""
        found = settings(KARPATHY_1989, self.engines, self.places.values())
        return {str(setting): setting for setting in found}

    @property
    def whole(self) -> bool:
        """Whether every benchmark was run in every setting there is, and none has failed."""
        if self.everything is None or not self.everything <= self.ran:
            return False
        here = places(devices.KINDS, thread_counts(None))
        everywhere = settings(KARPATHY_1989, engines.names(), here)
        chosen = set(self.places.values()) >= set(here)
        chosen = chosen and set(self.settings.values()) >= set(everywhere)
        return chosen and not (self.broken or self.failures or self.cut)

    @functools.cached_property
    def workshop(self) -> Workshop:
        """Engines and digits; the digits are loaded with it."""
        return Workshop(KARPATHY_1989, data.load(self.digits_name))

    def document(self, body: dict[str, Any]) -> dict[str, Any]:
        """pytest-benchmark's JSON and what zipnet/results/schema.py adds to it."""
        about = self.draft.about(
            self.workshop.digits,
            status="complete" if self.finished else "interrupted",
            scope="all" if self.whole else "part",
            options=schema.Options(
                engines=self.engines,
                devices=self.devices,
                threads=self.threads,
                train_limit=self.train_limit,
            ),
            profile=self.profile.name,
            absent=[*self.absent, *self.failed.values()],
        )
        document: dict[str, Any] = msgspec.to_builtins(about)
        return document | {key: body[key] for key in ("benchmarks", "version")}

    @property
    def over(self) -> bool:
        """Whether the time that is left will go for the later laps of the rows there are."""
        return time.monotonic() + sum(row.later for row in self.rows) > self.end

    def left_out(self, where: str | None, benchmark: str, reason: str) -> None:
        """Note that a benchmark has no row in a setting or a place, and why."""
        self.absent.append(self._gap(where, benchmark, reason))

    def _gap(self, where: str | None, benchmark: str, reason: str) -> Absent:
        about = self.settings.get(where or "")
        engine = about.engine if about else None
        place = str(about.place) if about else where
        return _absent(engine, place, benchmark, reason)

    def attempt(self, benchmark: str) -> None:
        """A benchmark begins, perhaps once more: what an earlier attempt left counts no longer."""
        self.failed.pop(benchmark, None)
        self.broken.discard(benchmark)
        self.rows = [kept for kept in self.rows if kept.name != benchmark]

    def failure(
        self, benchmark: str, where: str | None, question: str, reason: str, *, excused: bool
    ) -> None:
        """Note that a benchmark failed; excused where that is no fault of its own."""
        self.failed[benchmark] = self._gap(where, question, reason)
        if not excused:
            self.broken.add(benchmark)

    def later_laps(self, again: Callable[[int], object] | None) -> Iterator[tuple[int, int]]:
        """Take the rest of every row's rounds; see laps.run()."""
        return laps.run(list(self.rows), self._lost, self.profile.retakes, again)

    def _lost(self, timed: Timed, error: Exception) -> None:
        """Drop a row that failed in a later lap: what it did before cannot be trusted either.

        Want of memory is no failure of the benchmark's, here as in its first lap.
        """
        row, short = timed.row, shortage(error)
        self.rows = [kept for kept in self.rows if kept is not timed]
        reason = short or one_line(f"{type(error).__name__}: {error}", 300)
        place = str(DevicePlace(row.device.partition(":")[0], row.threads))
        self.absent.append(_absent(row.engine, place, row.question, reason))
        if short is None:
            self.failures += 1
        else:
            let_go(error)

    def save(self, body: dict[str, Any]) -> None:
        """Write the result file: `saved` is its path or address afterwards.

        Hours of measuring are not lost for want of a folder: where saving fails, for whatever
        reason, `lost` says why, and `saved` lies in the system's folder for temporary files.
        """
        document, name = self.document(body), self.draft.name
        try:
            self.saved = writer.save(document, self.results, *name)
        except writer.Refused as error:
            self.saved, self.lost = error.kept, str(error)
        except Exception as error:  # each file system and store raises what it likes
            self.lost = one_line(str(error) or type(error).__name__)
            try:
                self.saved = writer.rescue(document, *name)
            except (UserError, OSError) as worse:
                self.lost += f"; nor can a temporary file be: {one_line(str(worse))}"


@dataclass
class Bench:
    """What a benchmark function is handed: its session, and the clock of its own row."""

    session: Session
    benchmark: Any
    name: str = ""
    timed: Timed | None = None

    @property
    def profile(self) -> Profile:
        """How long to measure."""
        return self.session.profile

    @property
    def train_limit(self) -> float:
        """Seconds that a whole training may be projected to take."""
        return self.session.train_limit

    @property
    def workshop(self) -> Workshop:
        """Where engines are made ready."""
        return self.session.workshop

    def queued(self, engine: Engine) -> Placed:
        """Steps on single digits, as many as last about as long as a round of them should."""
        probe = self.workshop.placed(engine, PROBE_DIGITS, 1)
        fit = int(self.profile.round_seconds / seconds_a_step(engine, probe))
        return self.workshop.placed(engine, min(max(PROBE_DIGITS, fit), paper.TRAIN_DIGITS), 1)

    def row(
        self, question: str, setting: Setting, placed: Placed, verified: Verified, passes: int = 1
    ) -> Row:
        """Describe a round that takes every step in placed, so many times."""
        presentations = passes * placed.presentations
        return Row(
            question=question,
            engine=setting.engine,
            device=placed.device,
            device_name=devices.describe(torch.device(placed.device)),
            dtype="float32",
            threads=setting.place.threads,
            batch=placed.batch,
            steps=passes * placed.steps,
            presentations=presentations,
            macs=presentations * self.workshop.recipe.step_macs,
            dataset=self.workshop.digits.name,
            dataset_sha256=self.workshop.digits.sha256,
            verified=verified,
        )

    def inference_row(
        self, question: str, setting: Setting, placed: Placed, verified: Verified
    ) -> Row:
        """Describe a round that recognises every digit in placed."""
        row = self.row(question, setting, placed, verified)
        row.batch, row.steps = placed.presentations, 0
        row.macs = placed.presentations * paper.MACS
        return row

    def measure(
        self,
        work: Work,
        row: Row,
        enter: Work,
        *,
        fresh: Work | None = None,
        leave: Work | None = None,
        estimate: float | None = None,
        most: int | None = None,
        read: Callable[[Work], float] | None = None,
    ) -> Timed:
        """Take the first lap of a row; the session takes the others. See harness.Timed.

        Where the question's unit is not seconds, `work` returns the value of its round.
        """
        question = schema.QUESTIONS.get(row.question)
        if question is None:
            raise UserError(
                f"question {shown(row.question)} is not one of QUESTIONS in "
                f"{schema.__name__}; give it an entry there: {', '.join(schema.QUESTIONS)}"
            )
        self.benchmark.group, row.unit = row.question, question.unit
        read = read or (seconds_of if question.unit == "s" else value_of)
        self.timed = Timed(self.benchmark, row, work, enter, fresh, leave, read, self.name)
        self.timed.plan(self.profile, estimate, most)
        self.timed.lap(0)
        return self.timed

    def keep(self, row: Row, values: list[float], broke: str | None = None) -> None:
        """Take over a row that another process measured, with all its laps.

        broke: why it has not all that were planned; the session then counts as failed.
        """
        self.benchmark.group = row.question
        self.timed = Timed(self.benchmark, row, nothing, nothing, name=self.name, values=values)
        if broke is not None:
            row.warnings.append(broke)
            self.session.failures += 1
        self.timed.save()

    def leave_out(self, setting: Setting, question: str, reason: str) -> NoReturn:
        """Note why there is no row, and skip the benchmark for that reason."""
        self.session.left_out(str(setting), question, reason)
        pytest.skip(reason)


def _absent(engine: str | None, place: str | None, question: str, reason: str) -> Absent:
    why = one_line(reason) or "no reason was given"
    return Absent(engine=engine, device=place, question=question, reason=why)
