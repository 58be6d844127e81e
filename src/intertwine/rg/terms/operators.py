r"""The operators of Monte Carlo renormalization: even and odd sums over a configuration.

    spins ±1       even  S_α = Σ Π s  of an even number of spins,     odd  of an odd number
    Potts states   even  Σ_a n_α(a),                                   odd  n_α(a) − (1/q) Σ_b n_α(b)

n_α(a) being the number of terms of the family α whose sites are all in state a. The even operators keep every
permutation of the states; the odd ones, one for each a, are a vector of the symmetric group S_q (for q = 2 a
single sign), so that sums over a of products of two of them are invariant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int8

from intertwine._checks import fail
from intertwine.models.spins.spin_terms import EVEN, ODD, spin_terms
from intertwine.rg.terms.host_terms import equal_sums, product_sums
from intertwine.spaces.lattice import Lattice

POTTS_EVEN = ("nearest", "next", "corner", "plaquette", "third")
POTTS_ODD = ("field", "nearest", "next", "corner", "plaquette")
"""The families of Potts spins, in the order in which couplings are added."""

_TRIED = 64
"""Configurations drawn to see whether sums depend on each other."""


def default_families(
    lattice: Lattice, couplings: int, states: int | None
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The first `couplings` even and odd families, of those that there are.

    Raises InputError where there are not as many even ones.
    """
    even, odd = (EVEN, ODD) if states is None else (POTTS_EVEN, POTTS_ODD)
    if lattice.dimension == 1:
        flat = ("nearest", "next", "third", "shell:4", "shell:5")
        even, odd = (flat, ("field", "row")) if states is None else (flat, ("field", *flat))
    if couplings > len(even):
        known = ", ".join(even)
        raise fail("couplings", f"at most {len(even)} ({known})", couplings, "or a tuple of families")
    return even[:couplings], odd[:couplings]


def dependent(
    lattice: Lattice, even: tuple[Any, ...], odd: tuple[Any, ...], states: int | None = None
) -> str:
    """Which family has sums on `lattice` that those before it, and a constant, already say; "" for none.
    Raises InputError where the lattice has no room for one.

    >>> from intertwine.spaces.lattices import Square
    >>> dependent(Square(3, 3), ("nearest", "next", "third"), ("field",))
    "the sums of 'third' depend on those of 'nearest', 'next' on square:3x3"
    >>> dependent(Square(4, 4), ("nearest", "next", "third"), ("field",))
    ''
    """
    drawn = np.random.default_rng(0).integers(0, states or 2, (_TRIED, lattice.size), dtype=np.int8)
    sums, vectors = measure(drawn if states else 2 * drawn - 1, lattice, even, odd, states)
    apart = vectors.swapaxes(1, 2).reshape(len(drawn) * vectors.shape[2], len(odd))
    for names, columns in ((even, sums - sums.mean(0)), (odd, apart)):
        for k, name in enumerate(names):
            table = columns[:, : k + 1] / np.maximum(np.linalg.norm(columns[:, : k + 1], axis=0), 1e-300)
            if np.linalg.svd(table, compute_uv=False)[-1] < 1e-8:
                before = ", ".join(repr(other) for other in names[:k]) or "nothing"
                return f"the sums of {name!r} depend on those of {before} on {lattice.name}"
    return ""


def measure(
    rows: Int8[np.ndarray, "n N"],
    lattice: Lattice,
    even: tuple[Any, ...],
    odd: tuple[Any, ...],
    states: int | None = None,
) -> tuple[Float[np.ndarray, "n e"], Float[np.ndarray, "n o q"]]:
    """Even and odd operators of configurations (n, N), summed over the lattice: float64 (n, e) and (n, o, 1),
    or (n, o, q) of Potts states.

    >>> from intertwine.spaces.lattices import Square
    >>> even, odd = measure(np.ones((1, 16), np.int8), Square(4, 4), ("nearest", "next"), ("field",))
    >>> even.tolist(), odd.tolist()
    ([[32.0, 32.0]], [[[16.0]]])
    """
    if states is None:
        found = [product_sums(rows, spin_terms(lattice, name).sites) for name in (*even, *odd)]
        table = np.stack(found, 1) if found else np.zeros((len(rows), 0))
        return table[:, : len(even)], table[:, len(even) :, None]
    counts = {
        name: equal_sums(rows, spin_terms(lattice, name).sites, states)
        for name in dict.fromkeys((*even, *odd))
    }
    vectors = np.stack([counts[name] for name in odd], 1) if odd else np.zeros((len(rows), 0, states))
    return np.stack([counts[name].sum(1) for name in even], 1), vectors - vectors.mean(-1, keepdims=True)
