"""From the arguments of `compare` to the files that compete: machines by name, files by path."""

from __future__ import annotations

import difflib
import glob
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.report.examined import Examined, examine_all
from bench.report.library import collect
from bench.report.measures import latest
from bench.report.records import ResultFile
from zipnet.errors import UserError, shown


@dataclass(frozen=True)
class Contestant:
    """A run that stands for a machine, or for itself; label is how a person tells it apart."""

    label: str
    found: Examined

    @property
    def file(self) -> ResultFile:
        """What the run said."""
        return self.found.file


@dataclass(frozen=True)
class Field:
    """Who competes, every run that was read (for the null test), and what could not be read."""

    contestants: tuple[Contestant, ...]
    runs: tuple[Examined, ...]
    bad: tuple[str, ...]


def enter(arguments: Sequence[str], results: str) -> Field:
    """Find everybody that the arguments name, in their order.

    A file competes for itself, and so does each file of a glob. A folder, or the name of a
    machine below `results`, enters each of its machines, by the run that latest() chooses among
    those not named themselves.
    """
    places = [_place(argument, results) for argument in arguments]
    named = [path for found in places for path in found if not _is_folder(path)]
    library = collect([path for found in places for path in found])
    known = {os.path.realpath(file.path) for file in library.files}
    further = [path for path in _own_files(library.files, results) if path not in known]
    more = collect(further).files if further else ()
    runs = examine_all([*library.files, *more])
    bad = [*library.bad]
    bad += [f"{run.file.source}: {run.findings[0]}" for run in runs[: len(library.files)]
            if run.findings]  # fmt: skip
    by_path = {os.path.realpath(run.file.path): run for run in runs if not run.findings}
    kept: dict[str, Examined] = {}
    explicit = {os.path.realpath(path) for path in named}
    for path in (path for found in places for path in found):
        for run in _entered(path, by_path, explicit):
            kept.setdefault(os.path.realpath(run.file.path), run)
    return Field(tuple(_labelled(list(kept.values()))), tuple(runs), tuple(bad))


def choose(contestants: Sequence[Contestant], baseline: str | None) -> list[Contestant]:
    """Put the baseline first: the one that was named, by its label, file or machine."""
    if baseline is None:
        return list(contestants)
    wanted = os.path.realpath(baseline)
    for matches in (
        [c for c in contestants if baseline in (c.label, c.file.source)],
        [c for c in contestants if os.path.realpath(c.file.path) == wanted],
        [c for c in contestants if c.file.machine.name == baseline],
    ):
        if matches:
            return [matches[0], *(c for c in contestants if c is not matches[0])]
    labels = ", ".join(c.label for c in contestants[:6])
    raise UserError(f"--baseline {shown(baseline)} is not compared here; choose one of: {labels}")


def _place(argument: str, results: str) -> list[str]:
    """The files or folders that an argument stands for; a machine's name is its folder."""
    if argument and os.path.lexists(argument):
        return [argument]
    if argument and os.path.basename(argument) == argument:  # noqa: PTH119 (any text at all)
        folder = os.path.join(results, argument)  # noqa: PTH118
        if os.path.isdir(folder):  # noqa: PTH112
            return [folder]
    try:
        found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (may be absolute)
    except (OSError, ValueError):
        found = []
    if found:
        return found
    near = difflib.get_close_matches(argument, _machines(results), 3, 0.4)
    hint = f"; did you mean: {', '.join(near)}?" if near else ""
    raise UserError(f"{shown(argument)} is no file, folder or machine below {results}{hint}")


def _machines(results: str) -> list[str]:
    try:
        return sorted(path.name for path in Path(results).iterdir() if path.is_dir())
    except OSError:
        return []


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 (any text at all)


def _own_files(files: Iterable[ResultFile], results: str) -> list[str]:
    """Further runs of the same machines, by their folders: the null test can use them."""
    names = {file.machine.name for file in files if os.path.basename(file.machine.name)}  # noqa: PTH119 (any text at all)
    folders = [Path(results) / name for name in sorted(names) if Path(name).name == name]
    return [
        os.path.realpath(path)
        for folder in folders
        if _is_folder(str(folder))
        for path in sorted(folder.glob("*.json"))
        if not path.name.startswith(".")
    ]


def _entered(path: str, by_path: dict[str, Examined], explicit: set[str]) -> list[Examined]:
    """The runs that one file or folder enters."""
    real = os.path.realpath(path)
    if not _is_folder(path):
        return [by_path[real]] if real in by_path else []
    below = real.rstrip(os.sep) + os.sep
    inside = {p: run for p, run in by_path.items() if p.startswith(below) and p not in explicit}
    chosen = latest(run.file for run in inside.values())
    return [run for run in inside.values() if any(run.file is file for file in chosen)]


def _labelled(runs: Sequence[Examined]) -> list[Contestant]:
    """Machines by their name; several runs of one machine by their files."""
    machines = Counter(run.file.machine.name for run in runs)
    contestants = [
        Contestant(
            run.file.machine.name
            if machines[run.file.machine.name] == 1
            else run.file.source.rpartition("/")[2].removesuffix(".json"),
            run,
        )
        for run in runs
    ]
    labels = Counter(contestant.label for contestant in contestants)
    return [
        contestant
        if labels[contestant.label] == 1
        else replace(contestant, label=contestant.file.source)
        for contestant in contestants
    ]
