"""Writing a result file: strict JSON, in one atomic step, beside the earlier ones.

The schema is described in results/README.md.
"""

from __future__ import annotations

import json
from typing import Any

from bench.measuring.folder import Folder
from zipnet.errors import UserError

SCHEMA = 2


def save(document: dict[str, Any], folder: Folder, machine: str, stamp: str, commit: str) -> str:
    """Write <machine>/<stamp>_<commit>.json into the folder, never over an earlier file.

    Returns its path or address. Raises ValueError where a number is not finite, and UserError
    where the folder cannot be written; nothing is left behind in either case.
    """
    content = json.dumps(document, indent=1, allow_nan=False).encode()
    for attempt in range(1000):
        suffix = f"-{attempt}" if attempt else ""
        try:
            return folder.create(f"{machine}/{stamp}_{commit}{suffix}.json", content)
        except FileExistsError:
            continue
    raise UserError(f"the results folder holds 1000 files of {stamp}; wait a second")
