"""Every run that was read, as values, as columns, and as tables of pandas."""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from zipnet.errors import UserError
from zipnet.results import machines, places
from zipnet.results.decode import cleaned, decoded, fields, leaves, unknown_keys
from zipnet.results.places import Place
from zipnet.results.schema import Absent, Benchmark, ResultFile, Row, Score
from zipnet.results.statistics import Columns
from zipnet.results.table import first_of, flat, without_numbers

if TYPE_CHECKING:
    import pandas as pd

NAMES: Final = {  # of columns of files, shorter than the paths by which a file has them
    "machine_info_name": "machine", "cpu_model": "cpu", "cpu_physical_cores": "physical_cores",
    "cpu_logical_cores": "logical_cores", "cpu_arch": "arch", "machine_info_memory_gib":
    "memory_gib", "machine_info_gpus": "gpus", "machine_info_system": "system", "datetime":
    "written", "commit_info_id": "commit", "commit_info_dirty": "dirty", "dataset_name": "dataset",
}  # fmt: skip
JOINED: Final = ("software", "gpus", "cpu_extensions", "cpu_core_kinds", "options_engines",
                 "options_devices", "options_threads", "environment")  # fmt: skip
OF_FILE: Final = ("source", "machine", "written", "status", "profile")  # texts, of rows too
FREE_TEXT: Final = ("quality", "forbidden", "invalid")  # no two rows say the same
TEXT: Final = "str"  # of pandas, where a missing one is NaN
TIMINGS: Final = {"source": TEXT, "fullname": TEXT, "lap": "int64", "round": "int64",
                  "value": "float64", "unit": TEXT}  # fmt: skip
TRAININGS: Final = {
    "source": TEXT, "machine": TEXT, "question": TEXT, "recipe": TEXT, "start": TEXT,
    "dataset": TEXT, "engine": TEXT, "seed": "int64", "seconds": "float64",
    **{f"{of}_{score.name}": "int64" if score.holds == "count" else "float64"
       for of in ("train", "test") for score in fields(Score)},
}  # fmt: skip
WHO: Final = ["file", "engine", "device"]  # stays the same while thread counts and questions vary
LISTS: Final = ("warnings", "replica_misses", "levels", "idle_watts")
COUNTS: Final = {name for name, field in leaves(Row) if field.holds == "count"} | {
    "rounds", "retaken", "works",
}  # fmt: skip


who = attrgetter(*WHO)  # of a record


@dataclass(frozen=True)
class Run:
    """One result file: what one run on one machine said."""

    place: Place
    about: ResultFile  # all but its rows
    findings: tuple[str, ...]  # what is wrong with the file as a whole
    begin: int = 0  # its rows among the columns of all
    end: int = 0
    name: str = ""  # the machine's, and where others are called so too, what tells it from them

    @property
    def namesake(self) -> str | None:
        """A note where other machines among these runs have the same name."""
        name = self.about.machine_info.name
        return None if self.name == name else f"other machines are called {name} too: {self.name}"

    @property
    def cores(self) -> int | None:
        """All threads: as many as the run might use, or in older files as the machine has."""
        limits = self.about.limits
        return (limits and limits.cores) or self.about.machine_info.cpu.logical_cores

    @property
    def source(self) -> str:
        """The name a reader sees."""
        return self.place.source

    @property
    def whole(self) -> bool:
        """Whether all was measured."""
        return self.about.status == "complete" and self.about.scope == "all"

    @property
    def measures(self) -> bool:
        """Whether it says how fast its machine is, and not only what was learned there."""
        return self.about.scope != "learning"

    @property
    def dirty(self) -> bool:
        """Whether its code differed from its commit: such a run is equal to nothing but itself."""
        return bool(self.about.commit_info and self.about.commit_info.dirty)

    @property
    def freshness(self) -> tuple[bool, bool, bool, str]:
        """Speeds come before none, whole runs before parts, long ones before quick ones, then the
        newest.
        """
        thorough = self.about.profile not in ("smoke", "quick")
        speeds = self.measures and self.end > self.begin
        return (speeds, self.whole, self.whole and thorough, self.about.datetime)


