"""What the data room takes from the outside: three environment variables.

ZIPNET_DATA    a folder with usps.npz or mnist.npz of the user's own; read first.
ZIPNET_CACHE   where prepared data sets are kept; by default the system's cache folder, or where
               this user has none (no home, or none to write to) one for temporary files.
ZIPNET_MIRROR  an address to download from instead of the publishers'; files keep their names.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from zipnet.errors import UserError, answer, shown


def data_folder() -> Path | None:
    """ZIPNET_DATA, or None where it is not set; a UserError where it is no folder."""
    value = os.environ.get("ZIPNET_DATA")
    if not value:
        return None
    folder = Path(value)
    try:
        if folder.is_dir():
            return folder
        found = "which is a file" if folder.exists() else "which does not exist"
    except OSError as error:  # a name too long, a folder above that may not be entered
        found = f"which cannot be read ({error.strerror})"
    raise UserError(
        f"ZIPNET_DATA is {shown(value)}, {found}; "
        "set it to a folder with usps.npz or mnist.npz, or unset it"
    )


def cache_folder() -> Path:
    """ZIPNET_CACHE, else the system's folder for caches, else one among its temporary files."""
    value = os.environ.get("ZIPNET_CACHE")
    if value:
        return Path(value)
    import pooch

    usual = answer(lambda: Path(pooch.os_cache("zipnet")).expanduser())  # raises without a home
    if usual is not None:
        there = next(path for path in (usual, *usual.parents) if os.access(path, os.F_OK))
        if there == usual or os.access(there, os.W_OK):
            return usual
    user = getattr(os, "getuid", lambda: "user")()
    return Path(tempfile.gettempdir()) / f"zipnet-{user}"


def mirror() -> str | None:
    """ZIPNET_MIRROR without a slash at its end, or None where it is not set."""
    return os.environ.get("ZIPNET_MIRROR", "").rstrip("/") or None
