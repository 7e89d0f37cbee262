"""Downloading published files, each checked against the checksum published for it.

Files go to a folder that lives as long as their preparation: what is kept is the prepared data
set (see cache.py). So two processes never meet here, and a download that was cut short leaves
nothing behind.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from zipnet.data.surroundings import mirror
from zipnet.errors import UserError

CONNECT_SECONDS: Final = 10.0
BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
SILENCE_SECONDS: Final = 30.0  # the longest wait for the next bytes


class Unreachable(UserError):
    """A file could not be downloaded, or what came was not what was published."""


@dataclass(frozen=True)
class Remote:
    """A published file: its address in two parts, and its MD5 checksum as its publisher has it."""

    base: str
    name: str
    md5: str

    @property
    def url(self) -> str:
        """Where it is downloaded from."""
        return f"{mirror() or self.base}/{self.name}"


def fetch(dataset: str, files: tuple[Remote, ...]) -> list[bytes]:
    """Download the files of a data set and return their contents; Unreachable where one fails."""
    try:
        with TemporaryDirectory(prefix="zipnet-") as folder:
            return [_fetched(dataset, file, Path(folder) / file.name) for file in files]
    except OSError as error:
        raise Unreachable(
            f"{dataset}: has no place to be downloaded to: {error.strerror}; "
            "set TMPDIR to a folder that can be written"
        ) from error


def _fetched(dataset: str, file: Remote, path: Path) -> bytes:
    import pooch
    from tqdm import tqdm

    # disable=None: no bar where stderr is no terminal. total=1 until the server says how much.
    with tqdm(desc=file.name, total=1, unit="B", unit_scale=True, leave=False, disable=None) as bar:
        download = pooch.HTTPDownloader(
            progressbar=bar, chunk_size=1 << 16, timeout=(CONNECT_SECONDS, SILENCE_SECONDS)
        )
        try:
            download(file.url, str(path), None)
        except (OSError, ValueError) as error:
            raise _unreachable(dataset, file, _reason(error)) from error
    found = pooch.file_hash(str(path), alg="md5")
    if found != file.md5:
        raise _unreachable(dataset, file, f"its md5 checksum is {found}, not {file.md5}")
    return path.read_bytes()


def _unreachable(dataset: str, file: Remote, reason: str) -> Unreachable:
    return Unreachable(
        f"{dataset}: could not be downloaded from {file.url}: {reason}; "
        f"check the network or set ZIPNET_DATA to a folder with {dataset}.npz"
    )


def _reason(error: OSError | ValueError) -> str:
    """A few words for what requests explains in many; its errors are OSErrors with a response."""
    response = getattr(error, "response", None)
    if response is not None:
        response.close()  # pooch asked for a stream and leaves it open
        return f"{response.status_code} {response.reason}"
    # requests raises a bare OSError where there is no such bundle, an SSLError where it is wrong.
    doubted = type(error) is OSError or "SSL" in type(error).__name__
    bundle = next((name for name in BUNDLES if os.environ.get(name)), None)
    if doubted and bundle:
        return f"{type(error).__name__}, with the certificates that {bundle} names"
    return getattr(error, "strerror", None) or type(error).__name__