class Runs:
    """Every run that could be read, by machine and time, and what could not be."""

    def __init__(
        self, runs: Sequence[Run], columns: Columns, bad: Sequence[str] = (),
        named: dict[str, tuple[str, ...]] | None = None,
    ) -> None:  # fmt: skip
        self.columns = columns
        self.bad = list(bad)
        self.named = named or {}  # the addresses that each argument stood for
        self.runs = self._sorted(runs)
        self._exclude_shared_timings()

    def of(self, run: Run) -> Columns:
        """The rows of one run, each column a view."""
        return {name: column[run.begin : run.end] for name, column in self.columns.items()}

    def excluded(self, run: Run) -> list[tuple[str, str]]:
        """The rows of a run that cannot be right: their names, and why."""
        rows = self.of(run)
        wrong = ~rows["sound"]
        return list(zip(rows["fullname"][wrong], rows["invalid"][wrong], strict=True))

    def wrong(self, run: Run) -> str | None:
        """The first thing in a run that cannot be right, and how many more there are."""
        rows = (f"{name}: {reason}" for name, reason in self.excluded(run))
        return first_of([*run.findings, *rows])

    def unknown(self, run: Run) -> tuple[str, ...]:
        """The keys of a run's file that this version does not know; read on demand."""
        return unknown_keys(_again(run))

    def structs(self, run: Run) -> list[Benchmark]:
        """The sound rows of a run as the schema has them, read from its file anew."""
        rows: list[Benchmark] = cleaned(decoded(_again(run), run.source)[0].benchmarks)
        sound = self.columns["sound"][run.begin : run.end]
        return [row for row, good in zip(rows, sound, strict=True) if good]

    @functools.cached_property
    def newest(self) -> list[Run]:
        """What stands for each machine: its newest complete run of everything, or its newest.

        A file that contradicts itself never does, nor one that says what was learned and no speed.
        """
        return newest(run for run in self.runs if not run.findings and run.measures)

    # --- the tables: pandas is loaded by whoever asks for one ---------------------------------

    @functools.cached_property
    def files(self) -> pd.DataFrame:
        """A line a file. Its columns: see zipnet/results/__init__.py."""
        import pandas as pd

        columns = flat([run.about for run in self.runs], ResultFile)
        frame = pd.DataFrame(columns).drop(columns="absent").rename(columns=NAMES)
        frame["workload"] = [about["hash"] for about in columns["workload"]]
        frame["machine"] = [run.name for run in self.runs]
        for name in JOINED:
            frame[name] = [_joined(value) for value in frame[name]]
        sound = self.columns["sound"]
        frame["rows"] = [run.end - run.begin for run in self.runs]
        frame["sound_rows"] = [int(sound[run.begin : run.end].sum()) for run in self.runs]
        frame["findings"] = ["; ".join(run.findings) for run in self.runs]
        frame["newest"] = self._stand
        frame.insert(0, "source", [run.source for run in self.runs])
        return typed(frame, **{name: TEXT for name in frame if frame[name].dtype == object})

    @functools.cached_property
    def rows(self) -> pd.DataFrame:
        """A line a row: what its file says as a whole, then its own columns, for which see
        zipnet/results/__init__.py.
        """
        import pandas as pd

        of, frame = self.columns["file"], {}
        for name in OF_FILE:
            codes, words = pd.factorize(self.files[name].to_numpy(object))
            frame[name] = pd.Categorical.from_codes(codes[of], words)
        frame["memory_gib"] = self.files["memory_gib"].to_numpy()[of]
        frame["newest"] = np.array(self._stand, bool)[of]
        for name, column in self.columns.items():
            is_text = column.dtype == object and name not in FREE_TEXT and name not in LISTS
            frame[name] = pd.Categorical(column) if is_text else column
        return pd.DataFrame(frame)

    @functools.cached_property
    def timings(self) -> pd.DataFrame:
        """A line a round, read from the files anew. Its columns: see zipnet/results/__init__.py."""
        import pandas as pd

        parts = [typed([], **TIMINGS)]
        for run in self.runs:
            about, values = decoded(_again(run), run.source)
            for row, rounds in zip(about.benchmarks, values, strict=True):
                laps = row.extra_info.laps or [len(rounds)]
                parts.append(pd.DataFrame({
                    "source": run.source, "fullname": row.fullname,
                    "lap": np.repeat(np.arange(1, len(laps) + 1), laps),
                    "round": np.arange(1, len(rounds) + 1), "value": rounds,
                    "unit": row.extra_info.unit,
                }))  # fmt: skip
        return pd.concat(parts[1:] or parts, ignore_index=True)

    @functools.cached_property
    def trainings(self) -> pd.DataFrame:
        """A line a training that was run for what it learns, read from the files anew. Its columns:
        see zipnet/results/__init__.py.
        """
        lines = [
            (
                run.source, run.name, row.extra_info.question,
                row.extra_info.trained.name, row.extra_info.trained.start,
                row.extra_info.dataset, row.extra_info.engine, one.seed, seconds,
                *msgspec.structs.astuple(one.train), *msgspec.structs.astuple(one.test),
            )
            for run in self.runs if not run.measures
            for row in self.structs(run) if row.extra_info.trained
            for seconds, one in zip(row.stats.data, row.extra_info.learned, strict=True)
        ]  # fmt: skip
        return typed(lines, **TRAININGS)

    @functools.cached_property
    def absent(self) -> pd.DataFrame:
        """A line for each thing that a run did not measure: source, engine, ... and reason."""
        lines = [{"source": run.source} | msgspec.to_builtins(gap)
                 for run in self.runs for gap in run.about.absent]  # fmt: skip
        return typed(lines, **dict.fromkeys(("source", *Absent.__struct_fields__), TEXT))

    @functools.cached_property
    def refused(self) -> pd.DataFrame:
        """A line for each thing that could not be read: reason."""
        return typed({"reason": self.bad}, reason=TEXT)

    # --- how they are made --------------------------------------------------------------------

    @property
    def _stand(self) -> list[bool]:
        """Of each run, whether it stands for its machine."""
        newest = set(map(id, self.newest))
        return [id(run) in newest for run in self.runs]

    def _sorted(self, runs: Sequence[Run]) -> list[Run]:
        """The runs by machine and time, with their rows in the same order."""
        called = machines.names([run.about.machine_info for run in runs])
        order = sorted(range(len(runs)), key=lambda at: (
            called[at], runs[at].about.datetime, runs[at].source))  # fmt: skip
        made, spans, end = [], [], 0
        for at in order:
            run = runs[at]
            begin, end = end, end + run.end - run.begin
            spans.append(np.arange(run.begin, run.end))
            made.append(Run(run.place, run.about, run.findings, begin, end, called[at]))
        rows = np.concatenate(spans) if spans else np.arange(0)
        for name, column in self.columns.items():
            self.columns[name] = column[rows]
        self.columns["file"] = np.repeat(np.arange(len(made)), [len(span) for span in spans])
        return made

    def _exclude_shared_timings(self) -> None:
        """Exclude rows whose very timings stand in another file too.

        A copy of a whole run keeps its rows in the file that comes first. Otherwise nobody can say
        whose they are, and they are excluded on all sides.
        """
        marks, files = self.columns["fingerprint"], self.columns["file"]
        known, counts = np.unique(marks[marks > 0], return_counts=True)
        shared = np.isin(marks, known[counts > 1])
        if not shared.any():
            return
        holders: dict[int, list[int]] = {}
        for at in np.flatnonzero(shared).tolist():
            holders.setdefault(int(marks[at]), []).append(at)
        lost = np.zeros(len(marks), bool)
        for rows in holders.values():
            runs = [self.runs[files[row]] for row in rows]
            copies = len({(run.name, run.about.datetime) for run in runs}) == 1
            for row, run in zip(rows, runs, strict=True):
                other = next((other for other in runs if other is not run), None)
                if other is not None and not (copies and run is runs[0]):
                    lost[row] = True
                    self.columns["invalid"][row] = f"holds the very timings of {other.source}"
        self.columns["sound"] &= ~lost
        without_numbers(self.columns, lost)


