"""Writing a result file: strict JSON, in one atomic step, beside the earlier ones.

The schema is described in results/README.md.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from zipnet.atomic import replacing
from zipnet.errors import UserError

SCHEMA = 2


def save(document: dict[str, Any], folder: Path, stamp: str, commit: str) -> Path:
    """Write the document as <folder>/<stamp>_<commit>.json, never over an earlier file.

    Raises ValueError where a number is not finite, and UserError where the folder cannot be
    written; nothing is left behind in either case.
    """
    text = json.dumps(document, indent=1, allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(1000):
            suffix = f"-{attempt}" if attempt else ""
            path = folder / f"{stamp}_{commit}{suffix}.json"
            try:
                with replacing(path, overwrite=False) as file:
                    file.write(text.encode())
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise UserError(
            f"results folder {folder} cannot be written: {error.strerror}; "
            "choose another with --results"
        ) from None
    raise UserError(f"results folder {folder} holds 1000 files of {stamp}; wait a second")


def writable(folder: Path) -> None:
    """Raise UserError now, not after minutes of measuring, where save() would fail."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"results folder {folder} cannot be written: {error.strerror}; "
            "choose another with --results"
        ) from None
