"""Files examined before, kept in columns, so that a fleet is read in seconds the second time.

One cache file stands for one folder, glob or address that a command was given. It lies in the
system's folder for caches (or ZIPNET_CACHE), never among results, which are append only and may
be read-only or remote. It can be deleted at any time. Each entry knows its file's stamp: size and
times, or what an object store says of it. Each cache file knows the version of the code that
wrote it, and a hash of its own bytes; whatever does not fit is read anew, and nothing is said.
Nothing in it is ever executed: Arrow's columns hold text and numbers only.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from bench.report.files.columns import KINDS, Columns, Packed
from bench.report.files.places import Place
from zipnet.atomic import replacing

FEWEST: Final = 50  # files; fewer are read sooner than the cache's library is loaded
MAGIC: Final = b"zipnet-cache-1\n"
HASH: Final = 32  # bytes
SOURCES: Final = Path(__file__).parents[1]  # a new reader never trusts what an old one derived


class Cache:
    """What is kept of the files of one argument."""

    def __init__(self, argument: str) -> None:
        self._path = _folder() / f"results-{_hash(_full(argument).encode()).hex()[:24]}.arrow"
        self._tables = _load(self._path)

    def known(self, places: Iterable[Place]) -> dict[str, Packed]:
        """The files that have not changed since, by the key of their place."""
        stamps = {place.key: _told(place) for place in places if place.stamp is not None}
        return {key: packed for key, stamp, packed in _entries(*self._tables)
                if stamps.get(key) == stamp} if self._tables else {}  # fmt: skip

    def keep(self, places: Sequence[Place], packed: Mapping[str, Packed]) -> None:
        """Replace what is kept; a disk that is full or read-only keeps nothing."""
        lasting = [p for p in places if p.stamp is not None and p.key in packed]
        import pyarrow as pa

        with contextlib.suppress(OSError, pa.ArrowException):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = _written(lasting, [packed[place.key] for place in lasting])
            with replacing(self._path) as file:
                file.write(MAGIC + _version() + _hash(content))
                file.write(content)


def of(argument: str, files: int) -> Cache | None:
    """The cache of an argument; None where it would not help, or its library is not installed."""
    if files < FEWEST or importlib.util.find_spec("pyarrow") is None:
        return None
    return Cache(argument)


def _told(place: Place) -> str:
    """What must be the same: the file, and the name it goes by, which the checker reads too."""
    return f"{place.stamp} {place.source}"


def _full(argument: str) -> str:
    return argument if "://" in argument else os.path.realpath(argument)


def _folder() -> Path:
    """ZIPNET_CACHE, else the folder that this operating system has for caches."""
    if chosen := os.environ.get("ZIPNET_CACHE"):
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("zipnet", appauthor=False))


def _hash(content: bytes | memoryview) -> bytes:
    return hashlib.blake2b(content, digest_size=HASH).digest()


@functools.cache
def _version() -> bytes:
    """A hash of all the code that reads, checks and derives, and of what it stands on."""
    import numpy as np
    import orjson
    import scipy

    found = hashlib.blake2b(digest_size=HASH)
    for part in (sys.version, np.__version__, orjson.__version__, scipy.__version__):
        found.update(part.encode())
    below = [SOURCES.parents[1] / "zipnet" / name for name in ("errors.py", "paper.py")]
    for path in [*sorted(SOURCES.rglob("*.py")), *below]:
        found.update(path.read_bytes())
    return found.digest()


def _written(places: Sequence[Place], packed: Sequence[Packed]) -> bytes:
    """Two tables of Arrow's stream format, one after the other: the files, and all their rows."""
    import pyarrow as pa

    files = pa.table(
        {
            "key": pa.array([os.fsencode(place.key) for place in places], pa.binary()),
            "stamp": pa.array([_told(place) for place in places], pa.string()),
            "head": pa.array([one.head for one in packed], pa.string()),
            "rows": pa.array([len(one.rows["fullname"]) for one in packed], pa.int64()),
        }
    )
    rows = pa.table(
        {
            name: _array(pa, kind, list(chain.from_iterable(one.rows[name] for one in packed)))
            for name, kind in KINDS.items()
        }
    )
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    for table in (files, rows):
        with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
            stream.write_table(table)
    return bytes(sink.getvalue())


def _array(pa: Any, kind: str, values: list[Any]) -> Any:
    if kind == "text":
        return pa.array(values, pa.string()).dictionary_encode()
    types = {"whole": pa.uint64(), "number": pa.float64(), "numbers": pa.list_(pa.float64())}
    return pa.array(values, types[kind])


def _load(path: Path) -> tuple[Any, Any] | None:
    """Both tables, or None where there is nothing that this version can trust."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    head = len(MAGIC) + 2 * HASH
    body = memoryview(content)[head:]
    if content[:head] != MAGIC + _version() + _hash(body):
        return None
    import pyarrow as pa

    with pa.BufferReader(pa.py_buffer(body)) as source:
        return pa.ipc.open_stream(source).read_all(), pa.ipc.open_stream(source).read_all()


def _entries(files: Any, rows: Any) -> Iterator[tuple[str, str, Packed]]:
    """The key, stamp and content of each file."""
    columns = {name: _values(rows[name]) for name in KINDS}
    begin = 0
    about = (files[name].to_pylist() for name in ("key", "stamp", "head", "rows"))
    for key, stamp, head, count in zip(*about, strict=True):
        own: Columns = {name: values[begin : begin + count] for name, values in columns.items()}
        yield os.fsdecode(key), stamp, Packed(head, own)
        begin += count


def _values(column: Any) -> list[Any]:
    """A column as a list, in which equal texts are one string."""
    import pyarrow as pa

    found: list[Any] = []
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type):
            known = [*chunk.dictionary.to_pylist(), None]
            found += [known[at] for at in chunk.indices.fill_null(-1).to_numpy().tolist()]
        elif pa.types.is_list(chunk.type) or chunk.null_count:
            found += chunk.to_pylist()
        else:
            found += chunk.to_numpy().tolist()
    return found
