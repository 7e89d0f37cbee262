"""What speaks against a row: from rounds, laps and watches to doubts.

Derived by the reader, stored by nobody: a later reader may know better. A doubt says what was
found, and REMEDIES what to try. Some doubts forbid: no verdict may rest on such a row, because its
interval cannot know what happened. The others are for a person: noise and drift are in the interval
already, which grows with both.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise
from operator import attrgetter, itemgetter
from typing import Final

import numpy as np

from zipnet.results.modes import two_modes
from zipnet.results.places import plain
from zipnet.results.schema import BUSY_CORES, FEWEST_ROUNDS, TICKS, State, Watch
from zipnet.results.statistics import (
    FEWEST_LAPS,
    Columns,
    Counts,
    Floats,
    Ragged,
    Rounds,
    differ,
    numbers,
)
from zipnet.results.units import percent, significant

SPREAD: Final = 0.1  # IQR by median; pyperf too calls a benchmark unstable from 10% on
DRIFT: Final = 0.05  # between the medians of two laps, and beyond what rounds explain
SLOW_START: Final = 0.1  # the first rounds of each lap, above the rest
OPENING: Final = 10  # the first rounds are the first tenth of a lap
SLOWER_CLOCK: Final = 0.9  # after a lap, of what it was before; less is the governor's play
FULL_SPEED: Final = 100  # percent
SYSTEM: Final = 0.3  # of the process's own time: arithmetic leaves the kernel next to none
CALM: Final = ("0", "none", "no", "idle", "gpu idle")  # a GPU's, when nothing slows it

# By whether they could change a verdict: on the first none may rest; the second slow a whole row,
# which no interval shows; all others are noise, which is in the interval already.
FORBID: Final = ("few rounds", "busy", "stolen")
SLOWED: Final = ("throttled", "battery")
REMEDIES: Final = {  # what to try against each kind of doubt, in the order in which they are said
    "few rounds": "Measure longer: --profile full.",
    "busy": "Close what else runs.",
    "stolen": "Ask for a machine of your own, or measure at another hour.",
    "throttled": "Let it cool; give it air, or a lower fixed clock.",
    "battery": "Plug it in.",
    "system time": "It may be page faults: memory that every step gives back and asks for anew. "
    "Measure again with MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ set high; the file says "
    "so then.",
    "spread": "Close what else runs; try a fixed clock.",
    "drift": "Let the machine cool down or warm up first; try a fixed clock.",
    "slow start": "Measure longer, so that they weigh less: --profile full.",
    "two modes": "Pin the clock and the process to its cores; look for a second memory layout.",
}

TAKEN: Final = (
    ("busy", "other_cpu_seconds", "another process used {} cores in {}"),
    ("stolen", "stolen_cpu_seconds", "the hypervisor took {} cores away in {}"),
)
BATTERY: Final = "measured on battery, where clocks are often held down"
Found = Iterator[tuple[int, str, str]]  # of which row, kind and text
UNKNOWN: Final = State()


def doubts(rounds: Rounds, watches: Sequence[Sequence[Watch]]) -> Columns:
    """Everything that speaks against each row.

    watches: of each row; none where a value is no time, which nobody else's work changes.
    quality: "kind: text; kind: text", what could change a verdict first, "" for nothing;
    forbidden: the first text that forbids one, or None; disturbed (bool): something else was at
    work meanwhile.
    """
    said: dict[int, dict[str, str]] = {}
    for row, kind, text in chain(_of_rounds(rounds), _watched(watches)):
        said.setdefault(row, {})[kind] = text
    forbidden, disturbed = np.full(len(watches), None, object), np.zeros(len(watches), bool)
    quality = np.full(len(watches), "", object)
    for row, texts in said.items():
        quality[row] = "; ".join(f"{kind}: {texts[kind]}" for kind in REMEDIES if kind in texts)
        forbidden[row] = next((texts[kind] for kind in FORBID if kind in texts), None)
        disturbed[row] = not texts.keys().isdisjoint(FORBID[1:])
    return {"quality": quality, "forbidden": forbidden, "disturbed": disturbed}


def _of_rounds(rounds: Rounds) -> Found:
    """What the rounds say, where their clock can tell noise from its own ticks."""
    sizes, rows = rounds.rows.sizes, rounds.rows
    for at in np.flatnonzero(sizes < FEWEST_ROUNDS).tolist():
        counted = "1 round" if sizes[at] == 1 else f"{sizes[at]} rounds"
        yield at, "few rounds", f"{counted}, and {FEWEST_ROUNDS} make an interval"
    seen = np.flatnonzero((sizes >= FEWEST_ROUNDS) & (rows.at(0) > 0))
    quarter = sizes // 4
    spread = (rows.at(sizes - 1 - quarter) - rows.at(quarter))[seen] / rows.medians[seen]
    for at, share in zip(seen[spread > SPREAD].tolist(), spread[spread > SPREAD], strict=True):
        yield at, "spread", f"half of the rounds spread over {percent(share)} of the median"
    drifting = set()
    for at, text in _drift(rounds, seen[rounds.lap_medians.sizes[seen] >= FEWEST_LAPS]):
        drifting.add(at)
        yield at, "drift", text
    yield from _slow_start(rounds, seen)
    calm = np.array([at for at in seen.tolist() if at not in drifting], int)
    for at, mode in two_modes(rows.take(calm)):  # laps at two speeds are said better as drift
        more = f"{percent(mode.apart)} above the others"
        yield int(calm[at]), "two modes", f"{percent(mode.share)} of the rounds lie {more}"


def _drift(rounds: Rounds, rows: Counts) -> Iterator[tuple[int, str]]:
    """Laps farther apart than their rounds explain: the machine was not the same all along."""
    laps = rounds.lap_medians.take(rows)
    apart = laps.at(laps.sizes - 1) / laps.at(0) - 1
    far = apart > DRIFT
    rows, apart, laps = rows[far], apart[far], laps.take(np.flatnonzero(far))
    certain = differ(rounds.rows.take(rows), [rounds.parts[row] for row in rows])
    for at in np.flatnonzero(certain).tolist():
        rising = (np.diff(laps.take(np.array([at])).flat) > 0).tolist()
        way = " and rose" if all(rising) else "" if any(rising) else " and fell"
        yield int(rows[at]), f"laps lie {percent(apart[at])} apart{way}"


def _slow_start(rounds: Rounds, rows: Counts) -> Found:
    """The first rounds of the laps against the rest of them."""
    starts = [_openings(rounds.laps[row]) for row in rows.tolist()]
    opened = np.array([len(first) for first, _ in starts], int)
    some = rounds.rows.take(rows)
    where = np.fromiter(chain.from_iterable(first for first, _ in starts), int)
    first = Ragged(some.flat[where + np.repeat(some.starts, opened)], opened).medians
    # What is left of a row has its median no lower than if its largest rounds were left out.
    likely = first > (1 + SLOW_START) * some.at((some.sizes - opened - 1) // 2)
    for at in np.flatnonzero(likely & (opened < some.sizes)).tolist():
        values, (begin, rest) = rounds.values[rows[at]], starts[at]
        slower = first[at] / np.median(values[rest]) - 1
        both = Ragged(values[begin + rest], some.sizes[at : at + 1])
        if slower > SLOW_START and differ(both, [(len(begin), len(rest))])[0]:
            text = f"the first rounds lie {percent(slower)} above the rest"
            yield int(rows[at]), "slow start", text


@functools.lru_cache(4096)
def _openings(laps: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Which rounds are the first of their lap, and which are not."""
    opening: list[int] = []
    rest: list[int] = []
    for begin, end in pairwise(accumulate(laps, initial=0)):
        settled = begin + max(1, (end - begin) // OPENING)
        opening += range(begin, settled)
        rest += range(settled, end)
    return opening, rest


def _watched(watches: Sequence[Sequence[Watch]]) -> Found:
    """What the machine was seen doing meanwhile; of several that slowed it, the first is enough."""
    laps = [*chain.from_iterable(watches)]
    own, system = (_read(laps, f"own_{name}_seconds") for name in ("cpu", "system"))
    of_rows = Ragged(own, np.array([*map(len, watches)], int))
    for kind, field, text in TAKEN:
        for row in {*of_rows.row[_read(laps, field) > TICKS].tolist()}:
            if found := _cores([watch.cores(getattr(watch, field)) for watch in watches[row]]):
                yield row, kind, text.format(*found)
    own, system = (of_rows.sums(np.where(taken > 0, taken, 0.0)) for taken in (own, system))
    for row in np.flatnonzero(system > np.maximum(SYSTEM * own, TICKS * of_rows.sizes)).tolist():
        share = percent(system[row] / max(system[row], own[row]))
        yield row, "system time", f"{share} of its own time was the kernel's"
    before, after = ([state or UNKNOWN for state in map(attrgetter(when), laps)]
                     for when in ("before", "after"))  # fmt: skip
    for states in (before, after):
        powers = np.array([*map(attrgetter("power"), states)], object)
        for lap in np.flatnonzero(powers == "battery").tolist():
            yield int(of_rows.row[lap]), "battery", BATTERY
    slowed: dict[int, str] = {}
    for lap, text in sorted(_slowed(before, after), key=itemgetter(0)):
        slowed.setdefault(int(of_rows.row[lap]), text)
    yield from ((row, "throttled", text) for row, text in slowed.items())


def _cores(cores: Sequence[float]) -> tuple[str, str] | None:
    """The cores that somebody else had in each lap: how many, and when, where they were worst."""
    lap = f"lap {cores.index(max(cores)) + 1} of {len(cores)}"
    return (significant(max(cores), 2), lap) if max(cores) >= BUSY_CORES else None


def _read(structs: Sequence[Watch | State], field: str) -> Floats:
    return numbers([*map(attrgetter(field), structs)])


def _slowed(before: Sequence[State], after: Sequence[State]) -> Iterator[tuple[int, str]]:
    """Of laps: counters that rose, clocks that fell, limits and reasons that the system gave."""
    rose = _read(after, "throttled") - _read(before, "throttled")
    for lap in np.flatnonzero(rose > 0).tolist():
        yield lap, f"the processor throttled {rose[lap]:g} times"
    limit = _read(after, "speed_limit")
    for lap in np.flatnonzero(limit < FULL_SPEED).tolist():
        yield lap, f"the system held the processor at {limit[lap]:g}% of its speed"
    for whose, field in (("processor", "cpu_mhz"), ("GPU", "gpu_mhz")):
        earlier, later = _read(before, field), _read(after, field)
        for lap in np.flatnonzero(later < SLOWER_CLOCK * earlier).tolist():
            clocks = f"from {earlier[lap]:g} to {later[lap]:g} MHz in a lap"
            yield lap, f"the {whose}'s clock fell {clocks}"
    for lap, reason in enumerate(map(attrgetter("gpu_throttle"), after)):
        if reason and reason.lower() not in CALM:
            yield lap, f"the GPU was slowed: {plain(reason)}"
