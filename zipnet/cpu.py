"""The processor: what it is, and how much of it this process may use.

Systems, containers and sandboxes differ in what they tell. Nothing here raises: what cannot be had
is None or empty, and the name falls back to the architecture.
"""

from __future__ import annotations

import functools
import math
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from zipnet.errors import answer, one_line

PROC, SYS = Path("/proc"), Path("/sys")
PATIENCE: Final = 5.0  # seconds for a command that only says what it knows

# Who calls the processor what: Linux on x86, macOS, and lscpu, which knows Arm's part numbers.
NAMES: Final = ("model name", "machdep.cpu.brand_string", "Model name")
# What tells one design of core from another, in the words of Linux and of macOS, and in ours.
DESIGN: Final = {
    "vendor_id": "", "cpu family": "family", "model": "model", "stepping": "stepping",
    "CPU implementer": "implementer", "CPU part": "part", "CPU variant": "variant",
    "CPU revision": "revision", "uarch": "", "machdep.cpu.vendor": "", "hw.cpufamily": "family",
    "machdep.cpu.model": "model", "machdep.cpu.stepping": "stepping",
}  # fmt: skip
# Bytes of a core's data caches by their levels, and how many CPUs share each, where a system tells
# nothing of them: what a core of the last ten years has at least.
COMMON: Final = {1: (2**15, 1), 2: (2**18, 1), 3: (2**22, 2)}
LEVELS: Final = [f"hw.perflevel{level}.logicalcpu" for level in range(4)]  # the fastest first


# --- how much of it -------------------------------------------------------------------------------


def cores() -> int:
    """CPUs worth using at once: the smaller of affinity and quota; part of a core counts as one."""
    allowed, granted = affinity() or os.cpu_count() or 1, quota()
    return allowed if granted is None else max(1, min(allowed, math.ceil(granted)))


def affinity() -> int | None:
    """CPUs this process may be put on; None where the system has no such limit, or keeps it."""
    return answer(lambda: len(os.sched_getaffinity(0)))


