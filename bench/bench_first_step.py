"""How long from nothing to the first step? Import, compile, step: cold, and with warm caches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch

from bench.measuring.harness import nothing, shares
from bench.measuring.session import Bench
from bench.measuring.settings import (
    Setting,
    goes_by_eager,
    keeps_nothing,
    once_a_device,
    only,
    patiently,
    slow_to_compile,
)
from zipnet import devices
from zipnet.errors import EXIT_INTERRUPTED, EXIT_USAGE
from zipnet.results.schema import FEWEST_ROUNDS, Phases, Row

# Where each library keeps what it has compiled; JAX keeps nothing unless it is told to.
# MLX keeps its own in the folder for temporary files.
CACHES = (
    "NUMBA_CACHE_DIR",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
    "CUDA_CACHE_PATH",
    "ZIPNET_CACHE",
    "TMPDIR",
)


@pytest.fixture(scope="module")
def caches(pytestconfig: pytest.Config) -> Path:
    """A folder for the caches of this session, empty at first; there until its last lap is over."""
    folder = tempfile.TemporaryDirectory()
    pytestconfig.add_cleanup(folder.cleanup)
    return Path(folder.name)


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    (folder / "TMPDIR").mkdir(parents=True, exist_ok=True)  # the others are made when needed
    return kept | {name: str(folder / name) for name in CACHES}


def _measure(bench: Bench, setting: Setting, question: str, folder: Callable[[], Path]) -> None:
    """Measure starts with the caches that folder() holds, asked before each."""
    place = setting.place
    row = Row(
        question=question,
        engine=setting.engine,
        device=place.device,
        dtype="float32",
        threads=place.threads,
        batch=1,
    )
    environment: dict[str, str] = {}

    def prepare() -> None:
        environment.update(_environment(folder()))

    def work() -> None:
        done = subprocess.run(
            [sys.executable, "-m", "bench.measuring.first_step", setting.engine, place.device],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == EXIT_INTERRUPTED:  # a terminal's Ctrl-C goes to all its processes
            raise KeyboardInterrupt
        if done.returncode == EXIT_USAGE and not (bench.timed and bench.timed.values):
            # A GPU that is lent to one process at a time, say.
            bench.leave_out(setting, question, done.stderr)
        if done.returncode:
            raise RuntimeError(f"the new process failed: {done.stderr[-500:]}")
        said = json.loads(done.stdout)
        row.device, row.phases = said["device"], msgspec.convert(said["phases"], Phases)

    profile = bench.profile
    if question == "first-step-warm" and not folder().exists():
        prepare()
        work()  # nothing has filled the caches yet
    # Nothing is entered: a new process brings its own settings.
    timed = bench.measure(work, row, nothing, fresh=prepare, estimate=profile.long_seconds)
    fits = question == "first-step-warm" and (
        FEWEST_ROUNDS * timed.values[0] <= profile.long_seconds
    )
    if profile.name == "full" or fits:
        timed.rounds += shares(FEWEST_ROUNDS - 1, profile.laps - 1)
    row.device_name = devices.describe(torch.device(row.device))  # asked there it would take time
    timed.save()


@only(once_a_device)
@patiently(slow_to_compile, "torch.compile from nothing takes long")
@patiently(goes_by_eager, "it starts as eager does")
def bench_cold_start(bench: Bench, setting: Setting, caches: Path) -> None:
    """A new process with empty caches: what the first run on a machine waits for."""
    kept, again = caches / str(setting), caches / f"{setting}-again"

    def emptied() -> Path:
        folder = again if kept.exists() else kept  # the first start's are for warm starts
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    _measure(bench, setting, "first-step-cold", emptied)


@only(once_a_device)
@patiently(slow_to_compile, "torch.compile from nothing takes long")
@patiently(goes_by_eager, "it starts as eager does")
@patiently(keeps_nothing, "it keeps no code that it compiled, and starts cold each time")
def bench_warm_start(bench: Bench, setting: Setting, caches: Path) -> None:
    """A new process with the caches that the cold start left: every run after it."""
    _measure(bench, setting, "first-step-warm", lambda: caches / str(setting))
