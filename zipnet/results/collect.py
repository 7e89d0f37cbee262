"""Reading many files: in this process where they are few, in one process a core where not."""

from __future__ import annotations

import gc
import signal
import sys
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import PurePath
from typing import Final

import numpy as np

from zipnet.births import uninterrupted
from zipnet.errors import UserError, shown
from zipnet.results import places
from zipnet.results.decode import cleaned, decoded
from zipnet.results.places import Place
from zipnet.results.runs import Run, Runs
from zipnet.results.statistics import Columns
from zipnet.results.table import tabulate

PARALLEL_FROM: Final = 150  # files; below, starting processes takes longer than they save
MOST_ON_WINDOWS: Final = 61  # processes that one pool can wait for there
AT_ONCE: Final = 50  # files in one message to a process, and in one table
AHEAD: Final = 3  # messages waiting for each process, so that memory stays bounded

Job = tuple[Place, bytes | UserError | None]  # its bytes, where they came from elsewhere


@dataclass(frozen=True)
class Batch:
    """What came of a message: runs and their rows, and one line for each file that is bad."""

    runs: list[Run]
    columns: Columns
    bad: list[str]


def read(*addresses: str | PurePath) -> Runs:
    """Read result files, folders of them, globs, and addresses that fsspec opens.

    addresses: text or paths, each an argument of its own. Bad files are lines of `runs.refused`.
    Raises UserError where nothing at all could be read.
    """
    for address in addresses:
        if not isinstance(address, str | PurePath):
            raise UserError(f"{shown(address)} is a {type(address).__name__}; give text or paths, "
                            "of a list read(*list)")  # fmt: skip
    runs = collect([str(address) for address in addresses or ("results",)])
    if not runs.runs:
        raise UserError("; ".join(runs.bad[:3]))
    return runs


def collect(arguments: Sequence[str], known: Collection[str] = ()) -> Runs:
    """Read everything the arguments name: files, folders, globs, addresses. Bad files are lines.

    Each file is read once, however many arguments name it, and not at all where its address is
    among the known. Single files are read together: a shell may make ten thousand of one glob.
    """
    bad: list[str] = []
    named: dict[str, tuple[str, ...]] = {}
    wanted: list[tuple[list[Place], places.Fetch | None]] = [([], None)]
    seen = set(known)
    for argument in arguments:
        found, fetch = places.places(argument, bad)
        named[argument] = tuple(place.address for place in found)
        new = list({p.address: p for p in found if p.address not in seen}.values())
        seen |= {place.address for place in new}
        if fetch is None:
            wanted[0][0].extend(new)
        else:
            wanted.append((new, fetch))
    runs: list[Run] = []
    parts: list[Columns] = []
    rows = 0
    for answer in chain.from_iterable(_answers(*one) for one in wanted):
        runs += [Run(r.place, r.about, r.findings, r.begin + rows, r.end + rows)
                 for r in answer.runs]  # fmt: skip
        parts.append(answer.columns)
        rows += len(answer.columns["file"])
        bad += answer.bad
    columns = parts or [tabulate([])[0]]
    whole = {name: np.concatenate([part.pop(name) for part in columns]) for name in [*columns[0]]}
    return Runs(runs, whole, bad, named)


def _answers(wanted: Sequence[Place], fetch: places.Fetch | None) -> Iterator[Batch]:
    """Read every place, in no order to rely on."""
    batches, many = _batches(wanted, fetch), len(wanted) >= PARALLEL_FROM
    answers = _spread(batches) if many and _cores() > 1 else map(_read, batches)
    return _shown(answers, len(wanted)) if many else answers


def _shown(answers: Iterator[Batch], files: int) -> Iterator[Batch]:
    """Tell a terminal how far reading is."""
    from tqdm import tqdm

    with tqdm(None, "reading", files, leave=False, disable=None, unit=" files") as bar:
        for answer in answers:
            bar.update(len(answer.runs) + len(answer.bad))
            yield answer


def _batches(wanted: Sequence[Place], fetch: places.Fetch | None) -> Iterator[list[Job]]:
    """Jobs, some at a time; files elsewhere are fetched no sooner than they are asked for."""
    for begin in range(0, len(wanted), AT_ONCE):
        some = wanted[begin : begin + AT_ONCE]
        yield list(zip(some, fetch(some) if fetch else [None] * len(some), strict=True))


def _read(jobs: Sequence[Job]) -> Batch:
    """One batch of files, as far as they can be read."""
    good, bad = [], []
    for place, content in jobs:
        try:
            if isinstance(content, UserError):
                raise content
            found = decoded(places.content_of(place) if content is None else content, place.source)
            good.append((place, *found))
        except UserError as error:
            bad.append(str(error))
    columns, findings = tabulate([(place.source, about, v) for place, about, v in good])
    runs, end = [], 0
    for (place, about, values), lines in zip(good, findings, strict=True):
        about.benchmarks = []
        begin, end = end, end + len(values)
        runs.append(Run(place, cleaned(about), lines, begin, end))
    return Batch(runs, columns, bad)


def _spread(batches: Iterator[list[Job]]) -> Iterator[Batch]:
    """Hand batches to processes, and read here whatever a process died of.

    Processes are spawned, not forked, so that it works the same on every system.
    """
    workers = _cores()
    with uninterrupted():
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start)
    unanswered: deque[list[Job]] = deque()
    answers: deque[Future[Batch]] = deque()
    try:
        while True:
            for batch in islice(batches, AHEAD * workers - len(unanswered)):
                unanswered.append(batch)
                with uninterrupted():  # the first starts all processes
                    answers.append(pool.submit(_read, batch))
            if not unanswered:
                return
            found = answers.popleft().result()
            unanswered.popleft()
            yield found
    except BrokenProcessPool:
        yield from map(_read, [*unanswered, *batches])
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start() -> None:
    """A reading process: the parent answers Ctrl-C, and no reference cycles are made."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _cores() -> int:
    from zipnet.cpu import cores  # for whoever reads many files

    return min(cores(), MOST_ON_WINDOWS) if sys.platform == "win32" else cores()
