"""ZIPNET_DATA: used first, and refused in one line that names file, array, found and expected."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_data.conftest import Web
from zipnet import data
from zipnet.data import npz
from zipnet.errors import UserError

Arrays = dict[str, np.ndarray]
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("ZIPNET_DATA", str(mine))
    monkeypatch.setenv("ZIPNET_MIRROR", CLOSED)
    return mine


def good() -> Arrays:
    return {
        "x_train": np.full((7291, 16, 16), -1, np.float32),
        "y_train": (np.arange(7291) % 10).astype(np.uint8),
        "x_test": np.full((2007, 16, 16), 1, np.float32),
        "y_test": (np.arange(2007) % 10).astype(np.uint8),
    }


@pytest.mark.parametrize("name", ["usps", "auto"])
def test_given_file_comes_first_and_is_not_cached(folder: Path, cache: Path, name: str) -> None:
    np.savez(folder / "usps.npz", **good())
    digits = data.load(name)
    assert digits.name == "usps"
    assert digits.x_test.shape == (2007, 1, 16, 16)
    assert not cache.exists()


def test_given_mnist_may_hold_more_than_is_drawn(folder: Path) -> None:
    bytes_ = {k: (v + (k[0] == "x")).astype(np.uint8) for k, v in good().items()}
    bytes_ |= {k: np.concatenate([v, v]) for k, v in bytes_.items() if k.endswith("test")}
    np.savez(folder / "mnist.npz", **{k: _as_28(v) for k, v in bytes_.items()})
    assert data.load("mnist").x_test.shape == (2007, 1, 16, 16)


def _as_28(array: np.ndarray) -> np.ndarray:
    return np.pad(array, ((0, 0), (6, 6), (6, 6))) if array.ndim == 3 else array


def test_folder_without_the_file_is_passed_over(folder: Path, web: Web, small_usps: object) -> None:
    (folder / "mnist.npz").write_bytes(b"not even looked at")
    assert data.load("usps").x_train.shape == (30, 1, 16, 16)


def _nan(a: Arrays) -> None:
    a["x_train"][5, 3, 3] = np.nan


def _infinite(a: Arrays) -> None:
    a["x_test"][5, 3, 3] = -np.inf


def _too_bright(a: Arrays) -> None:
    a["x_test"][0] = 255


def _label_ten(a: Arrays) -> None:
    a["y_train"][-1] = 10


def _set(key: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.update({key: change(arrays[key])})


SPOILT: dict[str, tuple[Callable[[Arrays], object], str]] = {
    "key missing": (lambda a: a.pop("y_test"), r"no array y_test; found: x_train, y_train, x_test"),
    "float64": (
        _set("x_train", lambda x: x.astype(float)),
        r"x_train is float64; expected float32",
    ),
    "big endian": (_set("x_train", lambda x: x.astype(">f4")), r"x_train is >f4; expected float32"),
    "bytes": (_set("x_test", lambda x: x.astype(np.uint8)), r"x_test is uint8; expected float32"),
    "flat": (_set("x_train", lambda x: x.reshape(-1, 256)), r"\(7291, 256\); expected \(7291, 16"),
    "scalar": (_set("x_train", lambda x: x[0, 0, 0]), r"shape \(\); expected \(7291, 16, 16\)"),
    "too few": (_set("x_test", lambda x: x[1:]), r"x_test has shape \(2006, .*expected \(2007,"),
    "too many": (_set("x_test", lambda x: x.repeat(2, 0)), r"shape \(4014, .*expected \(2007,"),
    "empty": (_set("x_train", lambda x: x[:0]), r"x_train has shape \(0, 16, 16\)"),
    "nan": (_nan, r"x_train has pixels that are not finite"),
    "infinite": (_infinite, r"x_test has pixels that are not finite"),
    "too bright": (_too_bright, r"x_test reaches from 1 to 255; expected pixels in \[-1, 1\]"),
    "label 10": (_label_ten, r"y_train has the label 10; expected 0 to 9"),
    "labels int64": (_set("y_test", lambda y: y.astype(int)), r"y_test is int64; expected uint8"),
    "labels short": (_set("y_test", lambda y: y[:-1]), r"\(2006,\); expected \(2007,\)"),
    "labels one-hot": (_set("y_train", lambda y: y[:, None]), r"\(7291, 1\); expected \(7291,\)"),
    "pickled objects": (_set("y_train", lambda y: y.astype(object)), r"y_train cannot be read"),
}


@pytest.mark.parametrize("case", SPOILT)
@pytest.mark.parametrize("name", ["usps", "auto"])
def test_spoilt_arrays_are_refused(folder: Path, name: str, case: str) -> None:
    arrays = good()
    spoil, message = SPOILT[case]
    spoil(arrays)
    np.savez(folder / "usps.npz", **arrays)
    with pytest.raises(UserError, match=message) as caught:
        data.load(name)
    assert str(caught.value).startswith(str(folder / "usps.npz"))


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, **{k: v[:2] for k, v in good().items()})
    return file.getvalue()


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def _zip_of(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x_train.npy", content)
    return file.getvalue()


def _promising(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}".ljust(118) + "\n"
    return _zip_of(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())


BROKEN = {
    "empty": (b"", "is empty"),
    "text": (b"usps, surely", "is no .npz file"),
    "pickle": (b"\x80\x04K\x01.", "is no .npz file"),
    "truncated": (_npz()[:-200], "is no .npz file"),
    "one array": (_npy(), "is a single array"),
    "no array": (_zip_of(b"ink"), "x_train is not an array"),
    "formula": (_promising("(10**15,)"), "x_train cannot be read"),
    "huge": (_promising("(1000000000000000,)"), "x_train cannot be read"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused(folder: Path, case: str) -> None:
    content, message = BROKEN[case]
    (folder / "usps.npz").write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        data.load("usps")
    assert str(caught.value).startswith(str(folder / "usps.npz"))


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_a_user_error_or_harmless(tmp_path: Path, choose: st.DataObject) -> None:
    content = bytearray(_npz())
    for _ in range(choose.draw(st.integers(1, 4))):
        content[choose.draw(st.integers(0, len(content) - 1))] = choose.draw(st.integers(0, 255))
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    with contextlib.suppress(UserError):  # any other exception is a traceback for the user
        npz.read(path, list(good()))


def test_file_that_is_a_folder_is_refused(folder: Path) -> None:
    (folder / "usps.npz").mkdir()
    with pytest.raises(UserError, match=r"usps\.npz: is a folder"):
        data.load("usps")


def test_file_that_is_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "usps.npz")
    with pytest.raises(UserError, match=r"usps\.npz: is no regular file"):
        data.load("usps")


def test_file_that_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(folder / "usps.npz", **good())

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "open", refuse)  # tests may run as root, whom chmod does not stop
    with pytest.raises(UserError, match=r"usps\.npz: cannot be read: Permission denied"):
        data.load("usps")


def test_data_folder_that_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIPNET_DATA", "/no/such/folder")
    with pytest.raises(UserError, match="'/no/such/folder', which does not exist; set it to"):
        data.load("auto")


def test_data_folder_that_is_a_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("ZIPNET_DATA", str(folder / "file"))
    with pytest.raises(UserError, match="which is a file; set it to a folder"):
        data.load("usps")


def test_data_folder_with_an_impossible_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIPNET_DATA", "x" * 5000)
    with pytest.raises(UserError, match="which cannot be read"):
        data.load("usps")
