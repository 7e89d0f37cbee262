"""Reading .npz files that anything may have happened to: nothing is unpickled, nothing trusted.

Truncated, foreign, encrypted and hostile files make numpy, zipfile, zlib and ast raise a dozen
kinds of exception, MemoryError among them (a header may promise more than any machine holds), so
whatever is raised while a file is read means that the file is bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zipnet.data.digits import Array
from zipnet.errors import UserError


def read(path: Path, keys: Sequence[str]) -> dict[str, Array]:
    """Read the named arrays, whatever they hold.

    Raises FileNotFoundError where there is no such file, and UserError where it cannot be read.
    """
    if path.is_dir():
        raise UserError(f"{path}: is a folder; an .npz file was expected")
    if path.exists() and not path.is_file():  # a pipe would keep us waiting
        raise UserError(f"{path}: is no regular file; an .npz file was expected")
    with path.open("rb") as file:
        if not file.read(1):
            raise UserError(f"{path}: is empty; an .npz file was expected")
        file.seek(0)
        try:
            archive = np.load(file, allow_pickle=False)
        except Exception as error:
            raise _unreadable(path, "is no .npz file", error) from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise UserError(f"{path}: is a single array; an .npz file was expected")
        with archive:
            return {key: _array(path, archive, key) for key in keys}


def _array(path: Path, archive: np.lib.npyio.NpzFile, key: str) -> Array:
    if key not in archive.files:
        found = ", ".join(archive.files) or "nothing"
        raise UserError(f"{path}: has no array {key}; found: {found}")
    try:
        array = archive[key]
    except Exception as error:
        raise _unreadable(path, f"array {key} cannot be read", error) from error
    if not isinstance(array, np.ndarray):  # zip members that are not .npy come back as bytes
        raise UserError(f"{path}: {key} is not an array")
    return array


def _unreadable(path: Path, what: str, error: BaseException) -> UserError:
    reason = str(error) or type(error).__name__
    return UserError(f"{path}: {what} ({reason}); replace the file or remove it")
