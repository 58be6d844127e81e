"""Where the sites of a system are: what a Hilbert space and a Hamiltonian ask of a lattice or a graph."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int32


@runtime_checkable
class Place(Protocol):
    """Sites with bonds: a `Lattice`, a `Graph`. Hashable, so that it is static under `jax.jit`."""

    @property
    def size(self) -> int:
        """The number of sites."""
        ...

    @property
    def name(self) -> str: ...

    def bonds(self, shell: int = 1) -> Int32[np.ndarray, "B 2"]:
        """The pairs of `shell`-th neighbours, each once."""
        ...
