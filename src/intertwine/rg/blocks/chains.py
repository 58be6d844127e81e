"""Configurations as chains of draws, whatever they came from, with the lattice that they live on."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
from jax import Array
from jaxtyping import Int8
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.rg.blocks.blocks import check_carried, checked_spins, lattice_of
from intertwine.sampling.draw import Drawn
from intertwine.sampling.spins.default_sampler import spin_sampler
from intertwine.spaces.lattice import Lattice

_CHAINS = 64
_STEPS = 2


def given_chains(spins: ArrayLike, lattice: Lattice | None) -> tuple[Int8[np.ndarray, "C D N"], Lattice]:
    """Spins ±1, (draws, N) of one chain or (chains, draws, N), as chains; what `it.sample` drew as one, its
    chains one after another. lattice: see `lattice_of`.

    >>> from intertwine.spaces.lattices import Square
    >>> given_chains(np.ones((5, 16)), Square(2, 8))[0].shape
    (1, 5, 16)
    """
    given = chain_after_chain(spins)
    if given.ndim not in (2, 3) or given.size == 0:
        raise fail("spins", "an array (draws, N) or (chains, draws, N)", f"shape {given.shape}")
    lattice = lattice_of(spins, lattice)
    check_carried(spins, lattice)
    return checked_spins(given, lattice).reshape(-1, *given.shape[-2:]), lattice


def chain_after_chain(spins: ArrayLike) -> np.ndarray:
    """The array of `spins`, whose rows, where `it.sample` drew them, are those of one chain after another:
    runs of rows are then of chains that know nothing of one another, and errors by bins are right however
    slow the chains are."""
    spins = as_model(spins)
    if isinstance(spins, eqx.Module):
        remedy = "draw from it first, it.sample(model, n), and give the lattice with what is drawn"
        raise fail("spins", "configurations (of mcrg also a spin model)", type(spins).__name__, remedy)
    return spins.by_chain if isinstance(spins, Drawn) else np.asarray(spins)


def chains_of(
    spins: ArrayLike, lattice: Lattice | None, samples: int, *, key: Array
) -> tuple[Int8[np.ndarray, "C D N"], Lattice, float | None]:
    """`given_chains`, or about `samples` configurations of an `Ising` model: 64 chains of the sampler that it
    has by default, two steps between draws. Third, the autocorrelation time in draws of what `it.sample` drew
    (a row is the next of another chain, and correlations between neighbours do not show it), else None."""
    spins = as_model(spins)
    if not isinstance(spins, Ising):
        tau = len(spins) / spins.ess if isinstance(spins, Drawn) and spins.ess > 0 else None
        return *given_chains(spins, lattice), tau
    sampler = spin_sampler(spins, chains=_CHAINS, steps=_STEPS)
    init_key, draw_key = jax.random.split(key)
    draws = -(-positive_int("samples", samples) // _CHAINS)
    drawn, _ = sampler.sample(spins, sampler.init(spins, key=init_key), draws, key=draw_key)
    return np.asarray(drawn.configurations), spins.lattice, None
