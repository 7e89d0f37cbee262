"""What does a second device add? Two ranks against one, on shared digits and on networks apart.

torchrun starts the ranks, which measure worlds of one and of two in one run of their own
(bench/measuring/ranks.py); here their file is read into rows. How to measure more ranks, and
several hosts, stands in README.md, Ranks.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
import pytest
import torch

from bench.measuring.commit import HOME
from bench.measuring.interrupts import INTERRUPTS
from bench.measuring.session import Bench
from bench.measuring.settings import DevicePlace, only
from zipnet import cpu
from zipnet.engines.parallel import BACKENDS, Parallel
from zipnet.errors import one_line
from zipnet.results.schema import Benchmark, ResultFile

RANKS: Final = 2
MODULE: Final = "bench.measuring.ranks"
ROWS: Final = (
    ("ranks-full-batch", 1),
    ("ranks-full-batch", RANKS),
    ("ranks-replicas", 1),
    ("ranks-replicas", RANKS),
    ("ranks-all-reduce", RANKS),  # one rank has nothing to sum with
)  # of questions and worlds
SETTING_OUT: Final = 300.0  # seconds until the first rows: libraries load, kernels compile
SILENT: Final = 50.0  # seconds without news from then on; a lost rank is given up before


@dataclass(frozen=True)
class Ran:
    """What a run of ranks left: its rows by question and world, and why it broke off."""

    rows: dict[tuple[str, int | None], Benchmark]
    broke: str | None
    absent: dict[str | None, str]


def launch(device: str, profile: str, digits: str) -> Ran:
    """Have torchrun measure its ranks, and read what they saved, whatever ended them.

    Nothing is left running.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
        command = [
            sys.executable, "-m", MODULE, "--standalone",
            f"--nproc-per-node={RANKS}", "--device", device, "--profile", profile,
            "--digits", digits, "--results", folder,
        ]  # fmt: skip
        agent = subprocess.Popen(command, cwd=HOME, stdout=said, stderr=said)
        try:
            code = _ended(agent, Path(folder))
        finally:
            _kill(agent)
        files = [msgspec.json.decode(path.read_bytes(), type=ResultFile)
                 for path in Path(folder).glob("*/*.json")]  # fmt: skip
        said.seek(0)
        lines = [line.strip() for line in said if line.strip()]
    rows = [row for file in files for row in file.benchmarks]
    absent = {gap.question: gap.reason for file in files for gap in file.absent}
    broke = f"the run of ranks broke off, code {code}" if code else None
    if broke:
        ours = [line for line in lines if line.startswith(("zipnet: ", f"python -m {MODULE}: "))]
        last = (ours or lines or [""])[-1].partition("; what was measured")[0]
        broke = one_line(f"{broke}: {absent.get(None, last)}", 300)
    return Ran(
        {(row.extra_info.question, row.extra_info.world): row for row in rows}, broke, absent
    )


def _ended(agent: subprocess.Popen[bytes], folder: Path) -> int:
    """The exit code of torchrun, which is killed where its ranks have long saved nothing."""
    news, last = 0.0, time.monotonic()
    while (code := agent.poll()) is None:
        INTERRUPTS.answer()
        latest = max((path.stat().st_mtime for path in folder.glob("*/*.json")), default=0.0)
        if latest > news:
            news, last = latest, time.monotonic()
        if time.monotonic() - last > (SILENT if news else SETTING_OUT):
            _kill(agent)
        time.sleep(0.1)
    return code


def _kill(agent: subprocess.Popen[bytes]) -> None:
    """End torchrun with its ranks, which lead sessions of their own, out of reach of its group."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(agent.pid)
        for process in (*family.children(recursive=True), family):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    agent.wait()


@pytest.fixture(scope="module")
def ran() -> Callable[[str, str, str], Ran]:
    """Each device's run, once a session."""
    return cache(launch)


def with_all_threads(place: DevicePlace) -> bool:
    """Once a device: the ranks share the cores out among themselves."""
    return place.threads in (None, cpu.cores())


def why_not(bench: Bench, place: DevicePlace) -> str | None:
    """Why two ranks are not measured here."""
    if bench.profile.name in ("smoke", "quick"):
        return "ranks take twenty seconds; --profile standard measures them"
    if place.device not in BACKENDS:
        return f"ranks sum through gloo on CPUs and NCCL on CUDA GPUs, and not on {place.device}"
    here = torch.cuda.device_count() if place.device == "cuda" else cpu.cores()
    if here < RANKS:
        return f"{RANKS} ranks would share {here} of {place.device}"
    return None


@only(with_all_threads)
@pytest.mark.parametrize(("question", "world"), ROWS)
def bench_ranks(bench: Bench, place: DevicePlace, question: str, world: int, ran: Any) -> None:
    """A row of the one run that all of them share."""
    if Parallel.name not in bench.session.engines:
        pytest.skip(f"engine {Parallel.name} was not asked for")
    done = (
        Ran({}, None, {question: reason})
        if (reason := why_not(bench, place))
        else ran(place.device, bench.profile.name, bench.session.digits_name)
    )
    row = done.rows.get((question, world))
    if row is None and (reason := done.absent.get(question)) is not None:
        if world == RANKS:  # told once
            bench.session.left_out(str(place), question, reason)
        pytest.skip(reason)
    if row is None:
        raise RuntimeError(done.broke or f"ranks say nothing of {question} in a world of {world}")
    bench.keep(row.extra_info, row.stats.data, done.broke)
