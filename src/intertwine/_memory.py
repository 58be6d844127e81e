"""How much memory there is, and an error before anything is allocated where more is needed.

What counts is the smallest of: the machine's memory, the limits of the control groups (containers, batch
systems) that this process is in, and the limit on its address space (`ulimit -v`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from intertwine._checks import fail


def available_memory() -> int:
    """Bytes that this process may use.

    >>> available_memory() > 2**20
    True
    """
    return min([_physical(), *control_groups(), *_address_space()])


def check_memory(needed: float, remedy: str, argument: str = "memory") -> None:
    """Raise `InputError` where `needed` bytes are more than there are.

    >>> check_memory(2**60, "take less")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: memory: expected what fits in the ... of this machine, got what needs about
    1073741824 GiB; take less.
    """
    there = available_memory()
    if needed > there:
        expected = f"what fits in the {in_words(there)} of this machine"
        raise fail(argument, expected, f"what needs about {in_words(needed)}", remedy)


def in_words(amount: float) -> str:
    """An amount of memory in words.

    >>> in_words(3 * 2**30), in_words(5.6e6), in_words(100)
    ('3.0 GiB', '5 MiB', '1 MiB')
    """
    gib = amount / 2**30
    if gib >= 1:
        return f"{gib:.1f} GiB" if gib < 100 else f"{gib:.0f} GiB"
    return f"{max(1, round(amount / 2**20))} MiB"


def control_groups(root: Path = Path("/")) -> Iterator[int]:
    """The limits in bytes of the control groups of this process (both versions of them) and of those above.

    root: where `proc` and `sys` are.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    mounted = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, group = [*line.split(":", 2), "", ""][:3]
        for place, name, kind in (
            (mounted, "memory.max", ""),
            (mounted / "unified", "memory.max", ""),
            (mounted / "memory", "memory.limit_in_bytes", "memory"),
        ):
            if kind in controllers.split(","):
                yield from _limits(place, group.strip("/"), name)


def _limits(place: Path, group: str, name: str) -> Iterator[int]:
    """What the files called `name` say, from the group up to the root of its tree."""
    parts = group.split("/") if group else []
    for depth in range(len(parts), -1, -1):
        try:
            word = place.joinpath(*parts[:depth], name).read_text().strip()
        except OSError:
            continue
        if word.isdecimal() and int(word) > 0:
            yield int(word)


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 1 << 36


def _address_space() -> list[int]:
    try:
        import resource
    except ImportError:  # Windows
        return []
    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return [limit for limit in limits if limit != resource.RLIM_INFINITY]