@functools.cache  # some files to open, and cores() is asked before every batch
def quota() -> float | None:
    """Cores' worth of time that cgroups grant this process; None where there is no such limit.

    A cgroup is held to the limits of those above it as well, so the least of them counts. Both
    versions may be mounted, and a container sees its own cgroup as the root.
    """
    found: list[float | None] = []
    for line in _text(PROC / "self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers or "cpu" in controllers.split(","):
            own = PurePosixPath("/", path.lstrip("/"))
            for mount in {controllers, "cpu"} if controllers else ("", "unified"):
                within = SYS / "fs/cgroup" / mount
                levels = [within / level.relative_to("/") for level in (own, *own.parents)]
                found += map(_granted_by_1 if controllers else _granted_by_2, levels)
    return min((cores for cores in found if cores), default=None)


def _granted_by_2(cgroup: Path) -> float | None:
    return _granted(_text(cgroup / "cpu.max"))


def _granted_by_1(cgroup: Path) -> float | None:
    return _granted(" ".join(_text(cgroup / f"cpu.cfs_{end}_us") for end in ("quota", "period")))


def _granted(said: str) -> float | None:
    """Microseconds in each so many, "200000 100000"; no limit is "max", or -1 by version 1."""
    try:
        microseconds, period = map(int, said.split())
    except ValueError:
        return None
    return microseconds / period if microseconds > 0 and period > 0 else None


# --- what it is -----------------------------------------------------------------------------------


def model() -> str:
    """What people call it; its design, or else the architecture, where the system has no name."""
    facts = _facts()
    named = next((facts[name] for name in NAMES if name in facts), "") or _by_lscpu()
    known = named or design() or answer(platform.processor) or platform.machine()
    return one_line(known, 120) or "unknown"


def design() -> str:
    """Vendor, family, model and stepping, or Arm's implementer and part; of every kind of core."""
    facts = _facts()
    known = (f"{word} {facts[name]}".strip() for name, word in DESIGN.items() if name in facts)
    return one_line(" ".join(known), 200)


def flags() -> set[str]:
    """Extensions of its instructions, by the names of the Linux kernel; elsewhere nothing."""
    facts = _facts()
    return {*facts.get("flags", "").split(), *facts.get("Features", "").split()}


def kinds() -> list[int]:
    """Logical cores of each kind, the fastest first; nothing where all are alike."""
    return found if len(found := answer(lambda: [*_kinds()]) or []) > 1 else []


def _kinds() -> Iterator[int]:
    facts = _facts()
    yield from (int(facts[level]) for level in LEVELS if level in facts)
    for kind in ("cpu_core", "cpu_atom"):  # of Intel
        if listed := _text(SYS / f"devices/{kind}/cpus"):
            yield _counted(listed)
    if "CPU part" in facts:  # x86 has capacities that differ by the luck of a single core
        found = (SYS / "devices/system/cpu").glob("cpu[0-9]*/cpu_capacity")
        yield from (many for _, many in sorted(Counter(map(int, map(_text, found))).items())[::-1])


def _counted(listed: str) -> int:
    """CPUs in a list of the kernel's, "0-3,8"."""
    spans = [span.partition("-") for span in listed.split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _, last in spans)


@functools.cache
def caches() -> dict[int, tuple[int, int]]:
    """Data caches of the first (or fastest) core by level: bytes, and the CPUs that share them."""
    return answer(lambda: dict(sorted(_caches()))) or COMMON


def _caches() -> Iterator[tuple[int, tuple[int, int]]]:
    for index in (SYS / "devices/system/cpu/cpu0/cache").glob("index*"):
        size = _text(index / "size")  # "512K"
        if _text(index / "type") in ("Data", "Unified") and size.endswith("K"):
            shared = _counted(_text(index / "shared_cpu_list") or "0")
            yield int(_text(index / "level")), (int(size[:-1]) * 2**10, shared)
    if platform.system() == "Darwin":
        for kind in ("hw", "hw.perflevel0"):  # of both, the largest of a level counts
            names = (f"{kind}.l1dcachesize", f"{kind}.l2cachesize", f"{kind}.l3cachesize")
            facts = _parsed(_output("/usr/sbin/sysctl", *names, f"{kind}.cpusperl2"))
            sharers = [1, int(facts.get(f"{kind}.cpusperl2", 1)), os.cpu_count() or 1]
            for level, (name, sharing) in enumerate(zip(names, sharers, strict=True), start=1):
                if int(facts.get(name, 0)):
                    yield level, (int(facts[name]), sharing)


def _facts() -> dict[str, str]:
    """What the kernel says of all cores."""
    if platform.system() != "Darwin":
        return _parsed(_text(PROC / "cpuinfo"))
    asked = [name for name in (*NAMES, *DESIGN, *LEVELS) if name.startswith(("machdep.", "hw."))]
    return _parsed(_output("/usr/sbin/sysctl", *asked))


@functools.cache  # a process of its own, for what does not change
def _by_lscpu() -> str:
    facts = _parsed(_output("lscpu"))
    return next((facts[name] for name in NAMES if name in facts), "")


def _parsed(said: str) -> dict[str, str]:
    """Lines of `name: value`; where cores differ, every value once."""
    found: dict[str, dict[str, None]] = {}
    for line in said.splitlines():
        name, _, value = map(str.strip, line.partition(":"))
        if value not in ("", "-", "unknown"):
            found.setdefault(name, {})[value] = None
    return {name: " + ".join(values) for name, values in found.items()}


def _text(path: Path) -> str:
    """A file of the kernel; nothing where it is missing or kept from us."""
    return answer(lambda: path.read_text("utf-8", errors="replace").strip()) or ""


def _output(*command: str) -> str:
    """What a command prints; nothing where it is missing or hangs."""
    spoken = {**os.environ, "LC_ALL": "C"}
    asked = functools.partial(
        subprocess.run, command, capture_output=True, text=True, errors="replace", env=spoken,
        timeout=PATIENCE,
    )  # fmt: skip
    done = answer(asked)
    return str(done.stdout) if done else ""
