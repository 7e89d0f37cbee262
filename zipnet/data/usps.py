"""usps: the zip-code digits themselves, 7,291 for training and 2,007 for testing.

The split, the class counts and the error that LeNet reaches on it are those of LeCun et al.
1989 (Cortes and Vapnik, "Support-Vector Networks", 1995, table 2: 5.1%). The images went through
AT&T's size normalisation, and by T. Hastie's description of zip.train also through deslanting,
which the article does not mention. Whether the licence allows handing them on is unknown, so
they are downloaded and never shipped.

Source: C.-C. Chang and C.-J. Lin, LIBSVM data, multi-class, "usps"; text with three decimals,
read as it is (torchvision.datasets.USPS rounds the same files to eight bits). The checksums are
those of torchvision, which also knows that classes are numbered from 1.
"""

from __future__ import annotations

import bz2
from typing import Final

import numpy as np

from zipnet import paper
from zipnet.data.digits import PIXEL, Digits, Labels, Pixels, Splits
from zipnet.data.fetch import Remote, fetch
from zipnet.data.given import Format
from zipnet.data.source import Source
from zipnet.errors import UserError, shown

_LIBSVM = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass"
FILES: tuple[Remote, ...] = (
    Remote(_LIBSVM, "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"),
    Remote(_LIBSVM, "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"),
)
PIXELS: Final = paper.IMAGE_SIDE**2

FORMAT: Final = Format(
    name="usps",
    side=paper.IMAGE_SIDE,
    dtype=PIXEL,
    low=-1.0,
    high=1.0,
    train=paper.TRAIN_DIGITS,
    test=paper.TEST_DIGITS,
    exact=True,
)


def parse(text: str) -> tuple[Pixels, Labels]:
    """Read LIBSVM lines 'class index:value ...' into (n, 16, 16) float32 and (n,) uint8.

    Classes count from 1 to 10 and become 0 to 9; pixels count from 1 to 256, row by row, and one
    that is left out is 0.
    """
    lines = text.splitlines()
    x = np.zeros((len(lines), PIXELS), PIXEL)
    y = np.zeros(len(lines), np.uint8)
    for i, line in enumerate(lines):
        try:
            label, *pairs = line.split()
            y[i] = _counted_from_1(label, paper.CLASSES)
            split = [pair.split(":") for pair in pairs]
            at = [_counted_from_1(index, PIXELS) for index, _ in split]
            x[i, at] = [float(value) for _, value in split]
        except ValueError as error:
            raise UserError(
                f"usps: line {i + 1} is {shown(line)}; expected 'class index:value ...' ({error})"
            ) from error
    return x.reshape(-1, paper.IMAGE_SIDE, paper.IMAGE_SIDE), y


def _counted_from_1(text: str, last: int) -> int:
    number = int(text)
    if not 1 <= number <= last:
        raise ValueError(f"{number} is not in 1..{last}")
    return number - 1


def _download() -> Digits:
    train, test = (parse(bz2.decompress(raw).decode()) for raw in fetch("usps", FILES))
    return Digits.of("usps", Splits(*train, *test))


def _given() -> Digits | None:
    splits = FORMAT.read()
    return None if splits is None else Digits.of("usps", splits)


USPS: Final = Source("usps", version=1, build=_download, given=_given)
