"""Printed digits: drawn without a network, and the same in every process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from zipnet import data
from zipnet.data import fonts
from zipnet.data.digits import Digits


@pytest.fixture(scope="module")
def drawn() -> Digits:
    return fonts.draw(1205, 603)


def test_fonts_are_the_same_in_every_process() -> None:
    code = "from zipnet.data import fonts; print(fonts.draw(60, 30).sha256)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == fonts.draw(60, 30).sha256


def test_fonts_are_balanced_to_within_one(drawn: Digits) -> None:
    for labels in (drawn.y_train, drawn.y_test):
        counts = np.bincount(labels, minlength=10)
        assert counts.max() - counts.min() <= 1


def test_fonts_are_white_on_black_and_eight_bits_deep(drawn: Digits) -> None:
    levels = (drawn.x_train + 1) * 127.5
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert (drawn.x_train.min(), drawn.x_train.max()) == (-1, 1)
    assert drawn.x_train.mean() < -0.3
    assert (drawn.x_train[:, 0, 3:13, 3:13].max(axis=(1, 2)) > 0).all(), "a digit without ink"


def test_no_two_digits_are_the_same(drawn: Digits) -> None:
    images = {image.tobytes() for x in (drawn.x_train, drawn.x_test) for image in x}
    assert len(images) == 1205 + 603


def test_faces_of_the_test_are_partly_unseen() -> None:
    assert not set(fonts.TRAINING_FACES) & set(fonts.UNSEEN_FACES)


def test_fonts_can_be_learnt_but_not_by_a_linear_model(drawn: Digits) -> None:
    """Least squares on pixels: far better than chance, far worse than the network of 1989."""
    x, x_test = (
        np.hstack([x.reshape(len(x), -1), np.ones((len(x), 1))])
        for x in (drawn.x_train, drawn.x_test)
    )
    targets = np.eye(10)[drawn.y_train]
    weights = np.linalg.solve(x.T @ x + 30 * np.eye(257), x.T @ targets)
    error = ((x_test @ weights).argmax(axis=1) != drawn.y_test).mean()
    assert 0.1 < error < 0.4


def test_fonts_load_as_many_digits_as_the_article_has_and_are_cached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = data.load("fonts")
    assert first.x_train.shape == (7291, 1, 16, 16)
    assert first.x_test.shape == (2007, 1, 16, 16)
    monkeypatch.setattr(fonts, "_drawn", None)  # drawing again would fail
    assert data.load("fonts").sha256 == first.sha256
