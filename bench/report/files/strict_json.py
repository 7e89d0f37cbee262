"""One file as strict JSON: UTF-8, bounded in size, no NaN, no key twice.

Python's parser is laxer than the standard (it reads NaN and Infinity, and the last of two equal
keys wins), and a stranger's file may be anything at all. Whatever is wrong ends as one UserError
that names the file.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, Final, NoReturn

from zipnet.errors import UserError, shown

MAX_BYTES: Final = 256 * 2**20  # a full run is about 1 MB; parsing takes some ten times the size


def load(path: Path, called: str) -> Any:
    """Return what the file says; `called` is the name that messages use for it."""
    return parse(_read_bytes(path, called), called)


def parse(content: bytes, called: str) -> Any:
    """Return what the bytes of a file say."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{called}: not UTF-8 text (byte {error.start}); expected JSON") from None
    if not text.strip():
        raise UserError(f"{called}: empty; expected a JSON object")
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    except RecursionError:
        raise UserError(f"{called}: nested too deeply; expected a result file") from None
    except ValueError as error:
        raise UserError(f"{called}: not JSON as we read it: {error}") from None


def bounded(size: int, called: str) -> None:
    """Refuse a file by its size, before it is read."""
    if size > MAX_BYTES:
        raise UserError(f"{called}: {size} bytes; expected at most {MAX_BYTES}")


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


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, refusing a key that appears twice: nobody could say which one counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {shown(twice)} appears twice in one object")
    return found
