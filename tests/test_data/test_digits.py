"""Digits as engines get them: shapes, labels, and a hash that says which ones they are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from zipnet import data
from zipnet.data.digits import Digits, Splits, fingerprint
from zipnet.errors import UserError


def test_digits_have_their_final_form_whatever_they_are_made_from(small: Splits) -> None:
    fortran = Splits(np.asfortranarray(small.x_train, dtype=">f8"), *small[1:])
    digits = Digits.of("usps", fortran)
    assert digits.x_train.shape == (30, 1, 16, 16)
    assert digits.x_train.dtype == np.float32
    assert digits.x_train.flags.c_contiguous
    assert digits.y_test.shape == (20,)
    assert digits.y_test.dtype == np.uint8
    assert digits.sha256 == Digits.of("usps", small).sha256


def test_digits_cannot_be_changed(small: Splits) -> None:
    digits = Digits.of("usps", small)
    with pytest.raises(ValueError, match="read-only"):
        digits.x_train[0] = 0
    with pytest.raises(FrozenInstanceError):
        digits.name = "mine"  # type: ignore[misc]


def test_digits_keep_no_hold_on_the_arrays_they_are_made_from(small: Splits) -> None:
    digits = Digits.of("usps", small)
    small.x_train[:] = 0
    assert digits.sha256 == fingerprint(digits.splits)


def test_hash_tells_pixels_labels_and_splits_apart(small: Splits) -> None:
    swapped = Splits(small.x_test, small.y_test, small.x_train, small.y_train)
    relabelled = small._replace(y_test=9 - small.y_test)
    nudged = small._replace(x_train=np.nextafter(small.x_train, np.float32(2)))
    hashes = {Digits.of("usps", raw).sha256 for raw in (small, swapped, relabelled, nudged)}
    assert len(hashes) == 4


def test_hash_knows_one_zero(small: Splits) -> None:
    zeros = np.zeros_like(small.x_train)
    plus, minus = (Digits.of("usps", small._replace(x_train=x)) for x in (zeros, -zeros))
    assert plus.sha256 == minus.sha256


def test_hash_does_not_change_between_releases() -> None:
    """Result files are compared by this hash: another way to compute it would part them."""
    x = np.linspace(-1, 1, 256, dtype=np.float32).reshape(1, 16, 16)
    y = np.array([3], np.uint8)
    assert Digits.of("any", Splits(x, y, x, y)).sha256 == (
        "80c1cb24404f22fadc14c4544b63f04aa2e6f8a74685f45e9ca8a8f084cb3eff"
    )


def test_repr_is_short(small: Splits) -> None:
    assert len(repr(Digits.of("usps", small))) < 120


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'emnist' is not known.*auto, usps, mnist,.* fonts"):
        data.load("emnist")


def test_importing_data_loads_no_optional_library() -> None:
    optional = ["pooch", "requests", "tqdm", "PIL", "matplotlib", "torch"]
    code = f"import sys, zipnet.data; print([m for m in {optional} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_missing_library_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(UserError, match=r"usps: needs the library pooch.*pip install"):
        data.load("usps")
