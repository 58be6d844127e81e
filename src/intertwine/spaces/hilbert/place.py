"""Where the sites of a system are: what a Hilbert space and a Hamiltonian ask of a lattice or a graph."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int32

from intertwine._checks import InputError
from intertwine.symmetry import PermutationGroup


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


def space_group_of(place: object) -> PermutationGroup | None:
    """The symmetries of the sites of a place, listed; None where it has none to tell, as a graph whose
    automorphisms are too many to list."""
    try:
        return getattr(place, "space_group", None)
    except InputError:
        return None
