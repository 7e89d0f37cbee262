"""What speaks against a row: pure functions from timings, laps and watches to doubts.

Derived by the reader, stored by nobody: a later reader may know better. A doubt says what was
found and what to try. Some doubts forbid: no verdict may rest on such a row, because its interval
cannot know what happened. The others are for a person: noise and drift are in the interval
already, which grows with both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median
from typing import Final

from bench.report.records import Row, State, Watch
from bench.report.statistics.modes import two_modes
from bench.report.statistics.ranks import differ
from bench.report.statistics.timings import FEWEST_LAPS, FEWEST_ROUNDS, Timings
from bench.report.wording import percent, significant

SPREAD: Final = 0.1  # IQR by median; pyperf too calls a benchmark unstable from 10% on
DRIFT: Final = 0.05  # between the medians of two laps, and beyond what rounds explain
SLOW_START: Final = 0.1  # the first rounds of each lap, above the rest
OPENING: Final = 10  # the first rounds are the first tenth of a lap
SURE: Final = 1e-3  # chance that a test calls a calm row drifting or slow to start
SLOWER_CLOCK: Final = 0.9  # after a lap, of what it was before; less is the governor's play
BUSY_CORES: Final = 0.5  # half a core: system services stay below, a busy loop takes 1
TICKS: Final = 0.02  # core-seconds that counters of 10 ms, read one after another, may be off by
FULL_SPEED: Final = 100  # percent
CALM: Final = ("0", "none", "no", "idle", "gpu idle")  # what a GPU says when nothing slows it


FEW: Final = "few rounds"


@dataclass(frozen=True)
class Doubt:
    """One thing that speaks against a row."""

    kind: str  # one or two words, for a table
    text: str  # what was found, with its figure
    remedy: str  # what to try
    forbids: bool = False  # no verdict may rest on the row


def doubts(row: Row) -> tuple[Doubt, ...]:
    """Everything that speaks against a row, what forbids a verdict first."""
    found = [*_timings(row.timings), *_watched(row.watches)]
    return tuple(sorted(found, key=lambda doubt: not doubt.forbids))


def _timings(timings: Timings) -> Iterator[Doubt]:
    rounds = len(timings.seconds)
    if rounds < FEWEST_ROUNDS:
        counted = "1 round" if rounds == 1 else f"{rounds} rounds"
        yield Doubt(FEW, f"{counted}, and {FEWEST_ROUNDS} make an interval",
                    "Measure longer: --profile full.", forbids=True)  # fmt: skip
        return
    ordered, middle = timings.ordered, timings.median
    if ordered[0] <= 0:
        return  # a clock too coarse for the row tells no noise from its own ticks
    if (spread := (ordered[-1 - rounds // 4] - ordered[rounds // 4]) / middle) > SPREAD:
        yield Doubt("spread", f"half of the rounds spread over {percent(spread)} of the median",
                    "Close what else runs; try a fixed clock.")  # fmt: skip
    drift = _drift(timings)
    yield from drift
    yield from _slow_start(timings)
    if not drift:  # laps at two speeds are two modes, and said better as drift
        yield from _two_modes(ordered)


def _drift(timings: Timings) -> list[Doubt]:
    """Laps farther apart than their rounds explain: the machine was not the same all along."""
    medians = timings.lap_medians
    if len(medians) < FEWEST_LAPS:
        return []
    apart = max(medians) / min(medians) - 1
    if apart <= DRIFT or not differ(timings.parts, SURE):
        return []
    rising = [later > earlier for earlier, later in pairwise(medians)]
    way = " and rose" if all(rising) else "" if any(rising) else " and fell"
    return [Doubt("drift", f"laps lie {percent(apart)} apart{way}",
                  "Let the machine cool down or warm up first; try a fixed clock.")]  # fmt: skip


def _slow_start(timings: Timings) -> Iterator[Doubt]:
    """The first rounds of the laps against the rest of them."""
    seconds = timings.seconds
    opening: list[float] = []
    rest: list[float] = []
    for begin, end in pairwise(accumulate(timings.laps, initial=0)):
        settled = begin + max(1, (end - begin) // OPENING)
        opening += seconds[begin:settled]
        rest += seconds[settled:end]
    if not rest:
        return
    slower = median(opening) / median(rest) - 1
    if slower > SLOW_START and differ([opening, rest], SURE):
        yield Doubt("slow start", f"the first rounds took {percent(slower)} longer than the rest",
                    "Measure longer, so that they weigh less: --profile full.")  # fmt: skip


def _two_modes(ordered: Sequence[float]) -> Iterator[Doubt]:
    if found := two_modes(ordered):
        yield Doubt("two modes", f"{percent(found.share)} of the rounds took "
                    f"{percent(found.apart)} longer than the others",
                    "Pin the clock and the process to its cores; look for a second "
                    "memory layout.")  # fmt: skip


def _watched(watches: Sequence[Watch]) -> Iterator[Doubt]:
    """What the machine was seen doing meanwhile."""
    for kind, text, core_seconds, remedy in (
        ("busy", "another process used {} cores", [watch.others for watch in watches],
         "Close what else runs."),
        ("stolen", "the hypervisor took {} cores away", [watch.stolen for watch in watches],
         "Ask for a machine of your own, or measure at another hour."),
    ):  # fmt: skip
        if found := _taken(core_seconds, watches):
            cores, lap = found
            yield Doubt(
                kind, f"{text.format(significant(cores, 2))} in {lap}", remedy, forbids=True
            )
    yield from _throttled(watches)
    if any("battery" in (watch.before.power, watch.after.power) for watch in watches):
        yield Doubt("battery", "measured on battery, where clocks are often held down",
                    "Plug it in.")  # fmt: skip


def _taken(
    core_seconds: Sequence[float | None], watches: Sequence[Watch]
) -> tuple[float, str] | None:
    """The cores that somebody else had for certain, and in which lap, where they were worst."""
    if not any(spent and spent > TICKS for spent in core_seconds):
        return None
    cores = [
        max(0.0, (spent or 0.0) - TICKS) / watch.seconds if watch.seconds else 0.0
        for spent, watch in zip(core_seconds, watches, strict=True)
    ]
    worst = max(cores)
    return (worst, f"lap {cores.index(worst) + 1} of {len(cores)}") if worst >= BUSY_CORES else None


def _throttled(watches: Sequence[Watch]) -> Iterator[Doubt]:
    """What slowed the processor or the GPU down; the first found is enough."""
    found = next(filter(None, (_slowed(watch.before, watch.after) for watch in watches)), None)
    if found is not None:
        yield Doubt("throttled", found, "Let it cool; give it air, or a lower fixed clock.")


def _slowed(before: State, after: State) -> str | None:
    """Counters that rose, clocks that fell, limits and reasons that the system gave."""
    rose = (after.throttled or 0) - (before.throttled or 0)
    if before.throttled is not None and rose > 0:
        return f"the processor throttled {rose:g} times"
    if after.speed_limit is not None and after.speed_limit < FULL_SPEED:
        return f"the system held the processor at {after.speed_limit:g}% of its speed"
    for what, earlier, later in (
        ("processor", before.cpu_mhz, after.cpu_mhz),
        ("GPU", before.gpu_mhz, after.gpu_mhz),
    ):
        if earlier is not None and later is not None and later < SLOWER_CLOCK * earlier:
            return f"the {what}'s clock fell from {earlier:g} to {later:g} MHz in a lap"
    if after.gpu_throttle is not None and after.gpu_throttle.lower() not in CALM:
        return f"the GPU was slowed: {after.gpu_throttle}"
    return None
