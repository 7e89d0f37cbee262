"""What this host is, stable and private. What changes by the minute is in bench/measuring/state.py.

Identity is made from models and sizes alone: no host name, user, path or serial number, and no
reading that differs between two boots, so that one machine always has one name.
"""

from __future__ import annotations

import platform
import re
from importlib import metadata

import psutil
import torch

from zipnet import cpu, devices

LIBRARIES = ("numpy", "torch", "numba", "numba-cuda", "jax", "jaxlib", "mlx", "pytest-benchmark")


def identity() -> dict[str, object]:
    """What machine this is; `name` is a folder name made from the rest."""
    processor: dict[str, object] = {
        "model": cpu.model(),
        "physical_cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
        "logical_cores": psutil.cpu_count(),
        "arch": platform.machine(),
    }
    memory_gib = round(psutil.virtual_memory().total / 2**30)
    gpus = _gpus()
    parts = [
        str(processor["model"]),
        f"{processor['physical_cores']}c",
        f"{memory_gib}g",
        *sorted(set(gpus)),
    ]
    return {
        "name": slug("-".join(parts)),
        "cpu": processor,
        "memory_gib": memory_gib,
        "gpus": gpus,
        "system": platform.system(),
    }


def slug(text: str, limit: int = 80) -> str:
    """A folder name that every file system takes: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:limit].strip("-") or "unknown"


def _gpus() -> list[str]:
    """Model names of the accelerators, one entry each."""
    models = []
    for kind in devices.here()[1:]:
        models += [devices.describe(torch.device(kind, i)) for i in range(devices.count(kind))]
    return models


def software() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
