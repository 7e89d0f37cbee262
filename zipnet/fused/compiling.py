"""How the functions of this package are compiled: typed names for numba's decorators.

`kernel` is for the parts of a step: compiled into whoever calls them, never stored alone. `inlined`
is for the few-line helpers inside their loops. `entry` is for what Python calls: its machine code
is kept on disk, and it releases the GIL, so that threads are all it takes to use every core.

None of them uses fast-math: floating-point operations happen in the order written, and
multiply-adds are fused where `fma` is written and nowhere else. So a run repeats bit for bit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast


def _load_numba() -> None:
    """Load numba without scipy.linalg, which it would load only to see whether it could.

    That takes a quarter of a warm start, and nothing here multiplies matrices through BLAS.
    """
    hide = "scipy.linalg" not in sys.modules
    if hide:
        sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        if hide:
            del sys.modules["scipy.linalg"]


_load_numba()

from numba import extending, njit  # noqa: E402

Function = TypeVar("Function", bound=Callable[..., Any])


def primitive(function: Callable[..., Any]) -> Any:
    """Declare an operation by the LLVM instructions that it becomes (see `lanes`)."""
    return extending.intrinsic(function)


def sized(function: Callable[..., Any]) -> Any:
    """Declare a primitive that is told how many lanes to make by a literal integer."""
    return extending.intrinsic(prefer_literal=True)(function)


def kernel(function: Function) -> Function:
    """Compile `function` into its callers."""
    return _compiled(function, no_cpython_wrapper=True)


def inlined(function: Function) -> Function:
    """Compile a helper of a few lines into the very loop that uses it."""
    return _compiled(function, no_cpython_wrapper=True, forceinline=True)


def entry(function: Function) -> Function:
    """Compile a function that Python calls: cached on disk, running without the GIL."""
    return _compiled(function, nogil=True, cache=True)


def _compiled(function: Function, **options: Any) -> Function:
    return cast(Function, njit(error_model="numpy", **options)(function))


def chosen(stub: Callable[..., Any]) -> Callable[[Function], Function]:
    """Let the decorated function pick the implementation of `stub` from its arguments' types."""
    options: Any = {"error_model": "numpy", "forceinline": True}
    return cast(
        Callable[[Function], Function],
        extending.overload(stub, jit_options=options, strict=False),
    )
