"""Which rows of two files answer the same question, and why the others cannot be compared."""

from __future__ import annotations

import functools
from itertools import compress, product
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from zipnet import paper
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import QUESTIONS

IMPLIED: Final = (0, 1, paper.TRAIN_DIGITS, paper.TEST_DIGITS)  # batches that the question says
ALL: Final = "all"  # the role of as many threads as a run might use cores: machines differ in that
BY_BATCH: Final = ("sweep", "width", "time-to-error")  # that ask it at every batch
DIFFERS: Final = ("dtype", "batch")  # in which two rows may differ by choice: said so, if they do
LIKE: Final = {"training": "presentations", "time-to-error": "lr", "ranks-full-batch": "hosts",
               "ranks-replicas": "hosts", "ranks-all-reduce": "hosts"}  # fmt: skip
NOTHING: Final = np.array(None)  # which == compares element by element
ORDER: Final = {name: at for at, name in enumerate(QUESTIONS)}
UNLIKE: Final = (  # how rows of one key may differ
    "the workload differs, by its hash",
    "measured in {} in one, in {} in the other",
    "counted per {} in one, per {} in the other",
    "{} in one, {} in the other",
)
SHOWING_DIGITS: Final = {name for name, question in QUESTIONS.items() if question.shows_digits}


def in_order(question: str) -> tuple[int, str]:
    """Sorts questions as their table has them, the unknown last."""
    return ORDER.get(question, len(ORDER)), question


class Key(NamedTuple):
    """One question to one engine on one kind of device; rows with the same key answer the same."""

    question: str
    engine: str | None
    device: str  # its kind: cuda:1 is cuda
    threads: str  # "1", "all", another number, or nothing on an accelerator
    batch: int | None
    dtype: str | None
    world: int | None
    width: int | None

    @classmethod
    def of(cls, question: str, engine: str | None, device: str, threads: float, batch: float,
           dtype: str | None, world: float, width: float) -> Key:  # fmt: skip
        """From columns' values: no threads are 0, all of them -1, no batch -1, no other size 0."""
        role = ALL if threads < 0 else f"{threads:.0f}" if threads else ""
        kind = device.partition(":")[0]
        many = None if batch < 0 else int(batch)
        return cls(
            question, engine, kind, role, many, dtype, int(world) or None, int(width) or None
        )

    @property
    def text(self) -> str:
        """For a table."""
        implied = self.question not in BY_BATCH and self.batch in IMPLIED
        batch = f"batch {self.batch:,}" if self.batch and not implied else None
        return " · ".join(filter(None, (self.question, self.line, batch)))

    @property
    def line(self) -> str:
        """Who answers: rows that differ in no more than their batch have one."""
        role = self.threads and f"{self.threads} thread{'' if self.threads == '1' else 's'}"
        ranks = f"{self.world} rank{'' if self.world == 1 else 's'}" if self.world else ""
        wide = f"width {self.width}" if self.width else ""
        return " · ".join(filter(None, (self.engine, self.device, role, ranks, wide)))

    @functools.lru_cache(4096)  # noqa: B019 (of a value, not of an object that it would keep alive)
    def order(self) -> tuple[object, ...]:
        """Questions in the order of their table, then engine, device, threads and the sizes."""
        sizes = (self.world or 0, self.width or 0, self.batch or 0)
        rest = (self.threads.rjust(8, "0"), *sizes, self.dtype or "")
        return (*in_order(self.question), self.engine or "", self.device, *rest)


class Alone(NamedTuple):
    """A row that is not compared, and why; it has no numbers."""

    row: str
    reason: str


class Numbers(dict[Any, int]):
    """Things numbered from 0, in the order in which they were first asked for."""

    def __missing__(self, key: Any) -> int:
        return self.setdefault(key, len(self))

    def of(self, *columns: Any) -> Any:
        """(rows,) int: the number of each row of these columns."""
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return np.fromiter(map(self.__getitem__, rows), int, len(columns[0]))


def like(columns: Any) -> Any:
    """(rows,) float: what else rows of one key must share, see likeness(); -1 where nothing."""
    question, found = columns["question"], np.full(len(columns["question"]), -1.0)
    for asked, name in LIKE.items():
        if (rows := question == asked).any():
            found[rows] = np.nan_to_num(columns[name][rows])
    return found


def likeness(question: str, value: float) -> str:
    """The same in words; empty where there is nothing."""
    return {"presentations": f"{value:.0f} presentations", "lr": f"learning rate {value:g}",
            "hosts": f"{value:.0f} host(s)"}.get(LIKE.get(question, ""), "")  # fmt: skip


