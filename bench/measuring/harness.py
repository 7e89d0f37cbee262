"""The clock: one row's rounds are timed here, lap by lap, and every value of a row comes from here.

For an engine's steps that is exactly `engine.run(placed); engine.sync()` (or predict in place of
run), one such call a round. Placing data, compiling, loading weights and verifying happen before.
Rounds of a lap follow each other with nothing between them, because an idle gap lets clocks drop
and caches cool. Where a round is more than that (replicas, a new process), results/README.md says
what.

A row's rounds are spread over laps, minutes apart (laps.py): a machine that is slow for a
while is then slow for a part of every row, and not for all of one.

A lap is taken again only for what is said beside its timings, never for the timings themselves,
because to choose by outcome is bias: where the clock gave what no clock gives, at once, and where
somebody else had our cores, by its watch, later (laps.py).
"""

from __future__ import annotations

import gc
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from bench.measuring.interrupts import INTERRUPTS
from bench.measuring.profiles import Profile
from bench.measuring.watch import Watching
from zipnet.engines import Engine, Placed
from zipnet.results.schema import LONGER, QUESTIONS, SLACK, Retaken, Row, Watch, clocked

Work = Callable[[], object]

FIRST_WARMING: Final = 0.1  # seconds: compiling is over, clocks rise, caches fill
WARMING: Final = 0.05  # seconds before each later lap's rounds: others have had the caches since
LONG: Final = 0.25  # seconds: a round as long warms itself, so little does its start weigh
TICK: Final = time.get_clock_info("perf_counter").resolution  # of the clock of seconds_of()
CLOCK_TRIES: Final = 3  # laps until we believe that this machine's clock cannot time a row


class ClockFault(Exception):
    """The clock gave times that no round takes. str() says which."""


def nothing() -> None:
    """The work of whoever has none to do."""


