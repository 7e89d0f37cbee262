"""MNIST as Karpathy's stand-in for the digits of 1989, which he believed lost.

7,291 of the 60,000 training digits and 2,007 of the 10,000 test digits of MNIST (LeCun, Cortes,
Burges), drawn without replacement, pixels to [-1, 1], 28x28 to 16x16 by bilinear interpolation
without antialiasing, as in prepro.py of github.com/karpathy/lecun1989-repro.

That script seeds numpy once and draws both splits from the one stream, walking over a set of
strings, whose order changes from run to run. So two data sets are his:

    mnist-2022       test digits drawn first: from his own start it gives about what he published
    mnist-2022-twin  training digits drawn first
    mnist-50000      mnist-2022 with the first 50,000 training digits of its draw, not 7,291
    mnist            a draw of ours, by another generator

Pixels agree with torch's to the last bits of a float32; a training of 167,693 steps tells even
those apart, by a few misses. The checksums are those of torchvision.datasets.MNIST.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from zipnet import paper
from zipnet.data.digits import Array, Digits, Labels, Pixels, Splits
from zipnet.data.fetch import Remote, fetch
from zipnet.data.given import Format
from zipnet.data.source import Source

_MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"
FILES: tuple[Remote, ...] = (
    Remote(_MIRROR, "train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    Remote(_MIRROR, "train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
    Remote(_MIRROR, "t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
    Remote(_MIRROR, "t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
)
SEED: Final = 1337  # prepro.py's
MORE_TRAIN_DIGITS: Final = 50_000  # "the training set by ~7X" (Karpathy2022)

Indices = npt.NDArray[np.int64]

FORMAT: Final = Format(
    name="mnist",
    side=28,
    dtype=np.dtype(np.uint8),
    low=0,
    high=255,
    train=paper.TRAIN_DIGITS,
    test=paper.TEST_DIGITS,
    exact=False,
)


def parse(raw: bytes) -> Labels:
    """Read an IDX file of bytes: two zeros, type 8, the number of axes, their lengths, the data."""
    axes = raw[3]
    shape = struct.unpack_from(f">{axes}I", raw, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


Draw = Callable[[int, int], tuple[Indices, Indices]]


def ours(train: int, test: int) -> tuple[Indices, Indices]:
    """Permutations of so many training and test digits, by PCG64."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    return rng.permutation(train), rng.permutation(test)


def of_2022(train: int, test: int) -> tuple[Indices, Indices]:
    """prepro.py's, where its set of splits happens to begin with "test"."""
    rng = np.random.RandomState(SEED)
    of_test = rng.permutation(test)
    return rng.permutation(train), of_test


def of_2022_twin(train: int, test: int) -> tuple[Indices, Indices]:
    """prepro.py's, where its set of splits happens to begin with "train"."""
    rng = np.random.RandomState(SEED)
    return rng.permutation(train), rng.permutation(test)


def prepare(
    full: Splits,
    name: str = "mnist",
    draw: Draw = ours,
    train: int = paper.TRAIN_DIGITS,
    test: int = paper.TEST_DIGITS,
) -> Digits:
    """Draw so many digits from each split of MNIST, (n, 28, 28) uint8, and shrink them."""
    drawn = draw(len(full.x_train), len(full.x_test))
    from_train, from_test = drawn[0][:train], drawn[1][:test]
    return Digits.of(
        name,
        Splits(
            x_train=_prepared(full.x_train[from_train]),
            y_train=full.y_train[from_train],
            x_test=_prepared(full.x_test[from_test]),
            y_test=full.y_test[from_test],
        ),
    )


def _prepared(images: Array) -> Pixels:
    # Karpathy maps to [-1, 1] first. The other order is exact up to the last division: bytes
    # times weights in eighths fit a float32, so the hash is the same on every platform.
    return shrunk(images.astype(np.float32)) / np.float32(127.5) - 1


def shrunk(x: Pixels, side: int = paper.IMAGE_SIDE) -> Pixels:
    """Bilinear interpolation (n, h, w) -> (n, side, side), as torch's with align_corners=False."""
    return _along(_along(x, 1, side), 2, side)


def _along(x: Pixels, axis: int, side: int) -> Pixels:
    """Linear interpolation along one axis, at the centres of `side` equal cells."""
    length = x.shape[axis]
    place = np.maximum((np.arange(side) + 0.5) * length / side - 0.5, 0)
    below = place.astype(int)
    above = np.minimum(below + 1, length - 1)
    weight = (place - below).astype(np.float32).reshape(-1, *[1] * (2 - axis))
    mixed: Pixels = x.take(below, axis) * (1 - weight) + x.take(above, axis) * weight
    return mixed


def _source(name: str, draw: Draw, train: int = paper.TRAIN_DIGITS) -> Source:
    """One draw; ZIPNET_DATA's mnist.npz, where it lies, is what all of them draw from."""
    prepared = partial(prepare, name=name, draw=draw, train=train)

    def build() -> Digits:
        return prepared(Splits(*(parse(gzip.decompress(raw)) for raw in fetch("mnist", FILES))))

    def given() -> Digits | None:
        full = replace(FORMAT, train=train).read()
        return None if full is None else prepared(full)

    return Source(name, version=1, build=build, given=given)


MNIST: Final = (
    _source("mnist", ours),
    _source("mnist-2022", of_2022),
    _source("mnist-2022-twin", of_2022_twin),
    _source("mnist-50000", of_2022, train=MORE_TRAIN_DIGITS),
)
