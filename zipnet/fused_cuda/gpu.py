"""The GPU that kernels run on: whether it will do, how kernels get there, how they are launched.

A block gets 48 kB of shared memory for the asking; more is there (64 kB on Turing, 99 to 227 kB
since), but each kernel has to opt in to it. CUDA C++ Programming Guide, "Compute Capabilities";
cuFuncSetAttribute in the CUDA Driver API. Memory, the context and the stream are torch's, so that
launches and torch's copies happen in the order in which they were asked for.
"""

from __future__ import annotations

from ctypes import Structure, addressof, c_void_p
from functools import cache
from typing import Any, Final

import torch
from cuda.bindings import driver

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


class Arguments(Structure):
    """What a kernel takes, by name and in its order; CUDA reads it while a launch is asked for.

    Made once and changed from launch to launch, because packing a dozen arguments anew takes the
    host longer than the launch.
    """

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        places = [addressof(self) + getattr(type(self), field[0]).offset for field in self._fields_]
        self._pointers = (c_void_p * len(places))(*places)
        self.address = addressof(self._pointers)


@cache
def blocks_at_once(choices: KernelChoices) -> int:
    """How many blocks that learn this GPU holds at a time, as the driver counts them."""
    function = _function("learn" if choices.one_by_one else "slice", choices)
    count = driver.cuOccupancyMaxActiveBlocksPerMultiprocessor
    each = checked(count(function, THREADS, choices.shared_bytes))
    return int(each) * torch.cuda.get_device_properties(DEVICE).multi_processor_count


def wait() -> None:
    """Return when every launch has finished."""
    devices.synchronize(DEVICE)


def launch(name: str, choices: KernelChoices, grid: tuple[int, int], arguments: Arguments) -> None:
    """Ask for a kernel; it runs after what was asked for before, and nobody waits for it."""
    function, stream = _function(name, choices), torch.cuda.current_stream(DEVICE).cuda_stream
    size = (*grid, 1, THREADS, 1, 1, choices.shared_bytes)
    checked(driver.cuLaunchKernel(function, *size, stream, arguments.address, 0))


@cache
def _function(name: str, choices: KernelChoices) -> Any:
    """The kernel, loaded and opted in to its shared memory."""
    function = checked(driver.cuModuleGetFunction(_module(choices), name.encode()))
    most = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    checked(driver.cuFuncSetAttribute(function, most, choices.shared_bytes))
    return function


@cache
def _module(choices: KernelChoices) -> Any:
    """The kernels, on the GPU; torch makes its context the current one."""
    torch.zeros(1, device=DEVICE)
    code = compiled(choices, target_for(torch.cuda.get_device_capability(DEVICE)))
    return checked(driver.cuModuleLoadData(code))