def seconds_of(work: Work) -> float:
    """The time of one call: the only place that reads the clock for a row."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def seconds_a_step(engine: Engine, probe: Placed) -> float:
    """About how long a step takes: those of the probe are taken twice, the first time to warm."""

    def steps() -> None:
        engine.run(probe)
        engine.sync()

    steps()
    return seconds_of(steps) / probe.steps


def value_of(work: Work) -> float:
    """What one call returned: the value of a round where the work measures itself."""
    value = work()
    if not (isinstance(value, int | float) and 0 <= value < math.inf):
        raise TypeError(f"a round returned {value!r}; expected a number in its question's unit")
    return value


@dataclass
class Timed:
    """A row and the work of its round, which can be taken up again in lap after lap.

    read: what a round came to: the seconds of a call of its work, or what the work returns.
    taking: which round of all is being taken, from 0; one that is taken again has its old number.
    enter: puts the process into this row's settings (threads, precision, weights) before a lap.
    leave: lets go after it of what would weigh on the other rows, large arrays mostly.
    fresh: called untimed before every round, where work must begin anew each time; such work is
    long, is not warmed, and whoever asks has prepared its engine.
    name: of the benchmark, which tells it from every other.
    """

    benchmark: Any
    row: Row
    work: Work
    enter: Work
    fresh: Work | None = None
    leave: Work | None = None
    read: Callable[[Work], float] = seconds_of
    name: str = ""
    each: float = 0.0  # seconds of a round, about
    rounds: list[int] = field(default_factory=list)  # to take in each lap
    values: list[float] = field(default_factory=list)
    taking: int = 0

    def plan(
        self, profile: Profile, estimate: float | None = None, most: int | None = None
    ) -> None:
        """Choose how many rounds each lap takes, from about how many seconds one needs.

        most: rounds of all laps, where there are no more different ones.
        """
        if self.fresh is None:
            self.enter()
            self.each = warm(self.work, min(FIRST_WARMING, profile.seconds))
            rounds = profile.rounds(self.each)
        else:
            assert estimate is not None
            self.each = estimate
            rounds = profile.long_rounds(estimate)
        self.rounds = shares(min(rounds, most or rounds), profile.laps)

    @property
    def later(self) -> float:
        """Seconds that the laps after the first will take, about."""
        laps = self.rounds[1:]
        return self.each * sum(laps) + WARMING * len(laps)

    def lap(self, number: int) -> None:
        """Take this lap's rounds and add them to the row, all of them or none.

        The last lap can be taken again: the earlier one is then set aside, and stays in the file.
        """
        try:
            for _ in range(CLOCK_TRIES):
                taken, watch = self._take(number)
                if (fault := self._fault(taken, watch)) is None:
                    break
            else:
                raise ClockFault(f"{fault}, {CLOCK_TRIES} times running")
        finally:
            if self.leave is not None:
                self.leave()
        laps = self.row.laps or []
        if number < len(laps):
            begin = len(self.values) - laps.pop()
            aside = Retaken(number + 1, self.values[begin:], self.row.watch.pop())
            self.row.retaken.append(aside)
            del self.values[begin:]
        self.values += taken
        self.row.laps = [*laps, len(taken)]
        self.row.watch.append(watch)
        self.save()

    def disturbed(self, number: int) -> bool:
        """Whether somebody else had our cores during this lap, the last one that was taken."""
        return len(self.row.watch) == number + 1 and self.row.watch[number].disturbed

    def _fault(self, taken: list[float], watch: Watch) -> str | None:
        """What a clock that steps or stands still has made of a lap; None where it did neither."""
        if self.row.unit != "s":
            return None
        for seconds in taken:
            if not clocked(seconds, QUESTIONS.get(self.row.question)):
                return f"the clock gave {seconds:g} s for a round"
        if sum(taken) > LONGER * watch.seconds + SLACK:
            return "by the clock, the rounds of a lap lasted longer than the lap"
        return None

    def _take(self, number: int) -> tuple[list[float], Watch]:
        watching = Watching()
        self.enter()
        # What is long warms itself, and plan() has just warmed what has no values yet.
        if self.fresh is None and self.each < LONG and self.values:
            warm(self.work, WARMING)
        gc.collect()  # so that a collection of our own set-up does not land in somebody's round
        gc.freeze()  # and the next one need not walk all that the libraries have loaded
        taken = []
        first = sum(self.rounds[:number])
        for at in range(first, first + self.rounds[number]):
            self.taking = at
            INTERRUPTS.answer()
            if self.fresh is not None:
                self.fresh()
            taken.append(self.read(self.work))
        return taken, watching.ended()

    def save(self) -> None:
        """Hand values and facts to pytest-benchmark.

        Raises ValueError for a number that is none, msgspec.ValidationError for any other fact
        that no reader would take: this row fails then, and not the whole session at its end.
        """
        facts = msgspec.to_builtins(self.row)
        json.dumps(facts, allow_nan=False)
        msgspec.convert(facts, Row)
        if self.benchmark.stats is None:  # a record is made by measuring, so an empty one is
            self.benchmark.pedantic(lambda: None)
        record = self.benchmark.stats
        stats = type(record.stats)()  # a new one: it keeps statistics that it once derived
        for value in self.values:
            stats.update(value)
        record.stats = stats  # and nothing in between for Ctrl-C to fall into
        record.extra_info.update(facts)


def warm(work: Work, seconds: float) -> float:
    """Call once for nothing, then until the time is up, once at least; the fastest's seconds.

    The first call of a shape may compile, allocate, choose kernels and fill caches; none of that
    is the steady state that a row claims to show.
    """
    work()
    best, end = math.inf, time.monotonic() + seconds
    while best == math.inf or time.monotonic() < end:
        best = min(best, max(0.0, seconds_of(work)))  # a clock may step back
    return best


def shares(rounds: int, laps: int) -> list[int]:
    """Rounds of each lap, as even as can be; fewer laps where there are fewer rounds."""
    laps = min(rounds, laps)
    return [rounds * (lap + 1) // laps - rounds * lap // laps for lap in range(laps)]
