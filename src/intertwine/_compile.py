"""How host kernels are compiled: one decorator around numba, so that options are chosen in one place.

Kernels release the interpreter lock and are cached on disk. `FAST` lets LLVM reorder sums and products (so that they
use vector lanes) but keeps infinities and NaN, on which the overflow guards rely. A machine without any writable cache
directory compiles anew in each process instead of failing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

FAST = {"reassoc", "contract", "nsz", "arcp"}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on first use, cached on disk where a cache can be written.

    >>> @kernel
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": FAST, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except (RuntimeError, OSError):  # no cache locator: nothing writable
        return numba.njit(**options)(function)
