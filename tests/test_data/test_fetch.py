"""Downloads and the cache, against a web server on this machine."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tests.test_data.conftest import Web
from zipnet import atomic, data
from zipnet.data import fonts, usps
from zipnet.data.cache import write
from zipnet.data.digits import Digits, Splits
from zipnet.data.source import Source
from zipnet.errors import UserError


@pytest.fixture
def few_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """auto falls back to 20 digits, which are drawn at once."""
    few = Source("fonts", version=1, build=lambda: fonts.draw(20, 10))
    monkeypatch.setattr(data, "FONTS", few)


def test_download_gives_what_was_published_and_says_nothing(
    web: Web, small_usps: Splits, capfd: pytest.CaptureFixture[str]
) -> None:
    digits = data.load("usps")
    assert web.requests == ["usps.bz2", "usps.t.bz2"]
    assert digits.sha256 == Digits.of("usps", small_usps).sha256
    assert capfd.readouterr() == ("", "")


def test_second_load_comes_from_the_cache(web: Web, small_usps: Splits) -> None:
    first = data.load("usps")
    web.files.clear()
    second = data.load("auto")
    assert second.sha256 == first.sha256
    assert not second.x_train.flags.writeable
    assert len(web.requests) == 2


def _corrupted(web: Web) -> None:
    web.files["usps.t.bz2"] = web.files["usps.t.bz2"][:-1] + b"?"


def _truncated(web: Web) -> None:
    web.cut["usps.bz2"] = 100


def _gone(web: Web) -> None:
    del web.files["usps.t.bz2"]


FAILURES = {
    "corrupted": (_corrupted, r"usps\.t\.bz2: its md5 checksum is \w{32}, not \w{32}"),
    "truncated": (_truncated, r"usps\.bz2: (ChunkedEncodingError|ConnectionError)"),
    "gone": (_gone, r"usps\.t\.bz2: 404 Not Found"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failed_download_is_one_line_and_leaves_nothing(
    web: Web, small_usps: Splits, cache: Path, case: str
) -> None:
    spoil, message = FAILURES[case]
    spoil(web)
    with pytest.raises(UserError, match=message) as caught:
        data.load("usps")
    assert str(caught.value).startswith(f"usps: could not be downloaded from {web.address}/usps")
    assert str(caught.value).endswith("set ZIPNET_DATA to a folder with usps.npz")
    assert not cache.exists()
    del caught
    gc.collect()  # a connection left open would warn here


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:9", "http://", "gopher://x", "nonsense", "/"])
def test_no_network_or_no_address_is_one_line(monkeypatch: pytest.MonkeyPatch, mirror: str) -> None:
    monkeypatch.setenv("ZIPNET_MIRROR", mirror)
    monkeypatch.setattr(usps, "FILES", (usps.Remote("http://127.0.0.1:9", "usps.bz2", "0"),))
    with pytest.raises(UserError, match=r"usps\.bz2: (\w+Error|InvalidURL|\w+Schema); check"):
        data.load("usps")


def test_no_folder_to_download_to_is_one_line(
    small_usps: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(UserError, match=r"no place to be downloaded to: No such file.*TMPDIR"):
        data.load("usps")


def test_auto_falls_back_to_fonts_and_says_so_in_one_line(
    few_fonts: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZIPNET_MIRROR", "http://127.0.0.1:9")
    digits = data.load("auto")
    assert digits.name == "fonts"
    assert digits.x_train.shape == (20, 1, 16, 16)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "using fonts (printed digits) instead of usps" in err


def test_two_processes_at_once_both_succeed(web: Web, small_usps: Splits, cache: Path) -> None:
    script = (
        "from zipnet import data; from zipnet.data import usps; "
        f"usps.FILES = tuple(usps.Remote(*f) for f in "
        f"{[(f.base, f.name, f.md5) for f in usps.FILES]}); "
        "print(data.load('usps').sha256)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate() for process in started]
    assert said == [(Digits.of("usps", small_usps).sha256 + "\n", "")] * 2
    assert [path.name for path in cache.iterdir()] == ["usps-1.npz"]


def test_cache_that_cannot_be_written_is_one_line_and_no_hindrance(
    small_usps: Splits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZIPNET_CACHE", str(tmp_path / "file" / "cache"))
    assert data.load("usps").x_train.shape == (30, 1, 16, 16)
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "usps is not cached" in err
    assert "set ZIPNET_CACHE" in err


def test_full_disk_is_one_line_and_leaves_nothing(
    small_usps: Splits,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(atomic.os, "fsync", full)
    assert data.load("usps").name == "usps"
    assert "No space left on device" in capfd.readouterr().err
    assert list(cache.iterdir()) == []


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def _flip(path: Path) -> None:
    arrays = dict(np.load(path))
    arrays["x_train"][0] *= -1
    np.savez(path, **arrays)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _misshape(path: Path) -> None:
    np.savez(path, **{**dict(np.load(path)), "x_train": np.zeros(7)})


@pytest.mark.parametrize("damage", [_truncate, _flip, _empty, _misshape])
def test_damaged_cache_is_rebuilt(
    web: Web, small_usps: Splits, cache: Path, capfd: pytest.CaptureFixture[str], damage: object
) -> None:
    first = data.load("usps")
    damage(cache / "usps-1.npz")  # type: ignore[operator]
    assert data.load("usps").sha256 == first.sha256
    assert "is damaged; usps will be prepared again" in capfd.readouterr().err
    assert data.load("usps").sha256 == first.sha256
    assert len(web.requests) == 4


def test_arrays_cached_by_another_preparation_are_left_alone(
    web: Web, small_usps: Splits, small: Splits, cache: Path
) -> None:
    write(Digits.of("usps", small._replace(x_train=-small.x_train)), version=0)
    assert data.load("usps").sha256 == Digits.of("usps", small_usps).sha256


def test_cache_is_in_the_system_folder_unless_told_otherwise(
    small_usps: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pooch

    monkeypatch.delenv("ZIPNET_CACHE")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "system" / project)
    data.load("usps")
    assert (tmp_path / "system" / "zipnet" / "usps-1.npz").is_file()
