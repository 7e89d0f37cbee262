"""The result files that a command was given: files, folders and globs, good ones and bad ones."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.report.reading import read
from bench.report.records import ResultFile
from zipnet.errors import UserError, shown


@dataclass(frozen=True)
class Library:
    """What could be read, by machine and time, and one line for each thing that could not."""

    files: tuple[ResultFile, ...]
    bad: tuple[str, ...]


def collect(arguments: Sequence[str]) -> Library:
    """Read everything the arguments name; never raises for a bad file."""
    files: list[ResultFile] = []
    bad: list[str] = []
    seen: set[str] = set()
    for argument in arguments:
        try:
            for path in _paths(argument):
                real = os.path.realpath(path)  # Path.resolve() trips over a link to itself
                if real in seen:
                    continue
                seen.add(real)
                try:
                    files.append(read(path))
                except UserError as error:
                    bad.append(str(error))
        except UserError as error:
            bad.append(str(error))
    files.sort(key=lambda file: (file.machine.name, file.written, file.source))
    return Library(tuple(files), tuple(bad))


def _paths(argument: str) -> Iterator[Path]:
    """The files that one argument stands for, sorted; a UserError where it stands for none."""
    try:
        path = Path(argument)
        if argument and path.is_dir():  # an empty argument is no name for the folder we are in
            yield from _inside(path)
        elif argument and os.path.lexists(path):
            yield path
        else:
            matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (may be absolute)
            if not matches:
                raise UserError(
                    f"{shown(argument)}: no such file or folder; expected result files, "
                    "written by 'pytest --benchmark-only'"
                )
            for match in map(Path, matches):
                if match.is_dir():
                    yield from _inside(match)
                else:
                    yield match
    except (OSError, ValueError) as error:  # a name too long, a NUL inside, a folder kept shut
        if isinstance(error, UserError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{shown(argument)}: cannot be read: {reason}") from None


def _inside(folder: Path) -> Iterator[Path]:
    """Every .json below a folder, hidden ones left out: a writer's temporary file may be there."""
    matches = sorted(p for p in folder.rglob("*.json") if not p.name.startswith("."))
    if not matches:
        raise UserError(
            f"{shown(str(folder))}: holds no result file (*.json); "
            "'pytest --benchmark-only' writes one"
        )
    yield from matches
