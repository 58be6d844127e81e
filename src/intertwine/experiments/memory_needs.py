"""What every run holds in memory; `memory.py` of a command adds its own, a rough estimate in bytes made from
sizes alone, before anything is allocated. A run that needs more than there is, is refused in one line.
"""

from __future__ import annotations

import math

from intertwine._memory import check_memory

PROGRAM = 400 << 20
"""Python, JAX and their compiled programs."""


def refuse_beyond(needed: float, remedy: str) -> int:
    """The bytes that a run needs with its program; `InputError` where there is less."""
    total = math.ceil(needed) + PROGRAM
    check_memory(total, remedy)
    return total
