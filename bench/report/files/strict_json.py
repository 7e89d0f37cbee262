"""One file as strict JSON: UTF-8, bounded in size, no NaN, no key twice.

Python's parser is laxer than the standard (it reads NaN and Infinity, and the last of two equal
keys wins), and a stranger's file may be anything at all. Whatever is wrong ends as one UserError
that names the file.

A quick parser reads what is plainly in order; this module's own rules are for all the rest.
"""

from __future__ import annotations

import contextlib
import json
import stat
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import orjson

from zipnet.errors import UserError, shown

MAX_BYTES: Final = 256 * 2**20  # a full run is about 1 MB; parsing takes some ten times the size


def load(path: Path, called: str) -> Any:
    """Return what the file says; `called` is the name that messages use for it."""
    return parse(_read_bytes(path, called), called)


def parse(content: bytes, called: str) -> Any:
    """Return what the bytes of a file say."""
    with contextlib.suppress(orjson.JSONDecodeError, orjson.JSONEncodeError):
        value = orjson.loads(content)
        if _surely_unique(content, value):
            return value
    return _strictly(content, called)


def bounded(size: int, called: str) -> None:
    """Refuse a file by its size, before it is read."""
    if size > MAX_BYTES:
        raise UserError(f"{called}: {size} bytes; expected at most {MAX_BYTES}")


def _surely_unique(content: bytes, value: Any) -> bool:
    """Whether no key appears twice: written once more, an object that lost one lacks its colon.

    Where nothing is escaped, a quote before a colon ends a key, or begins a text by chance, which
    is then there on both sides. What stands before a colon elsewhere makes us unsure at the worst.
    """
    if b"\\" in content:
        return False
    letters = np.frombuffer(content, np.uint8)
    before_colons = letters[np.flatnonzero(letters == ord(":")) - 1]
    keys = np.count_nonzero(before_colons <= ord('"'))  # blanks lie below it
    return bool(keys == orjson.dumps(value).count(b'":'))


def _strictly(content: bytes, called: str) -> Any:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{called}: not UTF-8 text (byte {error.start}); expected JSON") from None
    if not text.strip():
        raise UserError(f"{called}: empty; expected a JSON object")
    try:
        return json.loads(
            text, parse_constant=_refuse, parse_int=_number, object_pairs_hook=_unique
        )
    except RecursionError:
        raise UserError(f"{called}: nested too deeply; expected a result file") from None
    except ValueError as error:
        raise UserError(f"{called}: not JSON as we read it: {error}") from None


def _read_bytes(path: Path, called: str) -> bytes:
    """Read a regular file of bounded size; a pipe or a device would never end."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise UserError(f"{called}: a folder; expected a file")
        if not stat.S_ISREG(found.st_mode):
            raise UserError(f"{called}: not a regular file; expected a JSON file")
        bounded(found.st_size, called)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{called}: cannot be read: {error.strerror or error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _number(digits: str) -> int | float:
    """Of more than 64 bits the nearest float, as the quick parser has it too."""
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else float(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, refusing a key that appears twice: nobody could say which one counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {shown(twice)} appears twice in one object")
    return found
