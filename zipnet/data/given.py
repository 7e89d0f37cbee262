"""Data sets that the user lays into ZIPNET_DATA: read first, believed only after strict checks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zipnet import paper
from zipnet.data import npz
from zipnet.data.digits import LABEL, Array, Splits
from zipnet.data.surroundings import data_folder
from zipnet.errors import UserError


@dataclass(frozen=True)
class Format:
    """What <name>.npz has to hold beside its labels, which are (n,) uint8, 0 to 9.

    side: of an image, so that x_train and x_test are (n, side, side).
    dtype: of a pixel; its values lie from low to high.
    train, test: how many digits there must be at least; with exact, no more either.
    """

    name: str
    side: int
    dtype: np.dtype[np.float32] | np.dtype[np.uint8]
    low: float
    high: float
    train: int
    test: int
    exact: bool

    def read(self) -> Splits | None:
        """Read and check the file; None where ZIPNET_DATA is not set or holds no such file."""
        folder = data_folder()
        if folder is None:
            return None
        path = folder / f"{self.name}.npz"
        try:
            splits = Splits(**npz.read(path, Splits._fields))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from error
        self._check(path, splits)
        return splits

    def _check(self, path: Path, splits: Splits) -> None:
        for split, at_least in (("train", self.train), ("test", self.test)):
            x, y = (getattr(splits, f"{axis}_{split}") for axis in "xy")
            self._check_images(f"{path}: x_{split}", x, at_least)
            _check_labels(f"{path}: y_{split}", y, len(x))

    def _check_images(self, where: str, x: Array, at_least: int) -> None:
        if x.dtype != self.dtype:
            raise UserError(f"{where} is {x.dtype}; expected {self.dtype}")
        count = f"{at_least}" if self.exact else f"{at_least} or more"
        wrong_count = (len(x) if x.ndim else 0) < at_least or (self.exact and len(x) > at_least)
        if x.shape[1:] != (self.side, self.side) or wrong_count:
            raise UserError(
                f"{where} has shape {x.shape}; expected ({count}, {self.side}, {self.side})"
            )
        if not np.isfinite(x).all():
            raise UserError(f"{where} has pixels that are not finite; expected numbers only")
        if x.min() < self.low or x.max() > self.high:
            raise UserError(
                f"{where} reaches from {x.min():g} to {x.max():g}; "
                f"expected pixels in [{self.low:g}, {self.high:g}]"
            )


def _check_labels(where: str, y: Array, count: int) -> None:
    if y.dtype != LABEL:
        raise UserError(f"{where} is {y.dtype}; expected {LABEL}")
    if y.shape != (count,):
        raise UserError(f"{where} has shape {y.shape}; expected ({count},), one for each image")
    if y.max() >= paper.CLASSES:
        raise UserError(f"{where} has the label {y.max()}; expected 0 to {paper.CLASSES - 1}")
