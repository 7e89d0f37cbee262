"""The state that the machine is in, as far as the system tells: readings that change by the minute.

Nothing is ever changed here, only looked at, and nothing is required: a reading that cannot be
had is None, on any system and in any container.
"""

from __future__ import annotations

import math
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from bench.measuring import gpu_state
from zipnet.errors import answer
from zipnet.results.schema import State

# Linux counts here how often a core was slowed down for heat; Intel only.
THROTTLE_COUNTS: Final = "devices/system/cpu/cpu*/thermal_throttle/core_throttle_count"
SYS: Final = Path("/sys")
PMSET: Final = ("/usr/bin/pmset", "-g", "therm")


def state() -> State:
    """Take every reading."""
    return State(
        load_1min=_reading(lambda: round(psutil.getloadavg()[0], 2)),
        cpu_mhz=_reading(lambda: round(psutil.cpu_freq().current) or None),
        memory_available=_reading(lambda: psutil.virtual_memory().available),
        power=answer(_power),
        throttled=_reading(_throttled),
        speed_limit=_reading(_speed_limit) if platform.system() == "Darwin" else None,
        **gpu_state.readings(),
    )


def _reading(question: Callable[[], float | None]) -> float | None:
    """The answer, or None where there is none or it is no number that a result file may hold."""
    found = answer(question)
    return found if found is not None and 0 <= found < math.inf else None


def _power() -> str | None:
    battery = psutil.sensors_battery()
    plugged = None if battery is None else battery.power_plugged
    return None if plugged is None else ("mains" if plugged else "battery")


def _throttled() -> int | None:
    """How often any core was slowed down for heat since the machine started."""
    counts = [int(path.read_text()) for path in SYS.glob(THROTTLE_COUNTS)]
    return sum(counts) if counts else None


def _speed_limit() -> int | None:
    """Percent of its speed that macOS grants the processor: below 100 under thermal pressure."""
    said = subprocess.run(PMSET, capture_output=True, text=True, check=True, timeout=5).stdout
    found = re.search(r"CPU_Speed_Limit\s*=\s*(\d+)", said)
    return int(found.group(1)) if found else None
