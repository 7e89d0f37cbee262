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
from zipnet.results.schema import Cpu, Machine, Plain

LIBRARIES = ("numpy", "torch", "numba", "numba-cuda", "jax", "jaxlib", "mlx", "pytest-benchmark")


def identity() -> Machine:
    """What machine this is; `name` is a folder name made from the rest."""
    processor = Cpu(
        model=cpu.model() or "unknown",
        physical_cores=psutil.cpu_count(logical=False) or psutil.cpu_count(),
        logical_cores=psutil.cpu_count(),
        arch=platform.machine() or None,
    )
    memory_gib, gpus = round(psutil.virtual_memory().total / 2**30), _gpus()
    parts = [processor.model, f"{processor.physical_cores}c", f"{memory_gib}g", *sorted(set(gpus))]
    return Machine(
        name=slug("-".join(parts)),
        cpu=processor,
        memory_gib=memory_gib,
        gpus=gpus,
        system=platform.system() or None,
    )


def slug(text: str, limit: int = 80) -> str:
    """A folder name that every file system takes: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:limit].strip("-") or "unknown"


def _gpus() -> list[str]:
    """Model names of the accelerators, one entry each."""
    models = []
    for kind in devices.here()[1:]:
        models += [devices.describe(torch.device(kind, i)) for i in range(devices.count(kind))]
    return models


def software() -> dict[str, Plain]:
    """Versions of what the numbers depend on."""
    versions: dict[str, Plain] = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