class Keyed:
    """The key of each row of all runs, by number: half a million rows of a fleet in a second.

    Rows are named by their places in runs.columns.
    """

    def __init__(self, runs: Runs) -> None:
        self._columns = columns = runs.columns
        file, sound = columns["file"], columns["sound"].copy()
        cores = np.array([run.cores or 0 for run in runs.runs])
        hashes = Numbers()
        hashed = hashes.of(np.array([run.about.workload["hash"] for run in runs.runs], object))
        many, size = np.nan_to_num(columns["threads"]), np.nan_to_num(columns["batch"], nan=-1)
        # The only core of a machine is one thread here; of_run() knows that it is all threads too.
        role = np.where((many == cores[file]) & (many > 1), -1, many)
        ranks, wide = (np.nan_to_num(columns[name]) for name in ("world", "width"))
        work = like(columns)
        asked, keys, terms, what = Numbers(), Numbers(), Numbers(), []
        texts = (columns[name] for name in ("question", "engine", "device", "dtype", "unit", "per"))
        number = asked.of(*texts, role, size, ranks, wide, work, hashed[file])
        # What rows of one key must share as well: the workload where a network is at work, by its
        # hash, the unit and the work.
        words = [word for (word,) in hashes]
        for question, engine, device, dtype, unit, per, threads, batch, *sizes, each, at in asked:
            key = Key.of(question, engine, device, threads, batch, dtype, *sizes)
            shows = question in SHOWING_DIGITS
            term = (words[at] if shows else None, unit, per, likeness(question, each))
            what.append((keys[key], terms[term], device))
        parts = zip(*what, strict=True) if what else ([], [], [])
        self._key, self._term, device_of = (np.array(part, np.intp if at < 2 else str)[number]
                                            for at, part in enumerate(parts))  # fmt: skip
        self._keys, self._terms = list(keys), list(terms)

        sound &= np.array([run.measures for run in runs.runs], bool)[file]
        rows = np.flatnonzero(sound)
        self._ordered = rows[np.lexsort((device_of[rows], file[rows]))]
        self._before = np.concatenate([[0], np.cumsum(sound)])
        own = (file * len(keys) + self._key)[self._ordered]
        first = np.sort(self._ordered[np.unique(own, return_index=True)[1]])
        fit = (columns["forbidden"][first] == NOTHING) & (columns["value"][first] > 0)
        # What a null test may compare, and what tells the rows of one question from all others.
        self.testable = first[fit & (columns["kind"][first] != NOTHING)]
        self.answers = self._key * len(terms) + self._term

    def of_run(self, run: Run, name: str = "it") -> tuple[dict[Key, int], list[Alone]]:
        """The row of each key; of several devices of one kind the first, the others left alone.

        name: what reasons call the run. A row has two keys where one thread is all there is.
        """
        kept: dict[Key, int] = {}
        alone, device, single = [], self._columns["device"], is_single(run)
        for row in self._ordered[self._before[run.begin] : self._before[run.end]].tolist():
            key = self._keys[self._key[row]]
            both = (key, key._replace(threads=ALL)) if single and key.threads == "1" else (key,)
            for one in both:
                if (first := kept.setdefault(one, row)) != row:
                    reason = f"{name} has it more than once; its {device[first]} was taken"
                    alone.append(Alone(f"{one.text} ({device[row]})", reason))
        return kept, alone

    def comparable(self, ones: Any, others: Any) -> Any:
        """Whether rows of equal keys can be compared: (rows,) bool."""
        value, same = self._columns["value"], self._term[ones] == self._term[others]
        return same & (value[ones] > 0) & (value[others] > 0)

    def why_not(self, one: int, other: int) -> str:
        """Why two rows of one key are not comparable."""
        ours, theirs = (self._terms[self._term[row]] for row in (one, other))
        for left, right, words in zip(ours, theirs, UNLIKE, strict=True):
            if left != right:
                return words.format(left, right)
        return "took no time by the clock" if ours[1] == "s" else f"0 {ours[1]} has no ratio"


_KEYED: WeakKeyDictionary[Runs, Keyed] = WeakKeyDictionary()


def keyed(runs: Runs) -> Keyed:
    """The keys of all rows, found once."""
    return _KEYED[runs] if runs in _KEYED else _KEYED.setdefault(runs, Keyed(runs))


def is_single(run: Run) -> bool:
    """Whether all threads that the run might use are one: its rows answer to both keys."""
    return run.cores == 1


class Matched:
    """The rows of two runs by their keys; names: what reasons call the runs."""

    def __init__(self, runs: Runs, sides: tuple[Run, Run], names: tuple[str, str]) -> None:
        self.runs, self.sides, self.names, self._keyed = runs, sides, names, keyed(runs)
        found = [self._keyed.of_run(*side) for side in zip(sides, names, strict=True)]
        self._rows, self._twice = [rows for rows, _ in found], [*found[0][1], *found[1][1]]
        shared = sorted(self._rows[0].keys() & self._rows[1].keys(), key=Key.order)
        shared = [key for key in shared if not self._is_twin(key)]
        rows = np.array([[each[key] for key in shared] for each in self._rows], int)
        like = self._keyed.comparable(*rows)
        self.keys: list[Key] = list(compress(shared, like.tolist()))
        self.rows = rows[:, like]  # (2, keys): places in runs.columns

    def alone(self) -> list[Alone]:
        """Every row that was left out, and why."""
        found, known = list(self._twice), set(self.keys)
        near: list[dict[Key, Key]] = [{}, {}]
        for side, rows in zip(near, self._rows, strict=True):
            for key, part in product(rows, DIFFERS):
                side.setdefault(_but(key, part), key)
        for key in sorted({key for rows in self._rows for key in rows} - known, key=Key.order):
            one, other = (rows.get(key) for rows in self._rows)
            if self._is_twin(key):
                continue
            if one is not None and other is not None:
                found.append(Alone(key.text, self._keyed.why_not(one, other)))
            else:
                at = 0 if other is None else 1
                found.append(Alone(key.text, _why_alone(key, self.names[at], near[1 - at])))
        for run, name in zip(self.sides, self.names, strict=True):
            excluded = self.runs.excluded(run)
            found += [Alone(row, f"invalid in {name}: {why}") for row, why in excluded]
        return found

    def _is_twin(self, key: Key) -> bool:
        """Whether both machines have one core: their rows of all threads are those of one."""
        return key.threads == ALL and all(map(is_single, self.sides))


@functools.lru_cache(8192)
def _but(key: Key, part: str) -> Key:
    return key._replace(**{part: part})  # type: ignore[arg-type] # no batch is called so


def _why_alone(key: Key, where: str, near: dict[Key, Key]) -> str:
    for part in DIFFERS:
        if other := near.get(_but(key, part)):
            return f"{part} is {getattr(key, part)} in {where}, {getattr(other, part)} elsewhere"
    return f"only in {where}"
