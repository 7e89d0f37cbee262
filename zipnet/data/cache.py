"""Prepared data sets on disk. A convenience: nothing fails because the cache does.

A file is believed only if its arrays hash to what was written beside them, so a damaged one is
built anew. Files appear whole or not at all; of two processes that write at once, one wins.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zipnet.atomic import replacing
from zipnet.data import npz
from zipnet.data.digits import Digits, Splits
from zipnet.data.surroundings import cache_folder
from zipnet.errors import UserError, note


def read(name: str, version: int) -> Digits | None:
    """Cached digits, or None where there are none or they are damaged."""
    path = _path(name, version)
    try:
        arrays = npz.read(path, [*Splits._fields, "sha256"])
        written = str(arrays.pop("sha256"))
        digits = Digits.of(name, Splits(**arrays))
    except OSError:
        return None  # not there, or not for us; write() will say what is wrong with the folder
    except (UserError, ValueError):
        written, digits = "", None
    if digits is None or digits.sha256 != written:
        note(f"{path} is damaged; {name} will be prepared again")
        return None
    return digits


def write(digits: Digits, version: int) -> None:
    """Keep digits for the next time, or say in one line why that was not possible."""
    path = _path(digits.name, version)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.savez(file, sha256=np.array(digits.sha256), **digits.splits._asdict())
    except OSError as error:
        note(
            f"{digits.name} is not cached: {path.parent}: {error.strerror}; "
            "set ZIPNET_CACHE to a folder that can be written"
        )


def _path(name: str, version: int) -> Path:
    return cache_folder() / f"{name}-{version}.npz"
