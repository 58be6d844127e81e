"""Threads for host work that releases the interpreter lock (compiled kernels, BLAS): one pool for the
library.

Work is cut into contiguous ranges; what a range computes never depends on the cut, so results do not depend
on the number of threads.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from intertwine._checks import positive_int

_limit: ContextVar[int | None] = ContextVar("intertwine_threads", default=None)


def available() -> int:
    """The number of threads used: the CPUs that this process may run on, or what `limit` says.

    >>> available() >= 1
    True
    """
    chosen = _limit.get()
    if chosen is not None:
        return chosen
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


@contextmanager
def limit(threads: int) -> Iterator[None]:
    """Use `threads` threads inside the `with` block.

    >>> with limit(1):
    ...     available()
    1
    """
    token = _limit.set(positive_int("threads", threads))
    try:
        yield
    finally:
        _limit.reset(token)


@functools.cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="intertwine")


def background(work: Callable[[], object]) -> Future:
    """Begin `work()` in a thread of its own, one such work after another.

    >>> background(lambda: 3).result()
    3
    """
    return _background().submit(work)


@functools.cache
def _background() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="intertwine-background")


@functools.cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def single_threaded_blas() -> AbstractContextManager:
    """A `with` block in which BLAS and LAPACK use one thread.

    OpenBLAS gains little from a second thread on factorisations of a thousand rows, and its threads spin
    while they wait: on a machine that does anything else, a call then takes ten times as long.

    >>> with single_threaded_blas():
    ...     pass
    """
    return _blas().limit(limits=1, user_api="blas")


def over_ranges(work: Callable[[int, int], object], total: int, pieces_per_thread: int = 1) -> None:
    """Call `work(start, stop)` on contiguous ranges that cover 0..total, in parallel; the caller works too.

    >>> seen = []
    >>> over_ranges(lambda start, stop: seen.extend(range(start, stop)), 5)
    >>> sorted(seen)
    [0, 1, 2, 3, 4]
    """
    threads = available()
    pieces = max(1, min(total, threads * pieces_per_thread if threads > 1 else 1))
    cuts = [total * i // pieces for i in range(pieces + 1)]
    if pieces == 1:
        work(0, total)
        return
    futures = [(i, _pool(threads - 1).submit(work, cuts[i], cuts[i + 1])) for i in range(1, pieces)]
    work(cuts[0], cuts[1])
    for i, future in reversed(futures):  # from the end that the workers come to last
        if future.cancel():  # no worker has begun it
            work(cuts[i], cuts[i + 1])
        else:
            future.result()
