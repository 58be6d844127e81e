"""How host kernels are compiled: one place around numba.

Kernels release the interpreter lock and are cached on disk. `FAST` lets LLVM reorder sums and products (so
that they use vector lanes) but keeps infinities and NaN, on which the overflow guards rely. A machine
without any writable cache directory compiles anew in each process instead of failing.

What a run does not need is not compiled: a kernel's argument is None where, say, there is no pair coupling,
and numba drops the branches under `if coupling is not None` before it looks at them. Complex units are a
flag of that kind (`COMPLEX` or None), so that one source serves real and complex tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

FAST = {"reassoc", "contract", "nsz", "arcp"}
_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": FAST, "error_model": "numpy", "no_cfunc_wrapper": True}

COMPLEX = True
"""The flag of complex units; real ones have None."""


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that only kernels call: no entry from Python, kept in its callers' caches."""
    options: Any = _OPTIONS | {"no_cpython_wrapper": True}
    return numba.njit(**options)(function)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on first use, cached on disk where a cache can be written.

    >>> @kernel
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    return _cached(function, _OPTIONS)


def ordered_kernel(function: Callable[..., Any]) -> Any:
    """As `kernel`, for arithmetic whose order matters: sums are not rearranged."""
    return _cached(function, _OPTIONS | {"fastmath": {"contract"}})


def _cached(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    try:
        return numba.njit(cache=True, **options)(function)
    except (RuntimeError, OSError):  # no directory for the cache
        return numba.njit(**options)(function)
