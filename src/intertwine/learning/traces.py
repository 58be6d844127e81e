"""How often JAX traced and compiled inside a block: a loop that retraces is a bug, and a test counts it.

with count_traces() as traces:
    ...
assert traces.compiled == 0
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import jax

_TRACED = "/jax/core/compile/jaxpr_trace_duration"
_COMPILED = "/jax/core/compile/backend_compile_duration"


@dataclass
class Traces:
    """traced: functions traced, by name in order; compiled: programs compiled, by name in order."""

    traced_names: list[str] = field(default_factory=list)
    compiled_names: list[str] = field(default_factory=list)

    @property
    def traced(self) -> int:
        return len(self.traced_names)

    @property
    def compiled(self) -> int:
        return len(self.compiled_names)


@contextmanager
def count_traces() -> Iterator[Traces]:
    """Counts every trace and compilation of this process while the block runs.

    >>> import jax
    >>> square = jax.jit(lambda x: x * x)
    >>> with count_traces() as traces:
    ...     _ = square(2.0), square(3.0)
    >>> traces.compiled
    1
    """
    counts = Traces()

    def listen(event: str, duration_secs: float, **details: str | int) -> None:
        if event == _TRACED:
            counts.traced_names.append(str(details.get("fun_name")))
        elif event == _COMPILED:
            counts.compiled_names.append(str(details.get("fun_name")))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield counts
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
