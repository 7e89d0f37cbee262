"""The journal of trainings: a line for each that ended, on the disk before the next one counts.

Whatever ends a command, a kill or a power cut included, what the journal holds is never trained
again. Lines are found by their keys, hashes of all that a training's outcome depends on, so one
journal serves several commands, grows with more seeds, and outlives changes of the code, whose old
lines are passed over.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from zipnet.errors import UserError, shown
from zipnet.results.schema import Learned, Seconds, Verified


class Ended(Struct, kw_only=True):
    """A line: a training that ended, and what it learned.

    what: which it was, for a person. seconds: of training alone. verified: how its engine was held
    to the reference before.
    """

    key: str
    what: str
    seconds: Seconds
    verified: Verified | None
    learned: Learned


class Journal:
    """The lines of one file, by their keys. Raises UserError where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ended: dict[str, Ended] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a+b") as file:  # whether it can be written shows now, not in an hour
                file.seek(0)
                lines = file.read().split(b"\n")
        except OSError as error:
            raise self._unusable(error) from None
        for line in lines:
            try:
                ended = msgspec.json.decode(line, type=Ended)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue  # torn by what ended that command, or of another version
            self._ended.setdefault(ended.key, ended)

    def __contains__(self, key: str) -> bool:
        return key in self._ended

    def __getitem__(self, key: str) -> Ended:
        return self._ended[key]

    def add(self, ended: Ended) -> None:
        """Write a line, and return when it is on the disk."""
        line = msgspec.json.encode(ended) + b"\n"
        try:
            with self.path.open("a+b", buffering=0) as file:
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    line = line if file.read(1) == b"\n" else b"\n" + line  # after a torn one
                file.write(line)
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from None
        self._ended.setdefault(ended.key, ended)

    def _unusable(self, error: OSError) -> UserError:
        return UserError(
            f"journal {shown(str(self.path))} cannot be written: {error.strerror or error}; "
            "choose another folder with --results"
        )
