"""A choice of families of terms: the couplings that a flow follows, and their sums S_α."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.spin_terms import Shape, spin_terms
from intertwine.spaces.lattice import Lattice

Families = tuple[str | Shape, ...]


def as_families(couplings: str | Iterable[str | Shape]) -> Families:
    """One name, or several names and shapes of `spin_terms`, as a tuple.

    >>> as_families("nearest"), as_families(["nearest", "next"])
    (('nearest',), ('nearest', 'next'))
    """
    return (couplings,) if isinstance(couplings, str) else tuple(couplings)


def family_names(lattice: Lattice, families: Families) -> tuple[str, ...]:
    """The names of families on a lattice. Raises InputError for none, for one that occurs twice, and for
    those that the lattice has no room for.

    >>> from intertwine.spaces.lattices import Square
    >>> family_names(Square(4, 4), ("nearest", ((0, 0), (0, 1), (1, 2))))
    ('nearest', '0,0/0,1/1,2')
    """
    names = tuple(spin_terms(lattice, family).name for family in families)
    if not names or len(set(names)) < len(names):
        raise fail("couplings", "one or more families, each once", ", ".join(names) or "none")
    return names


def family_sums(spins: np.ndarray, lattice: Lattice, families: Families) -> Float[np.ndarray, "n k"]:
    """S_α of spins ±1 int8 (n, N), for every family.

    >>> from intertwine.spaces.lattices import Square
    >>> family_sums(np.ones((1, 16), np.int8), Square(4, 4), ("nearest", "field"))
    array([[32., 16.]])
    """
    from intertwine.rg.terms.operators import measure

    return measure(spins, lattice, families, ())[0]


def ising_of(lattice: Lattice, families: Families, couplings: ArrayLike) -> Ising:
    """The model with these couplings, (n,).

    >>> from intertwine.spaces.lattices import Square
    >>> ising_of(Square(4, 4), ("nearest", "plaquette"), [0.3, 0.1]).couplings
    {'nearest': 0.3, 'field': 0.0, 'plaquette': 0.1}
    """
    return Ising.of(lattice, dict(zip(families, np.asarray(couplings, float).tolist(), strict=True)))
