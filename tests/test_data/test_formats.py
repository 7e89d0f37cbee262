"""LIBSVM text, IDX files, interpolation, and what the real digits are known to be."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.test_data.conftest import Web, libsvm, published
from zipnet import data
from zipnet.data import mnist, usps
from zipnet.data.digits import Splits, fingerprint
from zipnet.errors import UserError

PIXELS = st.floats(-1, 1, width=32)
DIGITS = st.integers(0, 4).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float32, (n, 16, 16), elements=PIXELS, fill=st.just(0.0)),
        hnp.arrays(np.uint8, n, elements=st.integers(0, 9)),
    )
)


@given(DIGITS)
def test_libsvm_text_reads_as_it_was_written(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = usps.parse(libsvm(*digits))
    np.testing.assert_array_equal(x, digits[0])
    np.testing.assert_array_equal(y, digits[1])


def test_libsvm_pixels_come_in_any_order_and_may_be_left_out() -> None:
    x, y = usps.parse("10 256:0.862 1:-1\n")
    assert y.tolist() == [9]
    assert x[0, 0, 0] == -1
    assert x[0, 15, 15] == np.float32(0.862)
    assert np.count_nonzero(x) == 2


@pytest.mark.parametrize(
    "line", ["0 1:1", "11 1:1", "seven", "", "7 0:1", "7 257:1", "7 1", "7 1:ink", "7 1:2:3"]
)
def test_libsvm_line_that_is_none_is_shown(line: str) -> None:
    with pytest.raises(UserError, match=r"usps: line 2 is .*expected 'class index:value"):
        usps.parse(f"7 1:1\n{line}\n")


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3)))
def test_idx_bytes_read_as_they_were_written(array: np.ndarray) -> None:
    np.testing.assert_array_equal(mnist.parse(idx(array)), array)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize(("height", "width"), [(28, 28), (16, 16), (40, 60), (5, 9), (1, 1)])
def test_shrunk_is_what_torch_interpolates(height: int, width: int) -> None:
    x = np.random.default_rng(1).integers(0, 256, (6, height, width)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.tensor(x)[:, None], (16, 16), mode="bilinear", align_corners=False
    )[:, 0]
    np.testing.assert_allclose(mnist.shrunk(x), expected.numpy(), rtol=0, atol=255 * 2e-6)


def test_mnist_is_downloaded_drawn_and_shrunk(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    images = {n: rng.integers(0, 256, (n, 28, 28), np.uint8) for n in (40, 30)}
    labels = {n: rng.integers(0, 10, n).astype(np.uint8) for n in (40, 30)}
    arrays = (images[40], labels[40], images[30], labels[30])
    names = [file.name for file in mnist.FILES]
    web.files = {n: gzip.compress(idx(a)) for n, a in zip(names, arrays, strict=True)}
    monkeypatch.setattr(mnist, "FILES", tuple(published(n, c) for n, c in web.files.items()))

    digits = data.load("mnist")

    assert web.requests == names
    assert sorted(digits.y_train) == sorted(labels[40])
    assert digits.x_test.shape == (30, 1, 16, 16)
    shrunk = mnist.shrunk(images[30].astype(np.float32)) / np.float32(127.5) - 1
    assert {image.tobytes() for image in digits.x_test} == {image.tobytes() for image in shrunk}


def test_mnist_draw_takes_no_digit_twice_and_keeps_labels_with_images() -> None:
    images = np.zeros((300, 28, 28), np.uint8)
    images += (np.arange(300) % 250).astype(np.uint8)[:, None, None]
    labels = (np.arange(300) % 250 % 10).astype(np.uint8)
    digits = mnist.prepare(Splits(images, labels, images, labels), train=200, test=100)
    values = np.rint((digits.x_train[:, 0, 0, 0] + 1) * 127.5)
    np.testing.assert_array_equal(values % 10, digits.y_train)
    assert np.unique(values, return_counts=True)[1].max() <= 2  # 0 to 49 are there twice
    assert (len(digits.x_train), len(digits.x_test)) == (200, 100)


def as_prepro_does(full: Splits, order: tuple[str, str], n: dict[str, int]) -> Splits:
    """What prepro.py of 2022 makes of MNIST, by torch and numpy's own global generator."""
    before = np.random.get_state()
    np.random.seed(1337)
    made = {}
    for split in order:
        images, labels = getattr(full, f"x_{split}"), getattr(full, f"y_{split}")
        drawn = np.random.permutation(len(images))[: n[split]]
        x = torch.tensor(images[drawn].astype(np.float32))[:, None] / 127.5 - 1.0
        shrunk = torch.nn.functional.interpolate(x, (16, 16), mode="bilinear")
        made |= {f"x_{split}": shrunk.numpy(), f"y_{split}": labels[drawn]}
    np.random.set_state(before)
    return Splits(**made)


