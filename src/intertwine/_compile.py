"""How host kernels are compiled: one place around numba.

Kernels release the interpreter lock and are cached on disk. `FAST` lets LLVM reorder sums and products (so that they
use vector lanes) but keeps infinities and NaN, on which the overflow guards rely. A machine without any writable cache
directory compiles anew in each process instead of failing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

FAST = {"reassoc", "contract", "nsz", "arcp"}
_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": FAST, "error_model": "numpy"}


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that only kernels call: no entry from Python, kept in its callers' caches."""
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)(function)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on first use, cached on disk where a cache can be written.

    >>> @kernel
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except (RuntimeError, OSError):  # no directory for the cache
        return numba.njit(**_OPTIONS)(function)
