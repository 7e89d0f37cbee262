"""Writing outputs: each file whole or not at all, and one line to say why it cannot be written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from zipnet.atomic import replacing
from zipnet.errors import UserError, shown

HEAD: Final = 2000  # bytes of a page, in which its title stands
PAGES: Final = {  # of a report, by how each begins
    "README.md": re.compile(rb"# What the machines said\s"),
    "index.html": re.compile(rb".*<title>zipnet: what the machines said</title>", re.DOTALL),
}

Content = bytes | Callable[[IO[bytes]], None]  # or what writes it


def make(folder: Path) -> None:
    """Make a folder where there is none: it fails before the work whose outputs it is for."""
    with _said_of(folder, "folder "):
        folder.mkdir(parents=True, exist_ok=True)


def make_for_report(folder: Path) -> None:
    """The same, of a folder whose pages will be written over.

    Raises UserError where one is somebody else's, such as a project's own README.md.
    """
    make(folder)
    for name, begins in PAGES.items():
        page = folder / name
        with _said_of(page):
            head = page.read_bytes()[:HEAD] if page.is_file() else b"?" * page.exists()
        if head and not begins.match(head):
            raise UserError(
                f"{shown(str(page))} is no report and would be written over; "
                "choose another folder with --out"
            )


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
