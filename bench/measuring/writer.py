"""Writing a result file: strict JSON, in one atomic step, beside the earlier ones."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bench.measuring.folder import Disk, Folder
from zipnet.atomic import replacing
from zipnet.errors import UserError
from zipnet.results.schema import ResultFile


class Refused(UserError):
    """No reader would take a document; it is kept all the same."""

    def __init__(self, kept: str, reason: object) -> None:
        super().__init__(f"no reader would take this file, kept as {kept}: {reason}")
        self.kept = kept


def save(document: dict[str, Any], folder: Folder, machine: str, stamp: str, commit: str) -> str:
    """Write <machine>/<stamp>_<commit>.json into the folder, never over an earlier file.

    Returns its path or address. Raises ValueError where a number is not finite, and UserError
    where the folder cannot be written; nothing is left behind in either case. A document that no
    reader would take is Refused, but what was measured is kept, in a file of another ending.
    """
    content = json.dumps(document, indent=1, allow_nan=False).encode()
    try:
        msgspec.json.decode(content, type=ResultFile)
    except msgspec.ValidationError as error:
        kept = _create(content, folder, f"{machine}/{stamp}_{commit}", ".refused")
        raise Refused(kept, error) from None
    return _create(content, folder, f"{machine}/{stamp}_{commit}", ".json")


def rewrite(document: dict[str, Any], path: Path) -> None:
    """Put a document in the place of its earlier self, which a reader sees until this one is whole.

    Raises as save() does.
    """
    content = json.dumps(document, indent=1, allow_nan=False).encode()
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from None


def rescue(document: dict[str, Any], machine: str, stamp: str, commit: str) -> str:
    """Save a document, whatever it holds, in a new folder for temporary files; returns its path.

    Where one such folder has no room either, the next may lie on another disk, or in memory.
    """
    name, content = f"{machine}/{stamp}_{commit}.json", json.dumps(document).encode()
    reasons: dict[str, None] = {}
    for home in (tempfile.gettempdir(), "/var/tmp", "/dev/shm", Path.cwd()):  # noqa: S108
        try:
            return Disk(Path(tempfile.mkdtemp(prefix="zipnet-", dir=home))).create(name, content)
        except (UserError, OSError) as error:
            reasons[str(error)] = None
    raise UserError("; ".join(reasons))


def _create(content: bytes, folder: Folder, name: str, ending: str) -> str:
    for attempt in range(1000):
        suffix = f"-{attempt}" if attempt else ""
        try:
            return folder.create(f"{name}{suffix}{ending}", content)
        except FileExistsError:
            continue
    raise UserError(f"the results folder holds 1000 files like {name}; wait a second")
