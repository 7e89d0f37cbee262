"""From the arguments of `compare` to the files that compete: machines by name, files by path."""

from __future__ import annotations

import contextlib
import glob
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zipnet.errors import UserError, alike, shown
from zipnet.results.collect import collect
from zipnet.results.places import is_remote, path_of
from zipnet.results.runs import Run, Runs, newest


class Contestant(NamedTuple):
    """A run that stands for a machine, or for itself; label is how a person tells it apart."""

    label: str
    run: Run


def enter(arguments: Sequence[str], results: str) -> tuple[list[Contestant], Runs, list[str]]:
    """Find everybody that the arguments name, in their order: who competes, every run that was
    read (for the null test), and what could not be read.

    A file competes for itself, and so does each file of a glob. A folder, or the name of a
    machine below `results`, enters each of its machines, by the newest of the runs that are not
    named themselves.
    """
    results = path_of(results)
    places = [place for argument in arguments for place in _place(argument, results)]
    runs = collect(places)
    known = {run.place.address for run in runs.runs}
    machines = sorted({run.about.machine_info.name for run in runs.runs})
    if own := [folder for name in machines if (folder := _folder(name, results))]:
        runs = _joined(runs, collect(own, known))  # further runs, for the null test
    given = [run for run in runs.runs if run.place.address in known]
    bad = [*runs.bad, *(f"{run.source}: {run.findings[0]}" for run in given if run.findings)]
    explicit = {a for place in places if not _is_folder(place) for a in runs.named[place]}
    kept: dict[str, Run] = {}
    for place in places:
        addresses = set(runs.named[place]) - (explicit if _is_folder(place) else set())
        competing = [run for run in given if run.place.address in addresses and not run.findings]
        for run in newest(competing) if _is_folder(place) else competing:
            kept.setdefault(run.place.address, run)
    return _labelled(list(kept.values())), runs, bad


def choose(contestants: Sequence[Contestant], baseline: str | None) -> list[Contestant]:
    """Put the baseline first: the one that was named, by its label, file or machine."""
    if baseline is None:
        return list(contestants)
    wanted = os.path.realpath(path_of(baseline))
    for matches in (
        [c for c in contestants if baseline in (c.label, c.run.source)],
        [c for c in contestants if c.run.place.address in (baseline, wanted)],
        [c for c in contestants if c.run.name == baseline],
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
    if folder := _folder(argument, results):
        return [folder]
    try:
        found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (may be absolute)
    except (OSError, ValueError):
        found = []
    if found:
        return found
    machines: list[str] = []
    with contextlib.suppress(OSError):
        machines = sorted(path.name for path in Path(results).iterdir() if path.is_dir())
    hint = alike(argument, machines)
    raise UserError(f"{shown(argument)} is no file, folder or machine below {results}{hint}")


def _folder(machine: str, results: str) -> str | None:
    """The folder of a machine below results; in a store, reading says whether it is there."""
    barred = "/\\*?[" if is_remote(results) else f"/{os.sep}"
    if not machine.strip(".") or set(machine) & set(barred):
        return None
    folder = f"{results.rstrip('/')}/{machine}"
    return folder if is_remote(results) or _is_folder(folder) else None


def _is_folder(path: str) -> bool:
    if is_remote(path):
        return not path.endswith(".json")
    return os.path.isdir(path)  # noqa: PTH112 (any text at all)


def _joined(runs: Runs, more: Runs) -> Runs:
    """Both, with what is known of the first."""
    end = len(runs.columns["file"])
    new = [replace(run, begin=run.begin + end, end=run.end + end) for run in more.runs]
    columns = {name: np.concatenate([column, more.columns[name]])
               for name, column in runs.columns.items()}  # fmt: skip
    return Runs([*runs.runs, *new], columns, runs.bad, runs.named)


def _labelled(runs: Sequence[Run]) -> list[Contestant]:
    """Machines by their name; several runs of one machine by their files."""
    machines = Counter(run.name for run in runs)
    files = [run.source.rpartition("/")[2].removesuffix(".json") for run in runs]
    labels = [run.name if machines[run.name] == 1 else file
              for run, file in zip(runs, files, strict=True)]  # fmt: skip
    counts = Counter(labels)
    return [Contestant(label if counts[label] == 1 else run.source, run)
            for label, run in zip(labels, runs, strict=True)]  # fmt: skip
