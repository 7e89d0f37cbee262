"""Digits: a data set as every engine gets it, and the hash that says which one it was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]

# Little endian, so that the bytes hashed and cached are the same on every machine.
PIXEL: Final = np.dtype("<f4")
LABEL: Final = np.dtype("u1")


class Splits(NamedTuple):
    """The four arrays of a data set, raw or prepared; the field names are their names in files."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array


@dataclass(frozen=True, eq=False)
class Digits:
    """Digits ready to be placed on a device; the arrays are read-only.

    x_train, x_test: (n, 1, 16, 16) float32 in [-1, 1], C-contiguous; -1 is paper, +1 is ink.
    y_train, y_test: (n,) uint8, 0 to 9.
    name: where they come from, as load() takes it.
    sha256: of these arrays, so that two results can be told to rest on the same data.
    """

    x_train: Pixels = field(repr=False)
    y_train: Labels = field(repr=False)
    x_test: Pixels = field(repr=False)
    y_test: Labels = field(repr=False)
    name: str
    sha256: str

    @classmethod
    def of(cls, name: str, raw: Splits) -> Digits:
        """Give arrays of images (n, 16, 16) or (n, 1, 16, 16) and labels (n,) their final form."""
        ready = Splits(
            x_train=_frozen(raw.x_train.reshape(-1, 1, 16, 16), PIXEL),
            y_train=_frozen(raw.y_train, LABEL),
            x_test=_frozen(raw.x_test.reshape(-1, 1, 16, 16), PIXEL),
            y_test=_frozen(raw.y_test, LABEL),
        )
        return cls(*ready, name=name, sha256=fingerprint(ready))

    @property
    def splits(self) -> Splits:
        """The four arrays, in the order of the hash."""
        return Splits(self.x_train, self.y_train, self.x_test, self.y_test)


def fingerprint(splits: Splits) -> str:
    """sha256 over type, shape and bytes of the four arrays, in order, as hexadecimal digits."""
    digest = hashlib.sha256()
    for array in splits:
        digest.update(f"{array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _frozen(array: Array, dtype: np.dtype[Any]) -> Array:
    """A private, read-only copy, so that nothing done to the original reaches it."""
    copy = np.array(array, dtype=dtype, order="C")
    copy += dtype.type(0)  # -0.0 becomes 0.0: the same pixel must hash the same
    copy.setflags(write=False)
    return copy
