"""Reading many files: in this process where they are few, in one process a core where not.

Each result comes packed in columns (columns.py), which are quick to send between processes.
Processes are spawned, not forked, so that it works the same on every system.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import get_context
from typing import Final

from bench.report.files import strict_json
from bench.report.files.columns import Packed, pack
from bench.report.files.places import Place
from bench.report.files.reading import read, understood
from bench.report.files.uninterrupted import uninterrupted
from bench.report.records import ResultFile
from bench.report.rows.examined import examine
from zipnet.errors import UserError

PARALLEL_FROM: Final = 150  # files; below, starting processes takes longer than they save
MOST_ON_WINDOWS: Final = 61  # processes that one pool can wait for there
AT_ONCE: Final = 25  # files in one message to a process
AHEAD: Final = 3  # messages waiting for each process, so that memory stays bounded

Fetch = Callable[[Sequence[Place]], list[bytes | UserError]]


@dataclass(frozen=True)
class Job:
    """One file to read: its place, and its bytes where they came from elsewhere."""

    place: Place
    content: bytes | UserError | None = None


@dataclass(frozen=True)
class Answer:
    """What came of one file: the file in columns, or the line that says what is wrong."""

    place: Place
    packed: Packed | None
    bad: str | None


def load(places: Sequence[Place], fetch: Fetch | None = None) -> Iterator[Answer]:
    """Read every place, in no order to rely on; `fetch` gets the bytes of those elsewhere."""
    batches, many = _batches(places, fetch), len(places) >= PARALLEL_FROM
    answers = (
        _spread(batches) if many and _cores() > 1 else chain.from_iterable(map(_read_all, batches))
    )
    return _shown(answers, len(places)) if many else answers


def _shown(answers: Iterator[Answer], files: int) -> Iterator[Answer]:
    """Tell a terminal how far reading is, which takes a minute for ten thousand files."""
    from tqdm import tqdm

    return iter(tqdm(answers, "reading", files, leave=False, disable=None, unit=" files"))


def _batches(places: Sequence[Place], fetch: Fetch | None) -> Iterator[list[Job]]:
    """Jobs, a few at a time; files elsewhere are fetched no sooner than they are asked for."""
    for begin in range(0, len(places), AT_ONCE):
        some = places[begin : begin + AT_ONCE]
        if fetch is None:
            yield [Job(place) for place in some]
        else:
            yield [Job(*pair) for pair in zip(some, fetch(some), strict=True)]


def _spread(batches: Iterator[list[Job]]) -> Iterator[Answer]:
    """Hand batches to processes, and read here whatever a process died of."""
    workers = _cores()
    with uninterrupted():
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start)
    unanswered: deque[list[Job]] = deque()
    answers: deque[Future[list[Answer]]] = deque()
    try:
        while True:
            for batch in islice(batches, AHEAD * workers - len(unanswered)):
                unanswered.append(batch)
                with uninterrupted():  # the first starts all processes
                    answers.append(pool.submit(_read_all, batch))
            if not unanswered:
                return
            found = answers.popleft().result()
            unanswered.popleft()
            yield from found
    except BrokenProcessPool:
        for batch in [*unanswered, *batches]:
            yield from _read_all(batch)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    """A reading process: Ctrl-C is the parent's to answer, and nothing it makes has circles."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _read_all(jobs: Sequence[Job]) -> list[Answer]:
    return [_answer(job) for job in jobs]


def _answer(job: Job) -> Answer:
    try:
        return Answer(job.place, pack(examine(_file(job))), None)
    except UserError as error:
        return Answer(job.place, None, str(error))


def _file(job: Job) -> ResultFile:
    place, content = job.place, job.content
    if place.path is not None:
        return read(place.path, place.source, place.key)
    if isinstance(content, UserError):
        raise content
    return understood(strict_json.parse(content or b"", place.source), place.source, place.key)


def _cores() -> int:
    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    cores = os.cpu_count() or 1
    return min(cores, MOST_ON_WINDOWS) if sys.platform == "win32" else cores
