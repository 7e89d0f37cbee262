"""From structs to columns: every row of many files with all that follows from it.

Files hold raw timings and counts only. Whatever is said anywhere about speed is derived here, once,
over many rows at once, so that tables, figures and verdicts cannot disagree. The names, types and
units of the columns stand in zipnet/results/__init__.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import numpy as np
from msgspec import Struct, to_builtins

from zipnet import paper
from zipnet.results import check, quality
from zipnet.results.decode import cleaned, fields
from zipnet.results.places import plain
from zipnet.results.schema import QUESTIONS, ResultFile, Row
from zipnet.results.statistics import Columns, Floats, Rounds, numbers, summary

Read = tuple[str, ResultFile, list[Floats]]  # what messages call it, what it says, its rounds

# What stays of a row that cannot be right: what it is, and none of its numbers.
WHO: Final = ("file", "fullname", "question", "kind", "engine", "device", "threads", "unit")
# Other columns are made of them.
UNSHOWN: Final = ("laps", "watch", "retaken", "trained", "learned", "benchmarks")


def tabulate(files: Sequence[Read]) -> tuple[Columns, list[tuple[str, ...]]]:
    """All rows of the files in order, and for each file what is wrong with it as a whole."""
    benchmarks = [row for _, about, _ in files for row in about.benchmarks]
    rows = [benchmark.extra_info for benchmark in benchmarks]
    values, of_rows = [own for _, _, each in files for own in each], flat(rows, Row)
    laps = [tuple(row.laps or (len(own),)) for row, own in zip(rows, values, strict=True)]
    rounds = Rounds(values, laps, of_rows["unit"] == "s")
    columns: Columns = {
        "file": np.repeat(np.arange(len(files)), [len(about.benchmarks) for _, about, _ in files]),
        "fullname": _texts([benchmark.fullname for benchmark in benchmarks]),
        **of_rows,
        **summary(rounds),
    }
    columns["retaken"] = numbers([len(row.retaken) or None for row in rows])
    columns["trained_name"] = _texts([row.trained.name if row.trained else None for row in rows])
    questions = [QUESTIONS.get(row.question) for row in rows]
    columns["kind"] = _objects([question and question.kind for question in questions])
    kept = np.array([bool(row.learned) for row in rows], bool)
    columns["fingerprint"][kept] = 0  # a training is run once, and stands in every later file
    shows_digits = np.array([bool(q and q.shows_digits) for q in questions], bool)

    best = check.fastest(benchmarks, rounds)
    of_files, wrong = check.findings(
        [(source, about) for source, about, _ in files], rounds, columns["value"], best
    )
    columns["sound"] = np.array([not lines for lines in wrong], bool)
    columns["invalid"] = _objects([first_of(lines) for lines in wrong])
    watches = [row.watch if row.unit != "B" else () for row in rows]  # a size is not slowed
    columns |= quality.doubts(rounds, watches)
    columns |= _rates(columns, shows_digits)
    peak, macs = check.peaks(columns, best), columns["macs_per_second"]
    peak = peak * np.nan_to_num(columns["world"], nan=1.0)
    columns["peak_macs_per_second"] = np.where(np.isnan(macs), np.nan, peak)
    columns["share_of_peak"] = macs / peak
    columns |= _training(columns)
    without_numbers(columns, ~columns["sound"])
    return columns, of_files


def without_numbers(columns: Columns, rows: Any) -> None:
    """Empty all but the names of these rows, a mask: nobody can read a number from them."""
    for name, column in columns.items():
        if name not in WHO and name not in ("sound", "invalid"):
            column[rows] = {"f": np.nan, "O": None}.get(column.dtype.kind, 0)


def first_of(lines: Sequence[str]) -> str | None:
    """The first of some lines, and how many more there are; None of none."""
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return lines[0] + more if lines else None


def flat(structs: Sequence[Any], kind: type[Struct], prefix: str = "") -> Columns:
    """A column for each field of structs of one kind, those of structs within them included."""
    columns: Columns = {}
    missing = None in structs
    for name, _, holds, struct, *_ in fields(kind):
        if name in UNSHOWN:
            continue
        asked, found = attrgetter(name), prefix + name
        if missing:
            values = [None if each is None else asked(each) for each in structs]
        else:
            values = [*map(asked, structs)]
        if holds == "struct" and struct:
            columns |= flat(values, struct, f"{name}_")
        elif holds in ("number", "count"):
            columns[found] = numbers(values)
        elif holds == "text":
            columns[found] = _texts(values)
        else:
            made = [to_builtins(cleaned(value)) if value else None for value in values]
            columns[found] = _objects(made)
    return columns


def _texts(values: Sequence[str | None]) -> Any:
    words = {value: None if value is None else plain(value) for value in set(values)}
    return _objects([words[value] for value in values])


def _objects(values: Sequence[Any]) -> Any:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _rates(columns: Columns, shows_digits: Any) -> Columns:
    """What a second brings, and what rows of one question are compared per."""
    value, is_time = columns["value"], columns["unit"] == "s"
    shown = np.where(shows_digits & is_time & (columns["presentations"] > 0),
                     columns["presentations"], np.nan)  # fmt: skip
    macs = np.where(is_time & (columns["macs"] > 0), columns["macs"], np.nan)
    moved = np.where(is_time & (columns["bytes"] > 0), columns["bytes"], np.nan)
    per, works = _objects(["round"] * len(value)), np.ones(len(value))
    for name, counts in (("byte", moved), ("MAC", macs), ("presentation", shown)):
        has = ~np.isnan(counts)
        per[has], works[has] = name, counts[has]
    with np.errstate(divide="ignore", invalid="ignore"):
        took = np.where(value > 0, value, np.nan)
        return {
            "per": per,
            "works": works,
            "us_per_presentation": 1e6 / shown * value,
            "presentations_per_second": shown / took,
            "macs_per_second": macs / took,
            "bytes_per_second": moved / took,
        }


def _training(columns: Columns) -> Columns:
    """The time of the 167,693 presentations, where a row stands for it.

    Measured where the whole run was made; projected from queued steps, a projection being the time
    of a presentation times 167,693.
    """
    question, shown = columns["question"], columns["presentations"]
    measured = (question == "training") & (shown == paper.PRESENTATIONS)
    projected = (question == "sgd-queued") & (columns["batch"] == 1)
    kind = _objects([None] * len(question))
    kind[measured], kind[projected] = "measured", "projected"
    factor = np.where(measured, 1.0, np.nan)
    factor[projected] = paper.PRESENTATIONS / shown[projected]
    times = {name: columns[of] * factor for name, of in
             (("seconds", "value"), ("low", "low"), ("high", "high"))}  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        times_sun = paper.SUN_TRAINING_SECONDS / times["seconds"]
    return {f"training_{name}": column for name, column in times.items()} | {
        "training_kind": kind,
        "times_sun": times_sun,
    }
