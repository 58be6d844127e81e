r"""Couplings between the visible units of an RBM, as of an Ising model with terms of every order.

    ln Ψ(s) = Σ_A J_A Π_{i∈A} s_i,      J_A = 2^{−N} Σ_s ln Ψ(s) Π_{i∈A} s_i

(Cossu, Del Debbio, Giani, Khamseh & Wilson, Phys. Rev. B 100, 064304, 2019; Bulso & Roudi, Neural
Comput. 33, 2646, 2021). Up to 20 units the transform is done whole. Of larger machines the pairs are
means over the other spins,

    J_ij = ¼ ⟨ln Ψ(++) − ln Ψ(+−) − ln Ψ(−+) + ln Ψ(−−)⟩,

drawn at random, each with equal chances: that mean is J_ij itself, whatever the terms of higher order, and
has an error bar. Configurations of the data in place of random spins would give an effective pair coupling
near the data instead (terms of higher order with their mean spins), another number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.geometry.spectrum import log_weights, spin_view
from intertwine.models.results import as_model
from intertwine.rg.terms.spin_products import walsh_hadamard
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.models.machines.rbm import RBM

MOST_SPINS = 20
MOST_PAIRS = 400
"""Pairs of a shell that are looked at on a large lattice, evenly spread."""


@dataclass(frozen=True, repr=False)
class ShellCouplings(Shown):
    """Couplings of pairs by distance.

    distances: of the shells, float64 (shells,). means: of J_ij over the pairs of a shell. errors: one σ of
    the means, 0 where they are exact. scatter: standard deviation of J_ij between pairs, 0 for a machine with
    the symmetry of the lattice (where sampled: with the errors of single pairs in it).
    """

    distances: Float[np.ndarray, " shells"]
    means: Float[np.ndarray, " shells"]
    errors: Float[np.ndarray, " shells"]
    scatter: Float[np.ndarray, " shells"]

    def __str__(self) -> str:
        lines = [f"{'distance':>8} {'coupling':>20} {'between pairs':>14}"]
        for d, mean, error, spread in zip(self.distances, self.means, self.errors, self.scatter, strict=True):
            lines.append(f"{d:>8.3f} {with_error(mean, error, '+.5f'):>20} {spread:>14.5f}")
        return "\n".join(lines)


def couplings_of_rbm(
    model: RBM, lattice: Lattice, *, shells: int = 4, samples: int = 500, key: Array | None = None
) -> ShellCouplings:
    """Pair couplings of a trained machine, shell by shell of `lattice`.

    model: an RBM or DBM, real, with visible units of two states, one per site. shells: how many, from the
    nearest. samples: random configurations of the other spins, for more than 20 sites. key: None is
    `jax.random.key(0)`.

    Raises InputError for other models, lattices of another size, and more shells than there are.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.rg.networks.bond_rbm import bond_rbm
    >>> from intertwine.spaces.lattices import Square
    >>> couplings_of_rbm(bond_rbm(Ising(Square(4), 0.25)), Square(4), shells=2).means.round(6) + 0.0
    array([0.25, 0.  ])
    """
    model = as_model(model)
    view = spin_view(model)
    if not isinstance(lattice, Lattice) or lattice.size != view.size:
        shown = lattice.name if isinstance(lattice, Lattice) else lattice
        raise fail("lattice", f"the lattice of {view.size} visible units", shown)
    if not 1 <= positive_int("shells", shells) <= lattice.shells:
        raise fail("shells", f"1 to {lattice.shells} on {lattice.name}", shells)
    pairs = [lattice.bonds(shell) for shell in range(1, shells + 1)]
    distances = np.array([lattice.shell_distance(shell) for shell in range(1, shells + 1)])
    if view.size <= MOST_SPINS:
        table = walsh_hadamard(log_weights(view, all_configurations(view.size)))
        bits = 1 << (view.size - 1 - np.arange(view.size))
        found = [table[bits[p[:, 0]] | bits[p[:, 1]]] for p in pairs]
        zero = np.zeros(shells)
        return ShellCouplings(distances, _each(found, np.mean), zero, _each(found, np.std))
    rng_key = jax.random.key(0) if key is None else key
    count = max(2, positive_int("samples", samples))
    spins = jnp.where(jax.random.bernoulli(rng_key, 0.5, (count, view.size)), 1, -1).astype(jnp.int8)
    chosen = [p[:: -(-len(p) // MOST_PAIRS)] for p in pairs]
    values = [np.asarray(_pair_values(view, spins, jnp.asarray(p)), np.float64) for p in chosen]
    errors = _each([v.mean(0) for v in values], lambda x: x.std(ddof=1) / np.sqrt(len(x)))
    found = [v.mean(1) for v in values]
    return ShellCouplings(distances, _each(found, np.mean), errors, _each(found, np.std))


def _each(values: list[np.ndarray], of: Callable[..., Any]) -> np.ndarray:
    return np.array([float(of(v)) for v in values])


@jax.jit
def _pair_values(view: RBM, spins: Array, pairs: Array) -> Array:
    """¼ Σ σ σ' ln Ψ(σ, σ') of every pair and configuration, (pairs, samples)."""

    def value(pair: Array) -> Array:
        def of(s: Array) -> Array:
            total = jnp.zeros(())
            for a in (1, -1):
                for b in (1, -1):
                    total += a * b * view(s.at[pair[0]].set(a).at[pair[1]].set(b))
            return total / 4

        return jax.vmap(of)(spins)

    return jax.lax.map(value, pairs)
