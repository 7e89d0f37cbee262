"""Whether an engine does run where it says that it can: it is asked for one step.

Libraries find out late that a compiler is broken, that a folder takes no programs, or that a
variable of the environment stops them. One digit tells, and once in a process is enough.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from zipnet import paper
from zipnet.engines.base import Engine
from zipnet.errors import answer, note, one_line
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989

BROKEN: Final = "does not run: "  # begins the reason of an engine that could but for a fault
# Variables with which an engine is another one, or none, under its name.
SWITCHES: Final[Mapping[str, tuple[str, ...]]] = {
    "compiled": ("TORCH_COMPILE_DISABLE", "TORCHDYNAMO_DISABLE", "TORCHDYNAMO_SUPPRESS_ERRORS"),
    "xla": ("JAX_DISABLE_JIT",),
    "mlx": ("MLX_DISABLE_COMPILE",),
    "fused": ("NUMBA_DISABLE_JIT",),
}
# Variables by which a library may end the process that loads it, where others raise.
PERILS: Final[Mapping[str, tuple[str, ...]]] = {
    "xla": ("XLA_FLAGS", "JAX_PLATFORMS"),
    "fused": ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"),
}
PATIENCE: Final = 300.0  # seconds for a trial in a process of its own
ELSEWHERE: Final = "/var/tmp"  # noqa: S108 - on another disk than TMPDIR, often
COMPLAINT: Final = re.compile(r"error:|denied|not found|no such|cannot|failed", re.I)


def switched_off(name: str) -> str | None:
    """The reason where a variable of the environment makes the engine what it is not."""
    for switch in SWITCHES.get(name, ()):
        if os.environ.get(switch, "").lower() not in ("", "0", "false", "off"):
            return f"{BROKEN}{switch} is set, with which it would be another engine; unset it"
    return None


@functools.cache
def perished(name: str, device: str) -> str | None:
    """The reason where the library ends a process, asked of one that may."""
    if not any(os.environ.get(peril) for peril in PERILS.get(name, ())):
        return None
    code = "import sys; from zipnet.engines import kind, trial; "
    code += "print(trial.failure(kind(sys.argv[1]), sys.argv[2]) or '')"
    home = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, name, device], env={**os.environ, "PYTHONPATH": paths},
            capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{BROKEN}its first step is not done after {PATIENCE:g} s"
    if done.returncode == 0:
        return done.stdout.strip() or None
    how = f"code {done.returncode}"
    if done.returncode < 0:
        how = answer(lambda: signal.Signals(-done.returncode).name) or how
    told = done.stderr.strip().splitlines() or [""]
    last = next((line for line in told if "Unknown flag" in line), told[-1])
    return f"{BROKEN}its library ends the process ({how}): {_without_paths(last)}"


@functools.cache
def failure(engine: type[Engine], device: str) -> str | None:
    """None where the engine takes a step on the device, otherwise the reason, for a person.

    Where that may be for want of a folder for compiled code, it is tried with an empty one.
    """
    reason = _step(engine, device)
    if reason is None or not engine.folders or device.partition(":")[0] not in ("cpu", "cuda"):
        return reason
    folder = tempfile.mkdtemp(prefix="zipnet-", dir=ELSEWHERE if Path(ELSEWHERE).is_dir() else None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    before = {name: os.environ.get(name) for name in engine.folders}
    os.environ.update(dict.fromkeys(engine.folders, folder))
    inductor = sys.modules.get("torch._inductor.utils")
    answer(lambda: inductor and inductor.clear_caches())  # it remembers where it compiled
    if _step(engine, device) is None:
        note(f"engine {engine.name} compiles in a temporary folder, because it {reason}")
        return None
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return reason


def _step(engine: type[Engine], device: str) -> str | None:
    digit = np.zeros((1, 1, paper.IMAGE_SIDE, paper.IMAGE_SIDE), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            subject = engine(KARPATHY_1989, device)
            subject.claim()
            subject.load(Params.init(0))
            placed = subject.place(digit, np.full((1, paper.CLASSES), -1.0, np.float32), 1)
            subject.prepare(placed)
            loss = subject.numpy(subject.run(placed))
        except Exception as error:  # each library raises what it likes
            return BROKEN + _told(error)
    return None if np.isfinite(loss).all() else f"{BROKEN}the loss of its first step is {loss[0]}"


def _told(error: Exception) -> str:
    """What an error says, in a line: its first one, and the first below it that complains."""
    first, *more = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    more = [line for line in more if COMPLAINT.search(line)][:1]
    return _without_paths(": ".join(filter(None, (type(error).__name__, first, *more))))


def _without_paths(text: str) -> str:
    return one_line(re.sub(r"(?:~|\.|\w:)?(?:[/\\][\w.+@~-]+)*[/\\]([\w.+@-]+)", r"\1", text), 200)
