"""The processor: its name, and how much of it this process may use."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path


def cores() -> int:
    """CPUs this process may run on, which a container or a scheduler may have cut down."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def model() -> str:
    """The processor's marketing name, or the architecture where the system does not tell."""
    if platform.system() == "Linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):  # arm64 kernels print no such line
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        sysctl = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(sysctl, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()
