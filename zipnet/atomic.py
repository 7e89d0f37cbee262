"""Writing a file in one step: a reader sees the old file or the whole new one, never a part."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def replacing(path: Path, *, overwrite: bool = True) -> Iterator[IO[bytes]]:
    """Yield a binary file that becomes `path` when the block ends well, and vanishes otherwise.

    The bytes are on the disk before the name is: a kill or a power cut between the two leaves a
    `.tmp` file that no reader looks at. With overwrite=False an existing `path` is kept and
    FileExistsError raised. Raises OSError as the file system does.

    A name is taken only where it is free by a hard link; exFAT and many network folders have none,
    and there by creating it first. Between the two steps of that it names an empty file.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())  # mkstemp's 0600 would hide results from colleagues
        if overwrite:
            temporary.replace(path)
            return
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):
            path.touch(exist_ok=False)
            _moved(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _moved(temporary: Path, path: Path) -> None:
    """Put a file in the place of the empty one that holds its name, or free the name again."""
    try:
        temporary.replace(path)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's umask; POSIX offers no way to read it but to set it twice."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
