r"""Heat bath of spins with any couplings of `spin_terms`, pairs or larger products:

    p(s) ∝ e^{Σ_α K_α S_α(s)},      p(s_i = ±1 | rest) ∝ e^{± ∂(K·S)/∂s_i}

site after site, compiled for the host. Local moves: near T_c the autocorrelation time grows as L^2.17, and
cluster samplers are the better choice where there are pairs only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import Array
from jaxtyping import Int8

from intertwine import _threads
from intertwine.models.spin_terms import Shape
from intertwine.rg.term_graph import term_graph
from intertwine.sampling.host_random import chain_states
from intertwine.spaces.lattice import Lattice


def heat_bath(
    lattice: Lattice,
    names: tuple[str | Shape, ...],
    couplings: Any,
    spins: np.ndarray,
    draws: int,
    *,
    key: Array,
    sweeps: int = 1,
) -> Int8[np.ndarray, "chains draws N"]:
    """`draws` configurations a chain, `sweeps` sweeps apart, from the chains `spins` (chains, N), ±1.

    names, couplings: families and their K_α, (n,). The same key gives the same numbers on any number of
    threads.

    >>> import jax
    >>> from intertwine.spaces.lattices import Square
    >>> start, names = np.ones((4, 16), np.int8), ("nearest", "plaquette")
    >>> drawn = heat_bath(Square(4, 4), names, [0.2, 0.1], start, 50, key=jax.random.key(0))
    >>> drawn.shape, bool(abs(drawn.mean()) < 0.5)
    ((4, 50, 16), True)
    """
    from intertwine.rg.host_blocks import run_sites

    graph, K = term_graph(lattice, tuple(names)), np.array(couplings, np.float64)
    current, states = np.array(spins, np.int8), chain_states(key, len(spins))
    drawn = np.empty((len(current), draws, lattice.size), np.int8)

    def chains(start: int, stop: int) -> None:
        part = slice(start, stop)
        run_sites(K, tuple(graph), current[part], states[part], drawn[part], sweeps)

    _threads.over_ranges(chains, len(current))
    return drawn
