"""What this host is, stable and private. What changes by the minute is in bench/measuring/state.py.

Identity is made from models and sizes alone: no host name, user, path or serial number, and no
reading that differs between two boots, so that one machine always has one name.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections import Counter
from functools import partial
from importlib import metadata
from typing import Final

import msgspec
import psutil
import torch

from zipnet import cpu, devices
from zipnet.errors import answer, one_line
from zipnet.results.schema import Cpu, Limits, Machine, Plain

LIBRARIES = ("numpy", "torch", "numba", "cuda-bindings", "jax", "jaxlib", "mlx", "pytest-benchmark")

# Those that change how fast multiply-adds are done, by the names of the Linux kernel.
EXTENSIONS: Final = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512dq",
    "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16",
    "amx_fp16", "asimd", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2", "sme", "sme2",
)  # fmt: skip
AS_LINUX: Final = {"neon": "asimd", "fullfp16": "asimdhp", "dotprod": "asimddp"}  # from LLVM's

LONGEST: Final = 80  # characters of a name
DIGEST: Final = 6  # of them hexadecimal: one in 16 million chances that two machines share a name
ORNAMENT: Final = re.compile(r"\((r|tm)\)|\b(cpu|processor|\d+-core)\b|\bwith .*|@.*", re.I)


def identity() -> Machine:
    """What machine this is; `name` is a folder name made from the rest."""
    core, extensions = _by_llvm()
    logical = answer(psutil.cpu_count) or os.cpu_count()
    memory = answer(lambda: psutil.virtual_memory().total)
    about = Machine(
        name="?",
        cpu=Cpu(
            model=cpu.model(),
            design=cpu.design() or None,
            core=core,
            extensions=sorted(set(EXTENSIONS) & (cpu.flags() or extensions), key=EXTENSIONS.index),
            core_kinds=cpu.kinds() or None,
            physical_cores=answer(lambda: psutil.cpu_count(logical=False)) or logical,
            logical_cores=logical,
            arch=platform.machine() or None,
        ),
        memory_gib=installed(memory) if memory else None,
        gpus=sorted(_gpus()),
        system=platform.system() or None,
    )
    about.name = named(about)
    return about


def limits() -> Limits:
    """How much of the processor this process may use."""
    return Limits(cores=cpu.cores(), affinity=cpu.affinity(), quota=cpu.quota())


def named(about: Machine) -> str:
    """A folder name: in words what people tell machines by, then a hash of all that is known.

    What is not known has no part in the hash. Every word is there, shortened where all are too
    long, so that a second GPU does not go unsaid.
    """
    processor, model = about.cpu, slug(ORNAMENT.sub(" ", about.cpu.model))
    core = slug(processor.core or "")
    cores = processor.core_kinds or [processor.physical_cores or 0]
    words = [
        model,
        core if processor.core and core not in model else "",
        f"{'-'.join(map(str, cores))}c" if any(cores) else "",
        f"{about.memory_gib:g}g" if about.memory_gib else "",
    ]
    words += [f"{many}x-{slug(gpu)}" if many > 1 else slug(gpu)
              for gpu, many in Counter(about.gpus).items()]  # fmt: skip
    words = [word for word in words if word]
    while len("-".join(words)) > LONGEST - DIGEST - 1:
        longest = max(range(len(words)), key=lambda at: len(words[at]))
        words[longest] = words[longest][:-1].rstrip("-")
        words = [word for word in words if word]
    return slug("-".join([*words, _digest(about)]))


def _digest(about: Machine) -> str:
    facts = msgspec.to_builtins(about) | msgspec.to_builtins(about.cpu)
    known = {name: fact for name, fact in facts.items() if fact and name not in ("name", "cpu")}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:DIGEST]


def installed(total: int) -> int:
    """GiB of memory built into a machine whose system reports so many bytes.

    A system keeps some for itself, and not always the same: what it reports is rounded up, by an
    eighth at most, to a whole GiB at least. More than is there it never reports.
    """
    step = max(2**30, 1 << (total.bit_length() - 4))
    return -(-total // step) * step // 2**30


def slug(text: str, limit: int = LONGEST) -> str:
    """A folder name that every file system takes: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:limit].strip("-") or "unknown"


def _by_llvm() -> tuple[str | None, set[str]]:
    """What LLVM, which comes with numba, calls the processor's core and its extensions."""
    try:
        from llvmlite import binding
    except (ImportError, OSError):
        return None, set()
    found = answer(lambda: binding.get_host_cpu_features()) or {}
    core = answer(lambda: binding.get_host_cpu_name())
    plain = {re.sub(r"\W", "", AS_LINUX.get(name, name)) for name, has in found.items() if has}
    known = {name for name in EXTENSIONS if name.replace("_", "") in plain}
    return None if core in ("", "generic") else core, known


def _gpus() -> list[str]:
    """Model names of the accelerators, one entry each."""
    found = []
    for kind in devices.here()[1:]:
        for index in range(answer(partial(devices.count, kind)) or 1):
            name = answer(partial(devices.describe, torch.device(kind, index)))
            found.append(one_line(name or "", 120) or kind)
    return found


def software() -> dict[str, Plain]:
    """Versions of what the numbers depend on."""
    versions: dict[str, Plain] = {"python": platform.python_version()}
    for name in LIBRARIES:
        if version := answer(partial(metadata.version, name)):
            versions[name] = version
    return versions
