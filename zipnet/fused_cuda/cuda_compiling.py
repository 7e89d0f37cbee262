"""From the kernels' CUDA C++ to machine code, by NVRTC, the compiler that CUDA has as a library.

What a kernel must know when it is compiled is written in front of its source: the layout, the
choices of a recipe, constants of the network and of AdamW. No GPU is needed for any of it.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from cuda.bindings import nvrtc
from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib

from zipnet import paper
from zipnet.atomic import replacing
from zipnet.data.surroundings import cache_folder
from zipnet.errors import UserError, one_line
from zipnet.fused_cuda.cuda_layout import NUMBERS, shared_bytes
from zipnet.recipe import Activation, Loss, Optimizer, Output
from zipnet.reference import BETA1, BETA2, EPSILON

LEARNERS: Final = 2
"""Trainings that one multiprocessor shall hold: with so many, each thread has 80 registers."""
FOLDER: Final = Path(__file__).parent
_FLOATS: Final = {
    "BACKGROUND": paper.BACKGROUND,
    "OLD_MEAN": BETA1,
    "NEW_MEAN": 1 - BETA1,
    "OLD_SQUARE": BETA2,
    "NEW_SQUARE": 1 - BETA2,
    "LOG_BETA1": math.log(BETA1),
    "LOG_BETA2": math.log(BETA2),
    "EPSILON": EPSILON,
}


@dataclass(frozen=True)
class KernelChoices:
    """Fields of a Recipe, and whether a step is one presentation: fixed when compiling."""

    activation: Activation = "tanh"
    output: Output = "tanh"
    loss: Loss = "mse"
    optimizer: Optimizer = "sgd"
    one_by_one: bool = True

    @property
    def at_once(self) -> bool:
        """Whether weights move as soon as their gradients are known, which are then not kept."""
        return self.one_by_one and self.optimizer == "sgd"

    @cached_property
    def shared_bytes(self) -> int:
        """Shared memory that a thread block asks for."""
        return shared_bytes(gradients=not self.at_once)


def compiler_missing() -> str | None:
    """None where NVRTC is here, in a wheel or in a CUDA toolkit; otherwise the remedy."""
    major = version("cuda-bindings").partition(".")[0]
    with suppress(DynamicLibNotFoundError):
        load_nvidia_dynamic_lib("nvrtc")
        return None
    # It looks where CUDA_HOME says, and at what the process has loaded already.
    for path in _toolkits(f"libnvrtc.so.{major}"):
        with suppress(DynamicLibNotFoundError, OSError):
            ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
            load_nvidia_dynamic_lib("nvrtc")
            return None
    return (
        f"no libnvrtc of CUDA {major} is found: pip install 'nvidia-cuda-nvrtc=={major}.*', or "
        "cuda-bindings of the CUDA that torch has"
    )


def _toolkits(library: str) -> Iterator[Path]:
    """Where the toolkit of the nvcc on the path has it; nvcc may be a link or a script."""
    nvcc = shutil.which("nvcc")
    if nvcc is not None:
        asked = [nvcc, "--dryrun", "-x", "cu", os.devnull]
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stderr
        for top in re.findall(r"^#\$ TOP=(.+)$", told, re.MULTILINE):
            for folder in ("lib64", "lib", "targets/*/lib"):
                yield from Path(top).resolve().glob(f"{folder}/{library}")


def source(choices: KernelChoices) -> str:
    """The kernels for single digits or for batches, after what is fixed when compiling."""
    switches = {
        "RELU": choices.activation == "relu",
        "FLAT": choices.output == "identity",
        "CROSS_ENTROPY": choices.loss == "cross_entropy",
        "ADAMW": choices.optimizer == "adamw",
        "AT_ONCE": choices.at_once,
    }
    floats = dict(_FLOATS)
    for where, function in (("", choices.activation), ("OUT_", choices.output)):
        scaled = function == "scaled_tanh"
        floats[f"{where}AMPLITUDE"] = paper.AMPLITUDE if scaled else 1.0
        floats[f"{where}STEEPNESS"] = paper.STEEPNESS if scaled else 1.0
    numbers = NUMBERS | {"LEARNERS": LEARNERS if switches["AT_ONCE"] else 1}
    lines = [
        *(f"constexpr int {name} = {value};" for name, value in numbers.items()),
        *(f"constexpr bool {name} = {str(value).lower()};" for name, value in switches.items()),
        *(f"constexpr float {name} = {float(value)!r};" for name, value in floats.items()),
        f'#include "{"kernels" if choices.one_by_one else "batches"}.cu"',
    ]
    return "\n".join(lines)


@cache
def compiled(choices: KernelChoices, target: str) -> bytes:
    """Machine code of the kernels for a target such as sm_90, or PTX for one such as compute_90.

    It takes seconds, so it is kept among zipnet's caches where there are any. Raises UserError with
    the compiler's words where it fails.
    """
    missing = compiler_missing()
    if missing is not None:
        raise UserError(missing)
    parts = [*map(str, checked(nvrtc.nvrtcVersion())), target, source(choices)]
    parts += [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.cu*"))]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    with suppress(ImportError, OSError):  # a cache is a convenience
        kept = cache_folder() / "cuda" / key
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            code = _compile(choices, target)
            with replacing(kept) as file:
                file.write(code)
            return code
        return kept.read_bytes()
    return _compile(choices, target)


def _compile(choices: KernelChoices, target: str) -> bytes:
    program = checked(nvrtc.nvrtcCreateProgram(source(choices).encode(), b"zipnet.cu", 0, [], []))
    options = [f"--gpu-architecture={target}", "--std=c++17", f"--include-path={FOLDER}"]
    outcome = nvrtc.nvrtcCompileProgram(program, len(options), [o.encode() for o in options])[0]
    if outcome != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        log = b" " * checked(nvrtc.nvrtcGetProgramLogSize(program))
        checked(nvrtc.nvrtcGetProgramLog(program, log))
        raise UserError(f"NVRTC cannot compile for {target}: {one_line(log.decode(), 300)}")
    size, get = (
        (nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN)
        if target.startswith("sm_")
        else (nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX)
    )
    code: bytes = b" " * checked(size(program))
    checked(get(program, code))
    checked(nvrtc.nvrtcDestroyProgram(program))
    return code


def target_for(capability: tuple[int, int]) -> str:
    """What to compile for: the GPU itself, or for one newer than this NVRTC the newest it knows.

    The driver then translates the newest's PTX.
    """
    known = checked(nvrtc.nvrtcGetSupportedArchs())
    number = 10 * capability[0] + capability[1]
    return f"sm_{number}" if number in known else f"compute_{max(n for n in known if n <= number)}"


def checked(answer: tuple[Any, ...]) -> Any:
    """What a call of CUDA's returned beside its code; raises RuntimeError for any but success."""
    code, *values = answer
    if code.value:
        raise RuntimeError(f"CUDA reports {code.name}")
    return values[0] if len(values) == 1 else values
