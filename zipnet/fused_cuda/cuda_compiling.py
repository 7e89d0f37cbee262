"""How the functions of this package are compiled: typed names for numba-cuda's decorators.

`kernel` is what Python launches; `inlined` is compiled into its callers, and only a function that
a kernel calls directly may use `cuda` itself, because numba's simulator lends it to one module at a
time. No fast-math: operations happen in the order written, and the compiler may only fuse a
multiplication with the addition that uses it. So a run repeats bit for bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba_cuda  # noqa: F401 - numba's own, older CUDA target would answer in its place
import numpy as np
from numba import cuda
from numba.core.errors import NumbaPerformanceWarning

THREADS: Final = 384
"""Of a block: twelve warps, three for each of a multiprocessor's four schedulers."""

Function = TypeVar("Function", bound=Callable[..., Any])

SIMULATED: Final[bool] = bool(cuda.config.ENABLE_CUDASIM)
"""Whether numba runs kernels as Python threads on the CPU: for tests, NUMBA_ENABLE_CUDASIM=1."""

at: Final = np.uint64
"""a[at(i)] is a[i] for an i that is never negative: Python's check for that would cost a compare
and a select at every access."""

# A launch of few blocks leaves multiprocessors idle, and numba advises against it. Here that is
# the design: one training has one chain of steps, and one multiprocessor holds all of it.
warnings.filterwarnings("ignore", message="Grid size", category=NumbaPerformanceWarning)


def inlined(function: Function) -> Function:
    """Compile a function into the kernels that use it."""
    options: Any = {"device": True} if SIMULATED else {"device": True, "forceinline": True}
    return cast(Function, cuda.jit(**options)(function))


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that Python launches: kernel[blocks, THREADS, stream, bytes](...).

    The bound on threads keeps the registers of a block within those of a multiprocessor.
    """
    return cuda.jit(**({} if SIMULATED else {"launch_bounds": THREADS}))(function)
