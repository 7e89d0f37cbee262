"""What two rows must share to be compared."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final, NamedTuple

from bench.report.rows.measures import Measure
from bench.report.wording import QUESTIONS, joined, threads
from zipnet import paper

IMPLIED: Final = (None, 0, 1, paper.TRAIN_DIGITS, paper.TEST_DIGITS)  # batches the question says
ALL: Final = "all"  # the thread role of every logical core: machines differ in how many that is


class Key(NamedTuple):
    """One question to one engine on one kind of device; rows with the same key answer the same."""

    question: str
    engine: str | None
    device: str  # its kind: cuda:1 is cuda
    threads: str  # "1", "all", another number, or nothing on an accelerator
    batch: int | None
    dtype: str | None

    @property
    def text(self) -> str:
        """For a table."""
        role = "all threads" if self.threads == ALL else threads(int(self.threads or 0) or None)
        implied = not self.batch or (self.question != "sweep" and self.batch in IMPLIED)
        batch = None if implied else f"batch {self.batch:,}"
        return joined((self.question, self.engine, self.device, role, batch))

    def order(self) -> tuple[object, ...]:
        """Questions in the order of their words, then engine, device, threads and batch."""
        known = list(QUESTIONS)
        at = known.index(self.question) if self.question in known else len(known)
        return (
            at,
            self.question,
            self.engine or "",
            self.device,
            self.threads.rjust(8, "0"),
            self.batch or 0,
            self.dtype or "",
        )


def keys(measure: Measure) -> Sequence[Key]:
    """The keys that a row answers to: one, or two where one thread is all the machine has."""
    row = measure.row
    roles = _roles(row.threads, measure.file.machine.logical_cores)
    return _keys(row.question, row.engine, row.device, roles, row.batch, row.dtype)


def _roles(count: int | None, cores: int | None) -> tuple[str, ...]:
    if count is None:
        return ("",)
    if count != cores:
        return (str(count),)
    return ("1", ALL) if cores == 1 else (ALL,)


@functools.lru_cache(4096)  # the machines of a fleet are asked the same few hundred questions
def _keys(
    question: str,
    engine: str | None,
    device: str,
    roles: tuple[str, ...],
    batch: int | None,
    dtype: str | None,
) -> tuple[Key, ...]:
    kind = device.partition(":")[0]
    return tuple(Key(question, engine, kind, role, batch, dtype) for role in roles)
