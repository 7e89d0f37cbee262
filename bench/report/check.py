"""Does a file agree with itself? What reading it alone cannot see.

Each finding is one line for a person: the row, what it says, what it should say. A file that is
read but has findings is still reported, with its findings beside it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from statistics import median
from typing import Any, Final

from bench.report.border import found
from bench.report.measures import measures
from bench.report.records import LEARNING, RECOGNISING, ResultFile, Row
from bench.report.wording import quantity
from zipnet import paper

COUNTS: Final = {
    "params": paper.PARAMS,
    "macs": paper.MACS,
    "activations": paper.ACTIVATIONS,
    "connections": paper.CONNECTIONS,
    "units": paper.UNITS,
    "step_macs": paper.STEP_MACS,
    "passes": paper.PASSES,
    "train_digits": paper.TRAIN_DIGITS,
    "presentations": paper.PRESENTATIONS,
}
TOLERANCE: Final = 1e-9  # of a statistic that follows from the timings: rounding in JSON only

# A library's matrix product need not reach the very peak, and clocks move within a run.
BEYOND_PEAK: Final = 1.5

# Two honest rows may share one timing by the clock's resolution, never this many in order.
SAME_TIMINGS: Final = 5


def findings(file: ResultFile) -> list[str]:
    """Everything about the file that cannot be right; empty where it is sound."""
    return [*_workload(file.workload), *_rows(file), *_duplicates(file), *_impossible_rates(file)]


def workload_hash(workload: dict[str, Any]) -> str:
    """SHA-256 over the JSON of every key but the hash itself."""
    counts = {key: value for key, value in workload.items() if key != "hash"}
    text = json.dumps(counts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _workload(workload: dict[str, Any]) -> Iterator[str]:
    for key, expected in COUNTS.items():
        value = workload.get(key)
        if value != expected:
            yield f"workload.{key} is {found(value)}; the network of 1989 has {expected}"
    if workload["hash"] != workload_hash(workload):
        yield "workload.hash is not the SHA-256 of the other workload keys"


def _rows(file: ResultFile) -> Iterator[str]:
    for row in file.rows:
        for finding in (*_stated(row), *_work(row, file)):
            yield f"{row.fullname}: {finding}"


def _stated(row: Row) -> Iterator[str]:
    """Statistics that the file states beside the timings they were made from."""
    derived = {"min": min(row.seconds), "max": max(row.seconds), "median": median(row.seconds)}
    for name, value in derived.items():
        stated = getattr(row.stated, name)
        if not math.isclose(stated, value, rel_tol=TOLERANCE, abs_tol=1e-15):
            yield f"stats.{name} is {stated!r}, but stats.data gives {value!r}"
    if row.stated.rounds != len(row.seconds):
        yield f"stats.rounds is {row.stated.rounds}, but stats.data holds {len(row.seconds)}"


def _work(row: Row, file: ResultFile) -> Iterator[str]:
    """Counts of one round that follow from one another."""
    if not row.shows_digits:
        return
    shown = row.presentations or 0
    if row.question in LEARNING and shown != (row.steps or 0) * (row.batch or 0):
        yield f"presentations is {shown}, but steps x batch is {row.steps} x {row.batch}"
    if row.question in RECOGNISING and row.steps != 0:
        yield f"steps is {row.steps}; nothing is learned where digits are recognised"
    each = paper.STEP_MACS if row.question in LEARNING else paper.MACS
    if row.macs is not None and row.macs != each * shown:
        yield f"macs is {row.macs}, but {shown} presentations need {each * shown}"
    if (row.dataset, row.dataset_sha256) != (file.dataset, file.dataset_sha256):
        yield f"dataset is {row.dataset}, not the file's {file.dataset} with the same hash"
    for name, score, digits in (
        ("train", row.train, paper.TRAIN_DIGITS),
        ("test", row.test, paper.TEST_DIGITS),
    ):
        if score is not None and file.dataset == "usps" and score.misses > digits:
            yield f"{name}.misses is {score.misses}, more than the {digits} digits there are"


def _duplicates(file: ResultFile) -> Iterator[str]:
    for name, count in Counter(row.fullname for row in file.rows).items():
        if count > 1:
            yield f"{name}: appears {count} times"
    timings = [row for row in file.rows if len(row.seconds) >= SAME_TIMINGS]
    groups: dict[tuple[float, ...], list[Row]] = {}
    for row in timings:
        groups.setdefault(row.seconds, []).append(row)
    for group in groups.values():
        for one, other in combinations(group[:3], 2):
            if one.fullname != other.fullname:
                yield f"{other.fullname}: holds the very timings of {one.fullname}"


def _impossible_rates(file: ResultFile) -> Iterator[str]:
    """Rates beyond the peak that the same file states, for any thread count of the device."""
    derived = measures(file)
    peaks: dict[str, float] = {}
    for measure in derived:
        if measure.peak is not None:
            device = measure.row.device
            peaks[device] = max(measure.peak, peaks.get(device, 0.0))
    for measure in derived:
        rate, peak = measure.macs_per_second, peaks.get(measure.row.device)
        if rate and peak and measure.row.shows_digits and rate.median > BEYOND_PEAK * peak:
            yield (
                f"{measure.row.fullname}: {quantity(rate.median)} MAC/s is beyond the peak of "
                f"{quantity(peak)} MAC/s that the file states for {measure.row.device}"
            )
