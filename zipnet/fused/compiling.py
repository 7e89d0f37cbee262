"""How the functions of this package are compiled: typed names for numba's decorators.

`kernel` is for the parts of a step: compiled into whoever calls them, never stored alone. `inlined`
is for the few-line helpers inside their loops. `entry` is for what Python calls: its machine code
is kept on disk, and it releases the GIL, so that threads are all it takes to use every core.

None of them uses fast-math: floating-point operations happen in the order written, and
multiply-adds are fused where `fma` is written and nowhere else. So a run repeats bit for bit.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from zipnet.errors import answer, note


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
from numba.core import caching  # noqa: E402

Function = TypeVar("Function", bound=Callable[..., Any])

# C calls none of these functions: wrappers for it would be compiled in vain, one for each.
OPTIONS: Any = {"error_model": "numpy", "no_cfunc_wrapper": True}


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
    compiled: Any = _compiled(function, nogil=True)
    compiled._cache = Kept(function)
    return cast(Function, compiled)


class Kept:
    """numba's cache on disk, which saves time where it can and stops nothing where it cannot.

    No folder may be there to write to, the disk may be full, a file damaged: then the function is
    compiled in memory, and a person is told once. Machine code is run only if it hashes to what
    was written beside it.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._reason = "no cache folder can be written"
        self._cache: Any = caching.NullCache()
        if (found := answer(lambda: caching.FunctionCache(function))) is not None:
            self._reason, self._cache = "", found
            found._cache_file.__class__ = _Hashed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """The machine code, or None where there is none that can be trusted."""
        try:
            return self._cache.load_overload(signature, context)
        except Exception:  # pickle raises what it likes
            answer(self._cache.flush)  # an index that cannot be read is never written either
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep the machine code for the next process."""
        try:
            self._cache.save_overload(signature, compiled)
        except Exception as error:
            self._reason = getattr(error, "strerror", None) or type(error).__name__
        if self._reason:
            _not_kept(self._reason)


class _Hashed(caching.IndexDataCacheFile):
    """Files of machine code that begin with their hash."""

    def _save_data(self, name: str, data: Any) -> None:
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def _load_data(self, name: str) -> Any:
        written = Path(self._data_path(name)).read_bytes()
        if hashlib.sha256(written[32:]).digest() != written[:32]:
            raise ValueError("damaged")
        return pickle.loads(written[32:])  # noqa: S301 - our own, as numba itself trusts it


@functools.cache  # said once
def _not_kept(reason: str) -> None:
    note(
        f"the fused kernel cannot be kept ({reason}) and is compiled anew in each process; "
        "set NUMBA_CACHE_DIR to a folder with room"
    )


def _compiled(function: Function, **options: Any) -> Function:
    return cast(Function, njit(**OPTIONS, **options)(function))


def chosen(stub: Callable[..., Any]) -> Callable[[Function], Function]:
    """Let the decorated function pick the implementation of `stub` from its arguments' types."""
    options: Any = {**OPTIONS, "no_cpython_wrapper": True, "forceinline": True}
    return cast(
        Callable[[Function], Function],
        extending.overload(stub, jit_options=options, strict=False),
    )
