"""From the arguments of `compare` to the files that compete: machines by name, files by path."""

from __future__ import annotations

import difflib
import glob
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.report.files.library import collect
from bench.report.files.remote import is_remote, path_of
from bench.report.records import ResultFile
from bench.report.rows.examined import Examined, without_shared_timings
from bench.report.rows.measures import latest
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
    results = path_of(results)
    places = [place for argument in arguments for place in _place(argument, results)]
    library = collect(places)
    known = {found.file.address for found in library.examined}
    own = _own_files((found.file for found in library.examined), results)
    more = [f for f in collect([path for path in own if path not in known]).examined
            if f.file.address not in known]  # fmt: skip
    runs = without_shared_timings([*library.examined, *more]) if more else library.examined
    bad = [*library.bad]
    bad += [f"{run.file.source}: {run.findings[0]}" for run in runs[: len(library.examined)]
            if run.findings]  # fmt: skip
    sound = [run for run in runs if not run.findings]
    explicit = {a for place in places if not _is_folder(place) for a in library.named[place]}
    kept: dict[str, Examined] = {}
    for place in places:
        addresses = set(library.named[place]) - (explicit if _is_folder(place) else set())
        competing = [run for run in sound if run.file.address in addresses]
        if _is_folder(place):
            chosen = {id(file) for file in latest(run.file for run in competing)}
            competing = [run for run in competing if id(run.file) in chosen]
        for run in competing:
            kept.setdefault(run.file.address, run)
    return Field(tuple(_labelled(list(kept.values()))), tuple(runs), tuple(bad))


def choose(contestants: Sequence[Contestant], baseline: str | None) -> list[Contestant]:
    """Put the baseline first: the one that was named, by its label, file or machine."""
    if baseline is None:
        return list(contestants)
    wanted = os.path.realpath(path_of(baseline))
    for matches in (
        [c for c in contestants if baseline in (c.label, c.file.source)],
        [c for c in contestants if c.file.address in (baseline, wanted)],
        [c for c in contestants if c.file.machine.name == baseline],
    ):
        if matches:
            return [matches[0], *(c for c in contestants if c is not matches[0])]
    labels = ", ".join(c.label for c in contestants[:6])
    raise UserError(f"--baseline {shown(baseline)} is not compared here; choose one of: {labels}")


def _place(argument: str, results: str) -> list[str]:
    """The files or folders that an argument stands for; a machine's name is its folder."""
    argument = path_of(argument)
    if is_remote(argument) or (argument and os.path.lexists(argument)):
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
    if is_remote(results) and argument and not set(argument) & set("/\\*?["):
        return [f"{results.rstrip('/')}/{argument}"]  # reading says whether it is there
    near = difflib.get_close_matches(argument, _machines(results), 3, 0.4)
    hint = f"; did you mean: {', '.join(near)}?" if near else ""
    raise UserError(f"{shown(argument)} is no file, folder or machine below {results}{hint}")


def _machines(results: str) -> list[str]:
    try:
        return sorted(path.name for path in Path(results).iterdir() if path.is_dir())
    except OSError:
        return []


def _is_folder(path: str) -> bool:
    if is_remote(path):
        return not path.endswith(".json")
    return os.path.isdir(path)  # noqa: PTH112 (any text at all)


def _own_files(files: Iterable[ResultFile], results: str) -> list[str]:
    """Further runs of the same machines, by their folders: the null test can use them."""
    names = {file.machine.name for file in files if os.path.basename(file.machine.name)}  # noqa: PTH119 (any text at all)
    if is_remote(results):
        return [f"{results.rstrip('/')}/{name}" for name in sorted(names) if "/" not in name]
    folders = [Path(results) / name for name in sorted(names) if Path(name).name == name]
    return [
        os.path.realpath(path)
        for folder in folders
        if _is_folder(str(folder))
        for path in sorted(folder.glob("*.json"))
        if not path.name.startswith(".")
    ]


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