def newest(runs: Iterable[Run]) -> list[Run]:
    """One run a machine, by its name: the freshest; of copies the first, which keeps the rows."""
    ordered = sorted(runs, key=lambda run: (run.name, run.freshness), reverse=True)
    return list({run.name: run for run in reversed(ordered)}.values())


def _again(run: Run) -> bytes:
    """The bytes of a run's file, read once more."""
    if run.place.path is not None:
        return places.content_of(run.place)
    (content,) = places.Store.of(run.place.argument).fetch([run.place])
    if isinstance(content, UserError):
        raise content
    return content


def typed(lines: Any, **types: str) -> pd.DataFrame:
    """A table whose columns have these types, whatever is missing from it."""
    import pandas as pd

    frame = pd.DataFrame(lines, columns=None if isinstance(lines, pd.DataFrame) else [*types])
    made = {name: pd.Series(frame[name].to_numpy(), dtype=kind) for name, kind in types.items()}
    return frame.assign(**made)


def records(frame: pd.DataFrame) -> list[Any]:
    """A named tuple a row, for templates: None where a value is missing, counts as int."""
    kind = namedtuple("Record", [*frame])  # type: ignore[misc]
    columns = (  # one by one, which pandas takes several times as long to do together
        [None if value is None or value != value else int(value) if name in COUNTS else value
         for value in frame[name].tolist()]
        for name in frame
    )  # fmt: skip
    return [kind(*values) for values in zip(*columns, strict=True)]


def grouped(frame: pd.DataFrame, *by: str) -> dict[Any, list[Any]]:
    """The records that have the same in these columns, by it; in the order of the rows."""
    found: dict[Any, list[Any]] = {}
    key = attrgetter(*by)
    for record in records(frame):
        found.setdefault(key(record), []).append(record)
    return found


def _joined(value: Any) -> str | None:
    if isinstance(value, dict):
        return ", ".join(f"{key} {version}" for key, version in value.items())
    return ", ".join(map(str, value)) if value else None
