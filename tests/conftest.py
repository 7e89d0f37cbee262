"""What the tests share: small random digits, the real ones where they are, and the cores."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zipnet.evaluation import targets
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989

MODERN = replace(
    KARPATHY_1989,
    name="modern",
    activation="relu",
    output="identity",
    loss="cross_entropy",
    optimizer="adamw",
    lr=3e-4,
    lr_end=1e-4,
    weight_decay=0.01,
)


with suppress(ImportError):  # the laws, which `bench node` runs, need none
    from hypothesis import settings

    settings.register_profile("untimed", deadline=None)  # a machine that others use may stall
    settings.load_profile("untimed")


def pytest_configure() -> None:
    """The processes that tests start are no workers: pytest-benchmark refuses to measure in one."""
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        os.environ.pop(name, None)


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait until the other workers let us in: all at once, or one alone.

    Who waits to be alone keeps the door, so that nobody overtakes.
    """
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.flock(door, fcntl.LOCK_UN)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Where several workers run tests, one marked `serial` has the cores to itself."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    ours = Path(item.config.getoption("basetemp")).parent  # xdist gives each worker a part of it
    with turn(ours, alone=item.get_closest_marker("serial") is not None):
        return (yield)


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without the figures of speeds, which take seconds to draw."""
    monkeypatch.setattr("bench.report.publish.draw_all", lambda rows: iter(()))


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
