"""Where result files lie: files, folders and globs of our disks, and whatever folder fsspec opens.

s3://bucket/results, gs://bucket/results, zip://::results.zip, memory://results. The library of a
protocol (s3fs, gcsfs, ...) is the user's to install, and credentials are that library's to find.
"""

from __future__ import annotations

import functools
import glob
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from zipnet.errors import UserError, one_line, shown
from zipnet.results.schema import LONGEST_TEXT

MAX_BYTES: Final = 256 * 2**20  # a full run is about 1 MB; what it says takes some ten times that

Fetch = Callable[[Sequence["Place"]], list[bytes | UserError]]


@functools.lru_cache(4096)  # a fleet says the same few thousand words, a million times
def plain(text: str) -> str:
    """One line without control or direction characters: no later page has to think of them."""
    return one_line(text, LONGEST_TEXT) or "?"


@dataclass(frozen=True)
class Place:
    """One result file, not read yet."""

    address: str  # tells it from every other: its real path, or where its store has it
    source: str  # the name a reader sees: folder and file, nothing of where they lie
    path: Path | None = None  # None where it is in a store
    argument: str = ""  # the address of its store,
    name: str = ""  # and what the store calls it
    size: int | None = None  # bytes, where its store told


def is_remote(argument: str) -> bool:
    """Whether an argument is an address and not a path."""
    return "://" in argument and not argument.startswith("file://")


def path_of(argument: str) -> str:
    """The path that a file: address names; any other argument as it is."""
    if not argument.startswith("file://"):
        return argument
    from urllib.request import url2pathname  # with all of HTTP, which no other argument needs

    return url2pathname(urlsplit(argument).path)


def places(argument: str, bad: list[str]) -> tuple[list[Place], Fetch | None]:
    """The files that an argument stands for, sorted, and how to fetch them from elsewhere.

    `bad` gets a line for what holds nothing to read; never raises for what a person may type.
    """
    try:
        if is_remote(argument):
            store = Store.of(argument)
            return store.places(), store.fetch
        return [_local(path) for path in _paths(path_of(argument), bad)], None
    except UserError as error:
        bad.append(str(error))
        return [], None


def content_of(place: Place) -> bytes:
    """The bytes of a regular file of bounded size: a pipe or a device would never end."""
    assert place.path is not None
    try:
        found = place.path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise UserError(f"{place.source}: a folder; expected a file")
        if not stat.S_ISREG(found.st_mode):
            raise UserError(f"{place.source}: not a regular file; expected a JSON file")
        _bounded(found.st_size, place)
        return place.path.read_bytes()
    except OSError as error:
        raise UserError(f"{place.source}: cannot be read: {_reason(error)}") from None


def _local(path: Path) -> Place:
    source = plain("/".join(path.absolute().parts[-2:]))
    return Place(os.path.realpath(path), source, path)  # Path.resolve() trips over a link to itself


def _paths(argument: str, bad: list[str]) -> list[Path]:
    try:
        path = Path(argument)
        if argument and path.is_dir():  # an empty argument is no name for the folder we are in
            return _inside(path)
        if argument and os.path.lexists(path):
            return [path]
        matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (may be absolute)
    except (OSError, ValueError) as error:  # a name too long, a NUL inside, a folder kept shut
        if isinstance(error, UserError):
            raise
        raise UserError(f"{shown(argument)}: cannot be read: {_reason(error)}") from None
    if not matches:
        raise _nothing(argument)
    return [path for match in matches for path in _matched(Path(match), bad)]


def _matched(match: Path, bad: list[str]) -> list[Path]:
    """What a glob found; a folder that cannot be listed keeps none of the others away."""
    try:
        return _inside(match) if match.is_dir() else [match]
    except UserError as error:
        bad.append(str(error))
    except OSError as error:
        bad.append(f"{shown(str(match))}: cannot be read: {_reason(error)}")
    return []


