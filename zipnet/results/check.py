"""Does a file agree with itself? What decoding its fields one by one cannot see.

A finding is one line for a person: what is said and why it cannot be. Findings about a row make
the row invalid: no page, figure or comparison reads a number from it, and the finding itself
never quotes a timing. Findings about the file as a whole are shown beside what it says, and keep
it out of comparisons.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final

import numpy as np
from msgspec.structs import astuple

from zipnet import paper
from zipnet.errors import shown
from zipnet.results.places import plain
from zipnet.results.schema import (
    LONGER,
    QUESTIONS,
    SLACK,
    STATISTICS,
    Benchmark,
    ResultFile,
    Row,
    Stats,
    Trained,
)
from zipnet.results.statistics import Columns, Floats, Ragged, Rounds, numbers
from zipnet.results.units import quantity

# Rounding of stated statistics: sums are taken in another order by newer versions of Python, and
# differences of nearly equal timings keep few digits of them.
TOLERANCE: Final = 1e-9

# A timing is the difference of two readings of a clock that has run for hours, so it carries the
# rounding of their many digits: 0.0025 comes out as 0.0024999999 or so. One timing in thousands
# is short by accident; a column of them was typed.
MANY_ROUNDS: Final = 10
DIGITS: Final = 6  # significant ones; a timing of a clock has 9 to 17
TICK: Final = 1e-9  # seconds; of a clock that a file says nothing of
FINE: Final = 10**DIGITS  # ticks; below it, a clock may give many rounds one timing
DIFFERENT: Final = 20  # above it, one in so many is different at the least

# A library's matrix product need not reach the very peak, and clocks move within a run.
BEYOND_PEAK: Final = 1.5
# Multiply-adds of one core a second: two units of sixteen float32 lanes are the widest built, and
# no processor runs at 8 GHz. Twice that, for what may come.
CORE_MACS: Final = 2 * 2 * 16 * 8e9
BYTES: Final = 1e14  # a second; the memory of the fastest accelerators moves some 1e13

COUNTS: Final = {name: getattr(paper, name.upper()) for name in (
    "params", "macs", "activations", "connections", "units", "step_macs", "passes", "train_digits",
    "presentations",
)}  # fmt: skip
NAMED: Final = re.compile(r"(\d{8}T\d{6})Z_([0-9a-f]{7,40}|nocommit)(-\d+)?\.json")
LONGEST_RUN: Final = timedelta(days=2)  # a full run takes hours; the name says when it began
CLOCKS: Final = timedelta(hours=1)  # between name and datetime: a clock may be set meanwhile

COUNTED: Final = [STATISTICS.index("stddev_outliers"), STATISTICS.index("iqr_outliers")]
# Statistics that are compared by their own size; the others by that of the row's largest timing.
OWN_SIZE: Final = np.isin(STATISTICS, ("total", "ops", "stddev_outliers", "iqr_outliers"))

PEAKS: Final = ("floor-gemm", "floor-fma")  # of a loop of FMAs, where there is one

Lines = list[list[str]]  # one list a row
Allowed = tuple[str, float]  # a device and the CPU threads it was allowed; 0 on an accelerator


def findings(
    files: Sequence[tuple[str, ResultFile]], rounds: Rounds, medians: Floats, best: Floats
) -> tuple[list[tuple[str, ...]], Lines]:
    """What cannot be right about each file as a whole, and about each of the rows of all.

    files: with the name of each that a reader sees. rounds, medians, and best, see
    fastest(): of all rows, file after file.
    """
    rows = [row for _, file in files for row in file.benchmarks]
    ticks = [file.clock_tick or TICK for _, file in files for _ in file.benchmarks]
    lines: Lines = [[] for _ in rows]
    if rows:
        _stated(rows, rounds, lines)
    _clock(rows, rounds, np.array(ticks), lines)
    _laps(rows, rounds, lines)
    begin = 0
    for _, file in files:
        own = slice(begin, begin := begin + len(file.benchmarks))
        for row, found in zip(file.benchmarks, lines[own], strict=True):
            found.extend(_work(row.extra_info, file))
            if row.extra_info.levels:
                found.extend(_levels(row))
            if row.extra_info.trained and len(row.extra_info.learned) != len(row.stats.data):
                found.append(f"learned holds {len(row.extra_info.learned)} trainings, but "
                             f"stats.data {len(row.stats.data)}")  # fmt: skip
        _twice(file, rounds.fingerprints[own].tolist(), lines[own])
        _rates(file, medians[own].tolist(), best[own].tolist(), lines[own])
    return [tuple(_of_file(file, source)) for source, file in files], lines


def fastest(rows: Sequence[Benchmark], rounds: Rounds) -> Floats:
    """Seconds of the best round of each floor that is a peak; infinite of all other rows.

    A ceiling is what was reached once: a floor that others slowed says less than the machine can.
    Laps during which somebody else had the cores are no evidence at all.
    """
    best = np.full(len(rows), np.inf)
    for at, about in enumerate(row.extra_info for row in rows):
        if about.question in PEAKS:
            calm = [not watch.disturbed for watch in about.watch]
            if len(calm) != len(rounds.laps[at]):
                calm = [True] * len(rounds.laps[at])
            seen = rounds.values[at][np.repeat(calm, rounds.laps[at])]
            best[at] = seen[seen > 0].min(initial=np.inf)
    return best


def peaks(columns: Columns, best: Floats) -> Floats:
    """MAC/s that a row's device reached with as many threads in its file; NaN where none is known.

    best: see fastest(). Of sound rows only: of a loop of FMAs where there is one, and otherwise of
    a matrix product.
    """
    names, threads = columns["device"].tolist(), np.nan_to_num(columns["threads"]).tolist()
    keys = list(zip(columns["file"].tolist(), names, threads, strict=True))
    reached = np.where(columns["sound"] & (columns["unit"] == "s"), columns["macs"] / best, np.nan)
    found: dict[Any, float] = {}
    order = np.argsort(reached)  # the largest comes last, and stays
    for question in PEAKS:
        floors = order[(columns["question"] == question)[order] & (reached > 0)[order]]
        found |= {keys[at]: reached[at] for at in floors.tolist()}
    return np.array([found.get(key, np.nan) for key in keys], np.float64)


# --- the statistics that a file states must follow from the timings that it holds -----------------


def _stated(rows: Sequence[Benchmark], rounds: Rounds, lines: Lines) -> None:
    """pytest-benchmark's, by its own formulas: a row edited by hand gives itself away."""
    columns = zip(*(astuple(row.stats) for row in rows), strict=True)
    said = dict(zip(Stats.__struct_fields__, columns, strict=True))
    stated = np.array([numbers(said[name]) for name in STATISTICS])
    possible = _statistics(rounds.rows)
    counted = possible[:, COUNTED]  # at the least, and at the most
    possible[0, COUNTED] = np.clip(np.rint(stated[COUNTED]), *counted)
    slack = np.outer(~OWN_SIZE, TOLERANCE * rounds.rows.at(rounds.rows.sizes - 1))
    size = TOLERANCE * np.maximum(np.abs(stated), np.abs(possible))
    wrong = (np.abs(stated - possible) > np.maximum(size, slack)).all(axis=0).T
    for at in np.flatnonzero(said["rounds"] != rounds.rows.sizes).tolist():
        lines[at].append(
            f"stats.rounds is {said['rounds'][at]}, but stats.data holds {rounds.rows.sizes[at]}"
        )
    for at, count in enumerate(said["iterations"]):
        if count not in (None, 1):
            lines[at].append(f"stats.iterations is {count}; a round is one iteration, always")
    for at, which in np.argwhere(wrong).tolist():  # what is not stated is NaN, and never wrong
        lines[at].append(_underivable(STATISTICS[which], float(stated[which, at])))
    for at, outliers in enumerate(said["outliers"]):
        if outliers is not None and not _counted(outliers, counted[:, :, at].T.tolist()):
            lines[at].append(_underivable("outliers", outliers))


