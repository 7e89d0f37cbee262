"""Result files in an object store, an archive or on a server: any folder that fsspec can open.

s3://bucket/results, gs://bucket/results, zip://::results.zip, memory://results. The library of a
protocol (s3fs, gcsfs, ...) is the user's to install, and credentials are that library's to find.
Files are fetched many at a time, within the bounds of size that hold for local ones.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from bench.report.files.border import plain
from bench.report.files.places import SETTLED, Place, empty, nothing
from bench.report.files.strict_json import MAX_BYTES, bounded
from zipnet.errors import UserError, shown

# What stores call the facts that change with a file's content.
SUMS: Final = ("etag", "md5", "checksum", "crc")
TIMES: Final = ("modified", "mtime", "updated", "created")


def is_remote(argument: str) -> bool:
    """Whether an argument is an address and not a path."""
    return "://" in argument and not argument.startswith("file://")


def path_of(argument: str) -> str:
    """The path that a file: address names; any other argument as it is."""
    return url2pathname(urlsplit(argument).path) if argument.startswith("file://") else argument


@dataclass(frozen=True)
class Store:
    """A file system somewhere else, as one argument names it."""

    argument: str
    system: Any
    root: str

    @classmethod
    def of(cls, argument: str) -> Store:
        """Open the store that an address names; a UserError says why it cannot be."""
        try:
            import fsspec

            system, root = fsspec.url_to_fs(argument)
        except Exception as error:  # each driver raises what it likes
            raise _unreadable(argument, error) from None
        return cls(argument, system, root)

    def places(self) -> list[Place]:
        """The result files below the address, sorted; a UserError where there are none."""
        try:
            found = self._found()
        except UserError:
            raise
        except Exception as error:
            raise _unreadable(self.argument, error) from None
        return [self._place(name, found[name]) for name in sorted(found)]

    def fetch(self, places: Sequence[Place]) -> list[bytes | UserError]:
        """The bytes of each file, or the error that says why they could not be had."""
        sized = [place.name for place in places if (place.size or MAX_BYTES + 1) <= MAX_BYTES]
        try:
            got = self.system.cat(sized, on_error="return") if sized else {}
        except Exception as error:
            got = dict.fromkeys(sized, error)
        return [self._bytes(place, got.get(place.name)) for place in places]

    def _bytes(self, place: Place, got: object) -> bytes | UserError:
        try:
            if got is None:
                bounded(place.size or 0, place.source)
                with self.system.open(place.name, "rb") as file:
                    got = file.read(MAX_BYTES + 1)
            if not isinstance(got, bytes):
                raise got if isinstance(got, Exception) else TypeError(type(got).__name__)
            bounded(len(got), place.source)
        except UserError as error:
            return error
        except Exception as error:
            return UserError(f"{place.source}: cannot be read: {_reason(error)}")
        return got

    def _found(self) -> dict[str, dict[str, Any]]:
        """What the store says of each file, by the store's name for it."""
        if self.system.isfile(self.root):
            return {self.root: self.system.info(self.root)}
        if self.system.exists(self.root):
            below = self.system.find(self.root, detail=True)
            found = {name: info for name, info in below.items() if _is_result(name)}
            if not found:
                raise empty(self.argument)
            return found
        matches = self.system.glob(self.root, detail=True)
        found = {name: info for name, info in matches.items() if info.get("type") == "file"}
        if not found:
            raise nothing(self.argument)
        return found

    def _place(self, name: str, info: dict[str, Any]) -> Place:
        address = str(self.system.unstrip_protocol(name))
        size = info.get("size")
        return Place(
            # An archive's members have the same names as any other archive's.
            key=f"{self.argument} {address}" if "::" in self.argument else address,
            source=plain("/".join(PurePosixPath(name).parts[-2:])) or plain(address),
            path=None,
            stamp=_stamp(info),
            name=name,
            size=size if isinstance(size, int) else None,
        )


def _is_result(name: str) -> bool:
    last = PurePosixPath(name).name
    return last.endswith(".json") and not last.startswith(".")


def _stamp(info: dict[str, Any]) -> str | None:
    """A hash of what the store says of a file; None where it says nothing that would change."""
    if not (_named(info, SUMS) or any(map(_lasting, _named(info, TIMES)))):
        return None
    facts = repr(sorted((key, repr(value)) for key, value in info.items()))
    return hashlib.blake2b(facts.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _named(info: dict[str, Any], words: Sequence[str]) -> list[Any]:
    """The facts that are there and whose name holds one of the words."""
    return [
        value for key, value in info.items()
        if value is not None and any(word in key.lower() for word in words)
    ]  # fmt: skip


def _lasting(when: Any) -> bool:
    """Whether a file of this time is told by it from any later one.

    A store that counts whole seconds may take two files within one.
    """
    try:
        if isinstance(when, str):
            when = datetime.fromisoformat(when)
        if isinstance(when, datetime):
            when = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        seconds = float(when)
    except (TypeError, ValueError, OverflowError):
        return False
    return not seconds.is_integer() or time.time() - seconds > SETTLED / 1e9


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _unreadable(argument: str, error: Exception) -> UserError:
    return UserError(f"{shown(argument)}: cannot be read: {_reason(error)}; expected a folder that "
                     "fsspec can open, with the library of its protocol installed")  # fmt: skip
