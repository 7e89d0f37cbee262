"""The nonlinearities and their slopes, on one float32. `relu` is known when a kernel compiles."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from zipnet.fused_cuda.cuda_compiling import inlined

# numba takes a bare literal for float64, and a GPU is slow at that.
ZERO: Final[Any] = np.float32(0)
ONE: Final[Any] = np.float32(1)
TWO: Final[Any] = np.float32(2)


@inlined
def activate(a: Any, relu: bool) -> Any:
    """tanh, or the positive part; a NaN stays one, so that divergence shows."""
    if relu:
        return ZERO if a < ZERO else a
    return math.tanh(a)


@inlined
def slope(h: Any, relu: bool) -> Any:
    """Derivative of activate(), from its result h."""
    if relu:
        return ONE if h > ZERO else ZERO
    return ONE - h * h
