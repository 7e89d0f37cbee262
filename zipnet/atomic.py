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
        else:
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's umask; POSIX offers no way to read it but to set it twice."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