def _inside(folder: Path) -> list[Path]:
    """Every .json below a folder, hidden ones left out: a writer's temporary file may be there.

    Links to folders are followed, after the folders themselves; none is entered twice, so that a
    link to a folder above it is no circle.
    """
    found: list[Path] = []
    entered: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(here)) in entered:
            folders.clear()
            continue
        entered.add(real)
        links = {name for name in folders if Path(here, name).is_symlink()}
        folders[:] = [*sorted(set(folders) - links), *sorted(links)]
        found += [Path(here, name) for name in (*folders, *files) if _is_result(name)]
    return _some(found, str(folder))


def _some(found: list[Any], folder: str) -> list[Any]:
    if not found:
        raise UserError(f"{shown(folder)}: holds no result file (*.json); "
                        "'pytest --benchmark-only' writes one")  # fmt: skip
    return sorted(found)


def _nothing(argument: str) -> UserError:
    return UserError(f"{shown(argument)}: no such file or folder; expected result files, "
                     "written by 'pytest --benchmark-only'")  # fmt: skip


def _is_result(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


@dataclass(frozen=True)
class Store:
    """A file system somewhere else, as one argument names it. Its drivers raise what they like."""

    argument: str
    system: Any
    root: str

    @classmethod
    def of(cls, argument: str) -> Store:
        """Open the store that an address names; a UserError says why it cannot be."""
        try:
            import fsspec

            return cls(argument, *fsspec.url_to_fs(argument))
        except Exception as error:
            raise _unreadable(argument, error) from None

    def places(self) -> list[Place]:
        """The result files below the address, sorted; a UserError where there are none."""
        try:
            found = dict(self._found())
        except UserError:
            raise
        except Exception as error:
            raise _unreadable(self.argument, error) from None
        return [self._place(name, found[name]) for name in _some([*found], self.argument)]

    def fetch(self, wanted: Sequence[Place]) -> list[bytes | UserError]:
        """The bytes of each file, or the error that says why they could not be had."""
        sized = [place.name for place in wanted if (place.size or MAX_BYTES + 1) <= MAX_BYTES]
        sized = [name for name in sized if not set(name) & set("*?[")]  # which cat() would expand
        try:
            got = self.system.cat(sized, on_error="return") if sized else {}
        except Exception as error:
            got = dict.fromkeys(sized, error)
        return [self._bytes(place, got.get(place.name)) for place in wanted]

    def _bytes(self, place: Place, got: object) -> bytes | UserError:
        try:
            if got is None:
                _bounded(place.size or 0, place)
                with self.system.open(place.name, "rb") as file:
                    got = file.read(MAX_BYTES + 1)
            if not isinstance(got, bytes):
                raise got if isinstance(got, Exception) else TypeError(type(got).__name__)
            _bounded(len(got), place)
        except UserError as error:
            return error
        except Exception as error:
            return UserError(f"{place.source}: cannot be read: {_reason(error)}")
        return got

    def _found(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the store says of each file, by the store's name for it."""
        if self.system.isfile(self.root):
            yield self.root, self.system.info(self.root)
        elif self.system.exists(self.root):
            below = self.system.find(self.root, detail=True).items()
            yield from ((n, info) for n, info in below if _is_result(PurePosixPath(n).name))
        else:
            matches = self.system.glob(self.root, detail=True)
            if not matches:
                raise _nothing(self.argument)
            yield from ((n, info) for n, info in matches.items() if info.get("type") == "file")

    def _place(self, name: str, info: dict[str, Any]) -> Place:
        address, size = str(self.system.unstrip_protocol(name)), info.get("size")
        return Place(
            # An archive's members have the same names as any other archive's.
            address=f"{self.argument} {address}" if "::" in self.argument else address,
            source=plain("/".join(PurePosixPath(name).parts[-2:]) or address),
            argument=self.argument,
            name=name,
            size=size if isinstance(size, int) else None,
        )


def _bounded(size: int, place: Place) -> None:
    if size > MAX_BYTES:
        raise UserError(f"{place.source}: {size} bytes; expected at most {MAX_BYTES}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _unreadable(argument: str, error: Exception) -> UserError:
    return UserError(f"{shown(argument)}: cannot be read: {_reason(error)}; expected a folder that "
                     "fsspec can open, with the library of its protocol installed")  # fmt: skip
