"""Where result files go: a folder on a disk, or one in an object store that fsspec can open.

Either way a file appears whole or not at all, and never in an earlier one's place.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, Protocol

from zipnet.atomic import replacing
from zipnet.errors import UserError, shown


class Folder(Protocol):
    """A place for result files, which need not exist yet."""

    def create(self, name: str, content: bytes) -> str:
        """Write a new file and return its path or address.

        name: relative, with '/' between folders. Raises FileExistsError where the name is taken,
        UserError where the folder cannot be written.
        """

    def probe(self, below: str = "") -> None:
        """Raise UserError now where create() of a name below that folder would later.

        Does what create() does, and leaves nothing behind but empty folders.
        """


def folder(address: str) -> Folder:
    """The folder that a path or an address such as s3://bucket/results names."""
    if not address:
        raise _unwritable(address, "it has no name")
    if "://" in address and not address.startswith("file://"):
        return ObjectStore(address)
    return Disk(Path(address.removeprefix("file://")))


def local(address: str) -> Path:
    """The folder of this machine that an address names; raises UserError where it names another."""
    if isinstance(named := folder(address), Disk):
        return named.path.resolve()
    raise UserError(f"--results is {shown(address)}; this command writes to a folder of this "
                    "machine, where it can go on after a stop")  # fmt: skip


class Disk:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, name: str, content: bytes) -> str:
        """See Folder.create."""
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, overwrite=False) as file:
                file.write(content)
        except FileExistsError:
            if path.exists():
                raise
            raise _unwritable(str(self.path), "a file is in the way") from None
        except OSError as error:
            raise _unwritable(str(self.path), error.strerror or error) from None
        return str(path)

    def probe(self, below: str = "") -> None:
        """See Folder.probe."""
        Path(self.create(_probe(below), b"")).unlink()


class ObjectStore:
    """A folder anywhere else. Objects are put whole: no reader ever sees half of one."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def create(self, name: str, content: bytes) -> str:
        """See Folder.create. How surely the name was free is the store's to promise."""
        try:
            system, path = self._open(name)
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            system.pipe_file(path, content, mode="create")
        except FileExistsError:
            raise
        except Exception as error:  # each driver raises what it likes
            raise _unwritable(self.address, error) from None
        return f"{self.address}/{name}"

    def probe(self, below: str = "") -> None:
        """See Folder.probe."""
        name = _probe(below)
        self.create(name, b"")
        system, path = self._open(name)
        try:
            system.rm_file(path)
        except Exception as error:
            raise _unwritable(self.address, error) from None

    def _open(self, name: str) -> tuple[Any, str]:
        import fsspec  # for whoever keeps results in a store; others need not have it

        system, path = fsspec.url_to_fs(f"{self.address}/{name}")
        return system, path


def _probe(below: str) -> str:
    return f"{below}/.zipnet-{uuid.uuid4().hex}".lstrip("/")


def _unwritable(where: str, reason: object) -> UserError:
    text = str(reason) or type(reason).__name__
    return UserError(
        f"results folder {shown(where)} cannot be written: {text}; choose another with --results"
    )
