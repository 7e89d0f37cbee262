"""How long from nothing to the first step? Import, compile, step: cold, and with warm caches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from bench.measuring.session import Bench
from bench.measuring.settings import Setting, once_a_device, only, patiently, slow_to_compile
from zipnet import devices
from zipnet.errors import EXIT_INTERRUPTED, EXIT_USAGE
from zipnet.results.schema import Phases, Row

# Where each library keeps what it has compiled; JAX keeps nothing unless it is told to.
# MLX keeps its own in the folder for temporary files.
CACHES = (
    "NUMBA_CACHE_DIR",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
    "CUDA_CACHE_PATH",
    "TMPDIR",
)


@pytest.fixture(scope="module")
def caches() -> Iterator[Path]:
    """A folder for the caches of this session, empty at first."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def nothing() -> None:
    """A new process brings its own settings."""


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    (folder / "TMPDIR").mkdir(parents=True, exist_ok=True)  # the others are made when needed
    return kept | {name: str(folder / name) for name in CACHES}


def _measure(bench: Bench, setting: Setting, caches: Path, question: str) -> None:
    place = setting.place
    said: list[dict[str, Any]] = []
    folder = caches / str(setting)

    def work() -> None:
        done = subprocess.run(
            [sys.executable, "-m", "bench.measuring.first_step", setting.engine, place.device],
            env=_environment(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == EXIT_INTERRUPTED:  # a terminal's Ctrl-C goes to all its processes
            raise KeyboardInterrupt
        if done.returncode == EXIT_USAGE:  # a GPU that is lent to one process at a time, say
            bench.leave_out(setting, question, done.stderr.strip())
        if done.returncode:
            raise RuntimeError(f"the new process failed: {done.stderr[-500:]}")
        said.append(json.loads(done.stdout))

    if question == "first-step-warm" and not folder.exists():
        work()  # nothing has filled the caches yet
    row = Row(
        question=question, engine=setting.engine, device=place.device, dtype="float32", batch=1
    )
    once = bench.profile.long_seconds  # a second round would find the caches that the first filled
    timed = bench.measure(work, row, nothing, fresh=nothing, estimate=once)
    row.device = said[-1]["device"]
    row.device_name = devices.describe(torch.device(row.device))  # asked there it would take time
    row.threads, row.phases = place.threads, msgspec.convert(said[-1]["phases"], Phases)
    timed.save()


@only(once_a_device)
@patiently(slow_to_compile, "torch.compile from nothing takes long")
def bench_cold_start(bench: Bench, setting: Setting, caches: Path) -> None:
    """A new process with empty caches: what the first run on a machine waits for."""
    _measure(bench, setting, caches, "first-step-cold")


@only(once_a_device)
@patiently(slow_to_compile, "torch.compile from nothing takes long")
def bench_warm_start(bench: Bench, setting: Setting, caches: Path) -> None:
    """A new process with the caches that the cold start left: every run after it."""
    _measure(bench, setting, caches, "first-step-warm")
