"""Counts of one round that follow from one another, and misses that cannot exceed the digits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.report.records import LEARNING, RECOGNISING, ResultFile, Row
from zipnet import paper

# What a row that measures the machine itself counts; the others count nothing.
FLOORS: Final = {
    "floor-fma": "macs",
    "floor-gemm": "macs",
    "floor-bandwidth": "bytes",
    "floor-copy-digit": "bytes",
}


def findings(row: Row, file: ResultFile) -> Iterator[str]:
    """What the counts of a row contradict."""
    if row.shows_digits:
        yield from _network(row, file)
    elif row.question.startswith(("floor-", "first-step-")):
        for name in ("macs", "bytes", "presentations"):
            if getattr(row, name) and FLOORS.get(row.question) != name:
                yield f"{name} is {getattr(row, name)}; a {row.question} row counts none"


def _network(row: Row, file: ResultFile) -> Iterator[str]:
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
    yield from _misses(row)


def _misses(row: Row) -> Iterator[str]:
    """No data set has more digits than that of 1989: smaller ones are padded to it, never cut."""
    for name, misses, digits in (
        ("train.misses", [row.train.misses] if row.train else [], paper.TRAIN_DIGITS),
        ("test.misses", [row.test.misses] if row.test else [], paper.TEST_DIGITS),
        ("replica_misses", row.replica_misses, paper.TEST_DIGITS),
    ):
        for count in misses:
            if count > digits:
                yield f"{name} is {count}, more than the {digits} digits there are"
                break
    if row.replicas is not None and row.replica_misses and len(row.replica_misses) != row.replicas:
        yield f"replica_misses holds {len(row.replica_misses)}, for {row.replicas} replicas"
    if row.replicas and (row.presentations or 0) % row.replicas:
        yield f"presentations is {row.presentations}, which {row.replicas} replicas cannot share"
