"""The GPU that kernels run on: whether it will do, and what it must be told before a launch.

A block gets 48 kB of shared memory for the asking; more is there (64 kB on Turing, 99 to 227 kB
since), but each kernel has to opt in to it, which numba-cuda leaves to its user. CUDA C++
Programming Guide, "Compute Capabilities"; cuKernelSetAttribute in the CUDA Driver API.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib
from numba import cuda

from zipnet.errors import one_line
from zipnet.fused_cuda.cuda_compiling import SIMULATED
from zipnet.fused_cuda.cuda_layout import SHARED_BYTES

OLDEST: Final = (7, 5)
"""Compute capability of the oldest GPUs that today's CUDA compiles for: Turing, 2018."""
EACH: Final = 2
"""Blocks a multiprocessor at most, by registers: 80 a thread."""
RESERVED: Final = 1024
"""Bytes of shared memory that CUDA keeps for itself in each block, since Ampere."""


def why_not() -> str | None:
    """None where the current GPU can run the kernels; otherwise why not, for a person."""
    if SIMULATED:
        return None
    missing = compiler_missing()
    if missing is not None:
        return missing
    try:
        found = cuda.get_current_device()
        trial()
    except Exception as error:
        return f"numba-cuda cannot use this GPU: {one_line(str(error), 200)}"
    return lacking(found.compute_capability, found.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)


@cache
def trial() -> None:
    """Compile and launch the smallest kernel: a compiler newer than the driver fails only here."""

    @cuda.jit("void(float32[::1])")
    def add_one(numbers: Any) -> None:
        numbers[0] += 1

    add_one[1, 1](cuda.to_device(np.zeros(1, np.float32)))
    cuda.synchronize()


def compiler_missing() -> str | None:
    """Which of the libraries that numba-cuda compiles with is not here; None where all are."""
    for library in ("nvvm", "nvrtc"):
        try:
            load_nvidia_dynamic_lib(library)
        except DynamicLibNotFoundError:
            return f"numba-cuda finds no lib{library}: pip install 'numba-cuda[cu13]' (or [cu12])"
    return None


def lacking(capability: tuple[int, int], shared_bytes: int) -> str | None:
    """What a GPU lacks that offers a block so much shared memory; None if nothing."""
    if tuple(capability) < OLDEST:
        return (
            f"this GPU has compute capability {capability[0]}.{capability[1]}, "
            f"and it needs {OLDEST[0]}.{OLDEST[1]}"
        )
    if shared_bytes < SHARED_BYTES:
        return (
            f"it needs {SHARED_BYTES:,} bytes of shared memory in one thread block, "
            f"and this GPU offers {shared_bytes:,}"
        )
    return None


def name() -> str:
    """The device that arrays are placed on, in torch's spelling."""
    return f"cuda:{cuda.current_context().id if SIMULATED else cuda.get_current_device().id}"


def blocks_at_once() -> int:
    """How many trainings this GPU holds at a time: a block each."""
    if SIMULATED:
        return EACH
    found = cuda.get_current_device()
    fitting: int = found.MAX_SHARED_MEMORY_PER_MULTIPROCESSOR // (SHARED_BYTES + RESERVED)
    return max(1, min(EACH, fitting)) * int(found.MULTIPROCESSOR_COUNT)


def wait() -> None:
    """Return when every launch has finished."""
    cuda.synchronize()


@cache
def ready(kernel: Any, signature: Any) -> Any:
    """Return the kernel, compiled for the current GPU and opted in to its shared memory."""
    if not SIMULATED:
        allow_shared_memory(kernel.compile(signature).library.get_cufunc())
    return kernel


def allow_shared_memory(function: Any) -> None:
    """Let launches of a compiled function ask for SHARED_BYTES."""
    from numba.cuda.cudadrv.driver import binding, driver  # the simulator has no driver

    attribute = binding.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    driver.cuKernelSetAttribute(attribute, SHARED_BYTES, function.handle, function.device.id)
