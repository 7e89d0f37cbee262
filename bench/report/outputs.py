"""Folders and files of outputs: each file whole or not at all, and one line where it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from zipnet.atomic import replacing
from zipnet.errors import UserError, shown

Content = bytes | Callable[[IO[bytes]], None]  # or what writes it


def make(folder: Path) -> None:
    """Make a folder where there is none; before the work whose outputs it takes."""
    with _said_of(folder, "folder "):
        folder.mkdir(parents=True, exist_ok=True)


def write(path: Path, content: Content) -> None:
    """Write one file."""
    with _said_of(path), replacing(path) as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            content(file)


def write_all(folder: Path, outputs: Mapping[str, Content]) -> None:
    """Write files, by their names, into a folder."""
    for name, content in outputs.items():
        write(folder / name, content)


@contextmanager
def _said_of(path: Path, what: str = "") -> Iterator[None]:
    """A UserError that says why something cannot be written."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"{what}{shown(str(path))} cannot be written: {reason}; choose another with --out"
        ) from None