@pytest.mark.parametrize(
    ("name", "order", "train"),
    [
        ("mnist-2022", ("test", "train"), 7291),
        ("mnist-2022-twin", ("train", "test"), 7291),
        ("mnist-50000", ("test", "train"), 50_000),
    ],
)
def test_the_draws_of_2022_are_those_of_prepro(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, order: tuple[str, str], train: int
) -> None:
    rng = np.random.default_rng(3)
    few = rng.integers(0, 256, (60, 28, 28), np.uint8)
    picks = {n: rng.integers(0, 60, n) for n in (60_000, 10_000)}
    full = Splits(*(part for n, p in picks.items() for part in (few[p], (p % 10).astype(np.uint8))))
    np.savez(tmp_path / "mnist.npz", **full._asdict())
    monkeypatch.setenv("ZIPNET_DATA", str(tmp_path))
    digits = data.load(name)
    expected = as_prepro_does(full, order, {"train": train, "test": 2007})
    np.testing.assert_array_equal(digits.y_train, expected.y_train)
    np.testing.assert_array_equal(digits.y_test, expected.y_test)
    np.testing.assert_allclose(digits.x_train, expected.x_train, rtol=0, atol=2e-6)
    np.testing.assert_allclose(digits.x_test, expected.x_test, rtol=0, atol=2e-6)
    assert digits.name == name


def test_more_digits_of_2022_are_those_of_2022_and_more(real_data: str) -> None:
    few, more = data.load("mnist-2022"), data.load("mnist-50000")
    np.testing.assert_array_equal(more.x_train[: len(few.x_train)], few.x_train)
    np.testing.assert_array_equal(more.x_test, few.x_test)
    assert len(more.x_train) == 50_000


# Of all but the training images: some copies of MNIST read their pixels of value 1 as 0.
HASHES = {
    "mnist": "17e0571f6a1972b30beb76230833af45b2b3858e36496ca2b51c11bd02ad7c50",
    "mnist-2022": "fcff052e327e650f13133a3634753c34d55e00487ec917afd2609e0bd2537b90",
    "mnist-2022-twin": "8e9f30d052f872827b8a7dc60b5c6efb68ba9db60992ede44f3ef1fd3d2d2ba6",
    "mnist-50000": "00a874f0a3e4644a072db6656dd067d2b966e612939c69ac2b81aef3891df004",
}


@pytest.mark.parametrize("name", HASHES)
def test_draws_of_mnist_do_not_change_between_releases(real_data: str, name: str) -> None:
    digits = data.load(name)
    most = (digits.y_train, digits.x_test, digits.y_test)
    assert fingerprint(most) == HASHES[name]  # type: ignore[arg-type]


def test_usps_has_the_class_counts_of_zip_info(real_data: str) -> None:
    digits = data.load("usps")
    assert np.bincount(digits.y_train).tolist() == [
        *(1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644)
    ]
    assert np.bincount(digits.y_test).tolist() == [
        *(359, 264, 198, 166, 200, 160, 170, 147, 166, 177)
    ]
    assert (digits.x_train.min(), digits.x_train.max()) == (-1, 1)


def test_mnist_is_as_many_digits_as_the_article_has(real_data: str) -> None:
    digits = data.load("mnist")
    assert digits.x_train.shape == (7291, 1, 16, 16)
    assert digits.x_test.shape == (2007, 1, 16, 16)
    assert (digits.x_train.min(), digits.x_train.max()) == (-1, 1)
    assert np.bincount(digits.y_train).min() > 600
    assert data.load("mnist").sha256 == digits.sha256