def _underivable(name: str, value: float | str) -> str:
    return f"stats.{name} is {shown(value)}, which stats.data does not give"


def _counted(outliers: str, bounds: Sequence[Sequence[float]]) -> bool:
    """Whether a text such as 3;0 counts outliers as they may be counted."""
    said = outliers.split(";")
    may = [map(str, range(int(least), int(most) + 1)) for least, most in bounds]
    return len(said) == 2 and all(one in known for one, known in zip(said, may, strict=True))


def _statistics(rows: Ragged) -> Floats:
    """Every statistic of pytest-benchmark 5.3, (2, statistics, rows): what may be stated.

    Mostly one number twice; of outliers the least and the most that may be counted.
    """
    size, shortest, longest = rows.sizes, rows.at(0), rows.at(rows.sizes - 1)
    total = rows.sums(rows.flat)
    mean = total / size
    squares = rows.sums((rows.flat - mean[rows.row]) ** 2)
    stddev = np.sqrt(squares / np.maximum(1, size - 1))
    # Medians of the halves of an even number of timings, weighted of an odd: Hazen's quartiles.
    q1, q3 = rows.at((size - 2) / 4), rows.at((3 * size - 2) / 4)
    fences = np.array([mean - stddev, q1 - 1.5 * (q3 - q1)])
    beyond = np.array([mean + stddev, q3 + 1.5 * (q3 - q1)])
    # One that lies on a fence, but for rounding, may count; where fences meet, all lie on one.
    slack = TOLERANCE * longest
    low, high = rows.below(np.array([
        [fences, fences - slack, fences + slack],
        np.nextafter([beyond, beyond + slack, beyond - slack], np.inf),
    ]))  # fmt: skip
    outliers = low[1:] + size - high[1:]  # at the least, and at the most
    outliers[1] = np.where(fences + slack >= beyond - slack, size, outliers[1])
    found: dict[str, Any] = {
        "min": shortest,
        "max": longest,
        "mean": mean,
        "stddev": stddev,
        "median": rows.medians,
        "q1": q1,
        "q3": q3,
        "iqr": q3 - q1,
        "ld15iqr": rows.at(low[0, 1]),
        # Before 5.3 it was the first timing beyond the fence, or the last one of all.
        "hd15iqr": [rows.at(high[0, 1] - 1), rows.at(high[0, 1])],
        "ops": np.divide(size, total, out=np.zeros_like(total), where=total > 0),
        "total": total,
        "stddev_outliers": outliers[:, 0],
        "iqr_outliers": outliers[:, 1],
    }
    possible = np.empty((2, len(STATISTICS), len(size)))
    for at, name in enumerate(STATISTICS):
        possible[:, at] = found[name]
    return possible


