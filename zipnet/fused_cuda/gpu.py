"""The GPU that kernels run on: whether it will do, how kernels get there, how they are launched.

A block gets 48 kB of shared memory for the asking; more is there (64 kB on Turing, 99 to 227 kB
since), but each kernel has to opt in to it. CUDA C++ Programming Guide, "Compute Capabilities";
cuFuncSetAttribute in the CUDA Driver API. Memory, the context and the stream are torch's, so that
launches and torch's copies happen in the order in which they were asked for.
"""

from __future__ import annotations

from ctypes import c_float, c_int, c_void_p
from functools import cache
from typing import Any, Final

import torch
from cuda.bindings import driver
from torch import Tensor

from zipnet import devices
from zipnet.errors import one_line
from zipnet.fused_cuda.cuda_compiling import (
    KernelChoices,
    checked,
    compiled,
    compiler_missing,
    target_for,
)
from zipnet.fused_cuda.cuda_layout import SHARED_BYTES, THREADS

OLDEST: Final = (7, 5)
"""Compute capability of the oldest GPUs that today's CUDA compiles for: Turing, 2018."""
DEVICE: Final = torch.device("cuda:0")
"""The first GPU; CUDA_VISIBLE_DEVICES chooses which that is."""

C_TYPES: Final[dict[type, Any]] = {Tensor: c_void_p, int: c_int, float: c_float}


def why_not() -> str | None:
    """None where the GPU can run the kernels; otherwise why not, for a person.

    A kernel is compiled and loaded: a compiler newer than the driver fails only there.
    """
    missing = compiler_missing()
    if missing is not None:
        return missing
    try:
        most = driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
        offered = checked(driver.cuDeviceGetAttribute(most, checked(driver.cuDeviceGet(0))))
        short = lacking(torch.cuda.get_device_capability(DEVICE), offered)
        if short is None:
            _function("learn", KernelChoices())
    except (RuntimeError, ValueError, ImportError) as error:
        return f"its kernels do not load on this GPU: {one_line(str(error), 200)}"
    return short


def lacking(capability: tuple[int, int], shared_bytes: int) -> str | None:
    """What a GPU lacks that offers a block so much shared memory; None if nothing."""
    if capability < OLDEST:
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


def blocks_at_once() -> int:
    """How many trainings this GPU holds at a time: a block each, as the driver counts them."""
    each = checked(
        driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(
            _function("learn", KernelChoices()), THREADS, SHARED_BYTES
        )
    )
    return int(each) * torch.cuda.get_device_properties(DEVICE).multi_processor_count


def wait() -> None:
    """Return when every launch has finished."""
    devices.synchronize(DEVICE)


def launch(
    name: str, choices: KernelChoices, grid: tuple[int, int], *arguments: Tensor | int | float
) -> None:
    """Ask for a kernel; it runs after what was asked for before, and nobody waits for it."""
    values = tuple(a.data_ptr() if isinstance(a, Tensor) else a for a in arguments)
    types = tuple(C_TYPES[type(a)] for a in arguments)
    stream = torch.cuda.current_stream(DEVICE).cuda_stream
    function = _function(name, choices)
    block = (THREADS, 1, 1)
    checked(
        driver.cuLaunchKernel(function, *grid, 1, *block, SHARED_BYTES, stream, (values, types), 0)
    )


@cache
def _function(name: str, choices: KernelChoices) -> Any:
    """The kernel, loaded and opted in to its shared memory."""
    function = checked(driver.cuModuleGetFunction(_module(choices), name.encode()))
    most = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    checked(driver.cuFuncSetAttribute(function, most, SHARED_BYTES))
    return function


@cache
def _module(choices: KernelChoices) -> Any:
    """Both kernels, on the GPU; torch makes its context the current one."""
    torch.zeros(1, device=DEVICE)
    code = compiled(choices, target_for(torch.cuda.get_device_capability(DEVICE)))
    return checked(driver.cuModuleLoadData(code))
