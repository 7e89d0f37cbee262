"""Fixtures that the tests share: small random digits, and the real ones where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

from zipnet.evaluation import targets
from zipnet.params import Params


@pytest.fixture
def start() -> Params:
    return Params.init(0)


@pytest.fixture
def few() -> tuple[np.ndarray, np.ndarray]:
    """48 random digits with random labels: x (48, 1, 16, 16), y (48, 10)."""
    return random_digits(48)


def random_digits(count: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, 1, 16, 16)).astype(np.float32)
    return x, targets(rng.integers(0, 10, count))


@pytest.fixture
def real_data() -> Iterator[str]:
    """The folder with the real digits, or a skip that says what is missing."""
    folder = os.environ.get("ZIPNET_DATA")
    if not folder:
        pytest.skip("ZIPNET_DATA is not set: it names a folder with usps.npz")
    return folder
