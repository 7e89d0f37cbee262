"""What the data room takes from the outside: three environment variables.

ZIPNET_DATA    a folder with usps.npz or mnist.npz of the user's own; read first.
ZIPNET_CACHE   where prepared data sets are kept; by default the system's cache folder.
ZIPNET_MIRROR  an address to download from instead of the publishers'; files keep their names.
"""

from __future__ import annotations

import os
from pathlib import Path

from zipnet.errors import UserError, shown


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
    """ZIPNET_CACHE, else the folder that this operating system has for caches."""
    value = os.environ.get("ZIPNET_CACHE")
    if value:
        return Path(value)
    import pooch

    return Path(pooch.os_cache("zipnet")).expanduser()


def mirror() -> str | None:
    """ZIPNET_MIRROR without a slash at its end, or None where it is not set."""
    return os.environ.get("ZIPNET_MIRROR", "").rstrip("/") or None
