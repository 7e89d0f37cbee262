"""Where the result files lie that a command was given: files, folders and globs on our disks."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.report.files.reading import source_name
from zipnet.errors import UserError, shown

SETTLED: Final = 2_000_000_000  # ns; a file may be written twice within a tick of its clock


@dataclass(frozen=True)
class Place:
    """One result file, not read yet."""

    key: str  # tells it from every other: its real path, or its address
    source: str  # the name a reader sees
    path: Path | None  # None where it is in an object store
    stamp: str | None  # changes when the file does; None where that cannot be told
    name: str = ""  # what its store calls it
    size: int | None = None  # bytes, where its store told


def local(argument: str, bad: list[str]) -> Iterator[Place]:
    """The files that one argument stands for, sorted; a UserError where it stands for none.

    Where a glob names several folders, `bad` gets a line for each that holds nothing to read.
    """
    return map(_place, _paths(argument, bad))


def _place(path: Path) -> Place:
    real = os.path.realpath(path)  # Path.resolve() trips over a link to itself
    return Place(real, source_name(path), path, _stamp(real))


def _stamp(real: str) -> str | None:
    """Size and times: whoever sets a file's mtime back moves its ctime on."""
    try:
        found = os.stat(real)  # noqa: PTH116 (a NUL or a loop is no business of ours)
    except (OSError, ValueError):
        return None
    touched = max(found.st_mtime_ns, found.st_ctime_ns)
    if time.time_ns() - touched < SETTLED:
        return None
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _paths(argument: str, bad: list[str]) -> Iterator[Path]:
    try:
        path = Path(argument)
        if argument and path.is_dir():  # an empty argument is no name for the folder we are in
            yield from _inside(path)
        elif argument and os.path.lexists(path):
            yield path
        else:
            matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (may be absolute)
            if not matches:
                raise nothing(argument)
            yield from _matched(map(Path, matches), bad)
    except (OSError, ValueError) as error:  # a name too long, a NUL inside, a folder kept shut
        if isinstance(error, UserError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{shown(argument)}: cannot be read: {reason}") from None


def _matched(matches: Iterable[Path], bad: list[str]) -> Iterator[Path]:
    """What a glob found; a folder that cannot be listed keeps none of the others away."""
    for match in matches:
        try:
            if match.is_dir():
                yield from _inside(match)
            else:
                yield match
        except OSError as error:
            bad.append(f"{shown(str(match))}: cannot be read: {error.strerror or error}")
        except UserError as error:
            bad.append(str(error))


def _inside(folder: Path) -> Iterator[Path]:
    """Every .json below a folder, hidden ones left out: a writer's temporary file may be there."""
    matches = sorted(p for p in folder.rglob("*.json") if not p.name.startswith("."))
    if not matches:
        raise empty(str(folder))
    yield from matches


def nothing(argument: str) -> UserError:
    """Nothing is there by that name."""
    return UserError(
        f"{shown(argument)}: no such file or folder; expected result files, "
        "written by 'pytest --benchmark-only'"
    )


def empty(folder: str) -> UserError:
    """A folder is there, and no result file in it."""
    return UserError(
        f"{shown(folder)}: holds no result file (*.json); 'pytest --benchmark-only' writes one"
    )
