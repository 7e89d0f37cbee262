"""Joules that a device takes, by counters of its own; where nothing counts, nothing is estimated.

NVML counts for an NVIDIA GPU, RAPL for the processor's packages, and an Apple chip for all of
itself, read through zeus-apple-silicon. The whole device is counted, whoever else uses it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.measuring import gpu_state
from zipnet.errors import answer

POWERCAP: Final = Path("/sys/class/powercap")
BUSY: Final = 10.0  # seconds of rounds at the least: NVML's counter moves some ten times a second
IDLE: Final = 3.0  # before them and after
APPLE: Final = ("cpu_total_mj", "gpu_mj", "gpu_sram_mj", "dram_mj", "ane_mj")


@dataclass(frozen=True)
class Meter:
    """Counters of one device.

    name: who counts. read: joules so far, from some moment on, by each. wraps: where each begins
    again at 0; infinite where it never does.
    """

    name: str
    read: Callable[[], Sequence[float]]
    wraps: Sequence[float]

    def since(self, before: Sequence[float]) -> float:
        """Joules since an earlier reading, in which no counter may have gone round twice."""
        now = self.read()
        return sum((b - a) % wrap for a, b, wrap in zip(before, now, self.wraps, strict=True))


@dataclass(frozen=True)
class Window:
    """What a device took while it worked, and around that. watts: before and after, idle."""

    joules: float
    seconds: float
    rounds: int
    watts: tuple[float, float]


def window(
    meter: Meter, work: Callable[[], object], busy: float = BUSY, idle: float = IDLE
) -> Window:
    """Rounds of work for so many seconds or longer, between two idle windows."""
    before = _idle(meter, idle)
    began, reading, rounds = time.perf_counter(), meter.read(), 0
    while rounds == 0 or time.perf_counter() - began < busy:
        work()
        rounds += 1
    joules, seconds = meter.since(reading), time.perf_counter() - began
    return Window(joules, seconds, rounds, (before, _idle(meter, idle)))


def _idle(meter: Meter, seconds: float) -> float:
    began, reading = time.perf_counter(), meter.read()
    time.sleep(seconds)
    return meter.since(reading) / (time.perf_counter() - began)


def meter(device: str) -> Meter | str:
    """The counters of a device, or why there are none."""
    kind = device.partition(":")[0]
    if kind == "cuda":
        return answer(_nvml) or "no counter of the GPU's energy: NVML has one from Volta on"
    if kind in ("cpu", "mps") and (found := answer(_apple)) is not None:
        return found
    if kind == "cpu":
        return answer(_rapl) or (
            "no counter of the processor's energy can be read: RAPL's packages in "
            f"{POWERCAP}, or an Apple chip's with zeus-apple-silicon"
        )
    return f"no counter of {device}'s energy is known"


def _nvml() -> Meter | None:
    def read() -> Sequence[float]:
        return [gpu_state.joules() or 0.0]

    return Meter("NVML", read, [math.inf]) if gpu_state.joules() is not None else None


def _rapl() -> Meter | None:
    """Packages only: their cores are within them, and psys, which is the machine, holds both."""
    zones = [zone for zone in sorted(POWERCAP.glob("intel-rapl:*"))
             if (zone / "name").read_text().startswith("package")]  # fmt: skip

    def read() -> Sequence[float]:
        return [1e-6 * int((zone / "energy_uj").read_text()) for zone in zones]

    read()  # of root alone, mostly
    wraps = [1e-6 * int((zone / "max_energy_range_uj").read_text()) for zone in zones]
    return Meter("RAPL", read, wraps) if zones else None


def _apple() -> Meter:
    import zeus_apple_silicon  # for whoever has installed it

    monitor: Any = zeus_apple_silicon.AppleEnergyMonitor()

    def read() -> Sequence[float]:
        counted = monitor.get_cumulative_energy()
        return [1e-3 * sum(getattr(counted, name, None) or 0 for name in APPLE)]

    read()
    return Meter("zeus-apple-silicon", read, [math.inf])