# --- timings that no clock gives, and laps that do not fit what was watched -----------------------


def _clock(rows: Sequence[Benchmark], rounds: Rounds, ticks: Floats, lines: Lines) -> None:
    """Timings with too few digits, or too few different ones; a quick look leaves few rows."""
    timed = rounds.rows
    steps = timed.sums(np.diff(timed.ordered, prepend=np.nan) != 0)
    longest = timed.at(timed.sizes - 1)
    fine = longest > FINE * ticks
    few = fine & (steps <= np.maximum(1, timed.sizes // DIFFERENT) + 1)
    digits = longest * 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.maximum(longest, 1e-300))))
    # What a tick of a nanosecond or less leaves out, the rounding of long readings gives back.
    short = (fine | (ticks <= TICK)) & (np.abs(digits - np.rint(digits)) < 1e-6)
    for at in np.flatnonzero((few | short) & (timed.sizes >= MANY_ROUNDS)).tolist():
        if rows[at].extra_info.unit == "s":
            values = rounds.values[at]  # those above 0: the clock saw no others
            lines[at] += _typed(np.sort(values[values > 0]).tolist(), FINE * ticks[at])


def _typed(ordered: list[float], fine: float) -> Iterator[str]:
    count, different = len(ordered), len(set(ordered))
    if count < MANY_ROUNDS:
        return
    if all(map(_short, ordered)):
        yield (f"all {count} timings have at most {DIGITS} digits; a clock's have more, so these "
               "were typed or rounded")  # fmt: skip
    elif ordered[0] > fine and different <= max(1, count // DIFFERENT):
        yield f"{count} rounds hold only {different} different timings"


def _short(timing: float) -> bool:
    return float(f"{timing:.{DIGITS - 1}e}") == timing


def _laps(rows: Sequence[Benchmark], rounds: Rounds, lines: Lines) -> None:
    """Every lap must have lasted at least as long as its rounds."""
    limits: list[float] = []
    for row, laps, found in zip(rows, rounds.laps, lines, strict=True):
        about = row.extra_info
        if about.watch and len(about.watch) != len(laps):
            found.append(f"watch has {len(about.watch)} entries, one for each of {len(laps)} laps "
                         "expected")  # fmt: skip
        known = len(about.watch) == len(laps) and about.unit == "s"
        limits += [watch.seconds for watch in about.watch] if known else [np.inf] * len(laps)
    each = Ragged(rounds.rows.flat, np.array([*chain.from_iterable(rounds.laps)], int))
    of_rows = Ragged(each.sums(each.flat), np.array([len(laps) for laps in rounds.laps], int))
    for at in np.flatnonzero(of_rows.flat > LONGER * np.array(limits) + SLACK).tolist():
        whose = int(of_rows.row[at])
        lap = at - of_rows.starts[whose] + 1
        lines[whose].append(f"the rounds of lap {lap} last longer than the lap, by its watch")


# --- counts of one round that follow from one another ---------------------------------------------


def _work(row: Row, file: ResultFile) -> Iterator[str]:
    """What the counts of a row contradict; nothing where its question is unknown."""
    question = QUESTIONS.get(row.question)
    if question is None:
        return
    if row.unit != question.unit:
        yield f"unit is {plain(row.unit)}; {row.question} is measured in {question.unit}"
    there = (file.dataset.name, file.dataset.sha256)
    if not row.trained and row.dataset and (row.dataset, row.dataset_sha256) != there:
        yield (f"dataset is {plain(row.dataset)}, not the file's "
               f"{plain(file.dataset.name)} with the same hash")  # fmt: skip
    if row.batch and row.batch > paper.TRAIN_DIGITS:
        yield f"batch is {row.batch}, more than the {paper.TRAIN_DIGITS} digits there are"
    world, hosts, each = row.world or 1, row.hosts or 1, row.ranks_a_host or row.world or 1
    if not hosts <= world <= hosts * each <= hosts * world:
        yield f"world is {world}, which hosts {hosts} and ranks_a_host {each} do not make"
    if row.width is not None and "width" not in question.needs:
        yield f"width is {row.width}; a {row.question} row is of the network of 1989"
    elif question.shows_digits:
        yield from _network(row, learns=question.work == "learns")
    else:
        for name in ("macs", "bytes", "presentations"):
            if (count := getattr(row, name)) and question.work != name:
                yield f"{name} is {count}; a {row.question} row counts none"


def _levels(row: Benchmark) -> Iterator[str]:
    """What the trainings of a row's rounds cannot have taken to the levels of error."""
    about, rounds = row.extra_info, row.stats.data
    before: Sequence[tuple[float, float]] = [(0, 0.0)] * len(rounds)
    above = np.inf
    for level in about.levels or ():
        name = f"levels of {level.error:g}%"
        if level.error >= above:
            yield f"{name}: stands below one of {above:g}%"
            return
        above = level.error
        if not len(level.passes) == len(level.seconds) == len(rounds):
            yield f"{name}: {len(level.seconds)} times, for {len(rounds)} trainings"
            return
        took = [(np.inf if p is None else p, np.inf if s is None else s)
                for p, s in zip(level.passes, level.seconds, strict=True)]  # fmt: skip
        most = about.most_passes or np.inf
        for (passes, seconds), (earlier, sooner), whole in zip(took, before, rounds, strict=True):
            if (passes == np.inf) != (seconds == np.inf):
                yield f"{name}: reached by its passes or by its seconds, not by both"
            elif passes < earlier or seconds < sooner:
                yield f"{name}: reached before a level that lies above it"
            elif passes != np.inf and (passes > most or seconds > LONGER * whole + SLACK):
                yield f"{name}: reached after the training that went for it had ended"
        before = took


def _network(row: Row, *, learns: bool) -> Iterator[str]:
    if row.trained is not None:
        yield from _trained(row, row.trained)
        return
    digits = row.presentations or 0
    if learns and digits != (row.steps or 0) * (row.batch or 0):
        yield f"presentations is {digits}, but steps x batch is {row.steps} x {row.batch}"
    if not learns and row.steps != 0:
        yield f"steps is {row.steps}; nothing is learned where digits are recognised"
    each = paper.total("step_macs" if learns else "macs", row.width or 1)
    if row.macs is not None and row.macs != each * digits:
        yield f"macs is {row.macs}, but {digits} presentations need {each * digits}"
    if not (row.train or row.test or row.replicas or row.replica_misses):
        return
    # No data set has more digits than that of 1989: smaller ones are padded to it, never cut.
    for name, misses, there in (
        ("train.misses", [row.train.misses] if row.train else (), paper.TRAIN_DIGITS),
        ("test.misses", [row.test.misses] if row.test else (), paper.TEST_DIGITS),
        ("replica_misses", row.replica_misses or (), paper.TEST_DIGITS),
    ):
        beyond = next((count for count in misses if count > there), None)
        if beyond is not None:
            yield f"{name} is {beyond}, more than the {there} digits there are"
    if row.replicas and row.replica_misses and len(row.replica_misses) != row.replicas:
        yield f"replica_misses holds {len(row.replica_misses)}, for {row.replicas} replicas"
    if row.replicas and digits % row.replicas:
        yield f"presentations is {row.presentations}, which {row.replicas} replicas cannot share"


def _trained(row: Row, recipe: Trained) -> Iterator[str]:
    """Of a row that says what was trained, and what each training of it learned."""
    digits, odd = divmod(row.presentations or 0, recipe.passes)
    steps = recipe.passes * -(-digits // recipe.batch)
    if odd or (row.steps, row.batch, row.passes) != (steps, recipe.batch, recipe.passes):
        yield (f"{row.presentations} presentations in {row.steps} steps of {row.batch} are not "
               f"{recipe.passes} passes in steps of {recipe.batch}")  # fmt: skip
    each = recipe.step_macs or 0
    if row.macs is not None and row.macs != each * digits * recipe.passes:
        yield f"macs is {row.macs}, but a step of {plain(recipe.name)} on one digit takes {each}"
    seeds = [one.seed for one in row.learned]
    if len(set(seeds)) < len(seeds):
        yield "learned holds a seed twice"
    for one in row.learned:
        for split, score, there, curve in (
            ("train", one.train, digits, one.train_curve),
            ("test", one.test, paper.TEST_DIGITS, one.test_curve),
        ):
            if score.misses > there:
                yield f"{split}.misses is {score.misses}, more than the {there} digits there are"
            if curve and (len(curve), curve[-1]) != (recipe.passes, score.misses):
                yield f"{split}_curve of seed {one.seed} does not end with its pass and misses"
        places = {wrong.index for wrong in one.misread if wrong.said != wrong.label}
        if one.misread and not len(places) == len(one.misread) == one.test.misses:
            yield f"misread of seed {one.seed} does not hold each of {one.test.misses} misses"


# --- rows beside the others of their file ---------------------------------------------------------


def _twice(file: ResultFile, fingerprints: Sequence[int], lines: Lines) -> None:
    """What a row has in common with another that no two rows share.

    Both are named: nobody can say which is the copy.
    """
    names = [plain(row.fullname) for row in file.benchmarks]
    if len({*names}) == len({*fingerprints}) == len(names):
        return
    times, marks = Counter(names), Counter(fingerprints)
    for name, mark, found in zip(names, fingerprints, lines, strict=True):
        if times[name] > 1:
            found.append(f"appears {times[name]} times")
        if mark and marks[mark] > 1:
            alike = (other for other, its in zip(names, fingerprints, strict=True) if its == mark)
            if (other := next((other for other in alike if other != name), None)) is not None:
                found.append(f"holds the very timings of {other}")


def _rates(file: ResultFile, medians: Sequence[float], best: Sequence[float], lines: Lines) -> None:
    """Rates that no such machine reaches, of rows with nothing else against them."""
    timed = [
        (row.extra_info, median, shortest, found)
        for row, median, shortest, found in zip(file.benchmarks, medians, best, lines, strict=True)
        if not found and median > 0 and row.extra_info.unit == "s"
    ]
    reached: dict[Allowed, float] = {}  # by any floor: either kind may be the faster
    for row, _, shortest, _ in timed:
        if row.macs and shortest < np.inf:
            key = row.device, row.threads or 0
            reached[key] = max(row.macs / shortest, reached.get(key, 0.0))
    bounds: dict[Allowed, float] = {}
    for row, median, _, found in timed:
        key = row.device, row.threads or 0
        peak = bounds[key] = bounds.get(key) or bound(key, reached)
        macs, moved = (row.macs or 0) / median / (row.world or 1), (row.bytes or 0) / median
        if macs > min(BEYOND_PEAK * peak, CORE_MACS) or moved > BYTES:
            cores = row.threads or file.machine_info.cpu.logical_cores or 1
            found.extend(_beyond(row, macs, moved, peak, cores))


def bound(key: Allowed, reached: dict[Allowed, float]) -> float:
    """What floors with at least as many threads reached: one thread's floor bounds no other row.

    Infinite where there is none.
    """
    device, threads = key
    enough = (rate for (where, many), rate in reached.items()
              if where == device and (not many or not threads or many >= threads))  # fmt: skip
    return max(enough, default=np.inf)


def _beyond(row: Row, macs: float, moved: float, peak: float, cores: int) -> list[str]:
    question = QUESTIONS.get(row.question)
    shows_digits = question is not None and question.shows_digits
    if shows_digits and macs > BEYOND_PEAK * peak:
        return [f"its MAC/s are beyond the peak of {quantity(peak)} MAC/s that the file states for "
                f"{plain(row.device)}"]  # fmt: skip
    in_vectors = row.device == "cpu" and (shows_digits or row.question == "floor-fma")
    if in_vectors and macs > CORE_MACS * cores:
        return [f"its MAC/s are beyond {quantity(CORE_MACS)} a core, more than any core multiplies"]
    if moved > BYTES:
        return [f"its bytes a second are beyond {quantity(BYTES)}B, more than any memory moves"]
    return []


# --- the file as a whole: the network's counts, and its own name ----------------------------------


def _of_file(file: ResultFile, source: str) -> Iterator[str]:
    for key, expected in COUNTS.items():
        value = file.workload.get(key)
        if value != expected:
            yield f"workload.{key} is {shown(value)}; the network of 1989 has {expected}"
    if file.workload.get("hash") != workload_hash(file.workload):
        yield "workload.hash is not the SHA-256 of the other workload keys"
    try:
        written = datetime.fromisoformat(file.datetime)
    except ValueError:
        yield f"datetime is {shown(file.datetime)}; expected ISO 8601: 2026-11-21T02:00:00+00:00"
        return
    given = NAMED.fullmatch(source.rpartition("/")[2])
    if given is None:
        return  # renamed by somebody, who may: a name of the harness says when and of which commit
    try:
        began = datetime.strptime(given[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        yield f"{given[1]} in the file's name is no time in UTC"
        return
    if not -CLOCKS <= written - began <= LONGEST_RUN:
        yield f"datetime is {plain(file.datetime)}, but by its name the run began at {given[1]}Z"
    commit = plain(file.commit_info.id) if file.commit_info and file.commit_info.id else ""
    if commit and given[2] != "nocommit" and not commit.startswith(given[2]):
        yield f"commit is {commit[:12]}, but by its name it was {given[2]}"


def workload_hash(workload: dict[str, Any]) -> str:
    """SHA-256 over the JSON of every key but the hash itself."""
    counts = {key: value for key, value in workload.items() if key != "hash"}
    text = json.dumps(counts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
