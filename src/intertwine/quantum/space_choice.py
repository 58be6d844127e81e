r"""Which space a ground state is looked for in, and the moves that sample it: the one place for that choice.

The ground state of an operator that conserves Σ_i Z_i can be looked for at one magnetization M. Which one has
it is known in two cases, M = 0 (1 for an odd number of sites) in both:

    SU(2)       every multiplet has a member with the least |M|
    easy plane  Σ (J_ij (XX + YY) + Δ_ij ZZ) on two sublattices with signs that a rotation about z makes −|J|,
                and Δ_ij ≥ −|J_ij| (Lieb & Mattis, J. Math. Phys. 3, 749 (1962); Affleck & Lieb, Lett. Math.
                Phys. 12, 57 (1986))

Elsewhere (an easy-axis ferromagnet has |M| = N) all configurations are sampled, by single flips, exchanges
where the operator has them, and flips of all spins where these are a symmetry.

An operator on a Hilbert space with conserved numbers, constraints or several levels is looked at there, with
the moves of `hilbert_moves`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from intertwine._checks import fail
from intertwine.quantum.hilbert_moves import is_plain, moves_in, own_space
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.sign_structure import (
    is_rotation_invariant,
    solve_parities,
    stoquastic_rotation,
)
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.metropolis.rules import (
    Exchange,
    FlipSets,
    GlobalFlip,
    Mixture,
    Rule,
    SingleFlip,
    connected,
)
from intertwine.sampling.space import Space, magnetizations
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

MOST_CHAINS = 64
LEAST_DRAWS = 8
_MOST_SETS = 4096
EXCHANGES, SETS, GLOBAL_FLIPS = 0.4, 0.4, 0.1
"""Shares of the moves where all configurations are sampled; the rest are single flips."""


def ground_magnetization(operator: Any) -> int | None:
    """The Σ_i s_i at which a ground state is known to be, 0 or 1; None where it may have any.

    >>> import intertwine as it
    >>> ring = it.Chain(6)
    >>> [ground_magnetization(it.xxz(ring, delta)) for delta in (1.0, 0.5, -0.5, -2.0)]
    [0, 0, 0, None]
    >>> ground_magnetization(it.tfim(ring)), ground_magnetization(it.heisenberg(it.Chain(5)))
    (None, 1)
    """
    if not isinstance(operator, Operator) or len(operator.flips) == 0 or not operator.conserves_magnetization:
        return None
    if not operator.commutes_with_spin_flip:
        return None
    known = is_rotation_invariant(operator) or _is_easy_plane(operator)
    return operator.size % 2 if known else None


def _is_easy_plane(operator: Operator) -> bool:
    """See the module; for operators of pairs."""
    x, z, h = operator.masks()
    flips, diagonal = np.any(x, axis=1), ~np.any(x, axis=1) & np.any(z, axis=1)
    in_plane = flips & ~np.any(z, axis=1)  # J of XX; the YY of the pair follows from the conservation
    sites = np.count_nonzero(x | z, axis=1)
    if np.any(sites[flips | diagonal] != 2) or stoquastic_rotation(operator) is None:
        return False
    plane = {tuple(np.flatnonzero(x[t])): abs(h[t].real) for t in np.flatnonzero(in_plane)}
    axial = {tuple(np.flatnonzero(z[t])): h[t].real for t in np.flatnonzero(diagonal)}
    bonds = np.array(list({**plane, **axial})).reshape(-1, 2)
    masks = np.zeros((len(bonds), operator.size), bool)
    masks[np.arange(len(bonds))[:, None], bonds] = True
    bipartite = solve_parities(masks, np.ones(len(bonds), bool)) is not None
    return bipartite and all(value >= -plane.get(pair, 0.0) * (1 + 1e-12) for pair, value in axial.items())


def moves(operator: Operator, magnetization: int | None) -> Rule:
    """Moves that join all configurations of `magnetization` (None: all there are), and suit `operator`."""
    if magnetization is not None:
        return Exchange(_bonds(operator))
    parts: list[tuple[Rule, float]] = []
    if operator.size > 1 and len(operator.flips) > 0 and operator.conserves_magnetization:
        parts.append((Exchange(_bonds(operator)), EXCHANGES))
    if operator.commutes_with_spin_flip:
        parts.append((GlobalFlip(), GLOBAL_FLIPS))
    if sets := _larger_flips(operator):
        parts.append((FlipSets(sets), SETS))
    single = 1.0 - sum(share for _, share in parts)
    return Mixture([(SingleFlip(), single), *parts]) if parts else SingleFlip()


def _larger_flips(operator: Operator) -> list[list[int]]:
    """The sets of three sites or more, but not all, that the operator flips: stars, rings. Single flips alone
    reach what they join by ways of small probability only."""
    own = pauli.unpadded(np.asarray(operator.flips), operator.size)
    counts = np.count_nonzero(own, axis=1)
    chosen = own[(counts > 2) & (counts < operator.size)]
    return [np.flatnonzero(row).tolist() for row in chosen] if len(chosen) <= _MOST_SETS else []


def default_sampler(operator: Any, samples: int, magnetization: int | str | None = "ground") -> Any:
    """Metropolis chains that sample the space in which a ground state of `operator` is looked for.

    magnetization: Σ_i s_i to keep to, None for all configurations; "ground": `ground_magnetization`.

    >>> default_sampler(Operator.from_strings(4, [(1.0, {i: "X"}) for i in range(4)]), 1024).chains
    64
    """
    space = own_space(operator)
    if space is not None:
        if magnetization not in (None, "ground"):
            remedy = "say it in the space, as Spins(lattice, magnetization=0)"
            raise fail("magnetization", "None with a Hilbert space", magnetization, remedy)
        return Metropolis(moves_in(space, operator), chains=chains_for(samples), hilbert=space)
    kept: Any = ground_magnetization(operator) if magnetization == "ground" else magnetization
    return Metropolis(moves(operator, kept), chains=chains_for(samples), magnetization=kept)


def in_space(sampler: Any, space: HilbertSpace | None) -> Any:
    """`sampler` in `space`, where it says none itself and can be in one."""
    if is_plain(space) or not hasattr(sampler, "hilbert") or sampler.hilbert is not None:
        return sampler
    return replace(sampler, hilbert=space)


def measuring_space(
    where: Space | None, sampler: Any, size: int, samples: int, hilbert: HilbertSpace | None = None
) -> Space:
    """Where a state of `size` sites is measured: in the space of `sampler` if one is given, else in its own,
    else in `hilbert`, that of the operator, else among all configurations.

    >>> print(measuring_space(None, None, 4, 1024))
    all configurations
    """
    if sampler is not None:
        sampler = in_space(sampler, hilbert if where is None else where.hilbert)
        turned = None if where is None else where.turned
        return Space(sampler, magnetizations(sampler, size), turned, getattr(sampler, "hilbert", None))
    if where is not None:
        return where
    if hilbert is not None and not is_plain(hilbert):
        chains = Metropolis(moves_in(hilbert), chains=chains_for(samples), hilbert=hilbert)
        return Space(chains, hilbert=hilbert)
    parts = Mixture([(SingleFlip(), 1 - GLOBAL_FLIPS), (GlobalFlip(), GLOBAL_FLIPS)])
    return Space(Metropolis(parts, chains=chains_for(samples)))


def chains_for(samples: int) -> int:
    """How many chains share `samples`: at least 8 draws each, and at most 64 chains on a CPU."""
    chains = max(1, samples // LEAST_DRAWS)
    return min(MOST_CHAINS, chains) if jax.default_backend() == "cpu" else chains


def _bonds(operator: Operator) -> Any:
    """Pairs that connect all sites: the lattice's, those that the operator exchanges, or all (None)."""
    own = pauli.unpadded(np.asarray(operator.flips), operator.size)
    own = own[np.count_nonzero(own, axis=1) == 2]
    candidates = [np.nonzero(own)[1].reshape(-1, 2)]
    if operator.lattice is not None:
        candidates.insert(0, np.asarray(operator.lattice.bonds()).reshape(-1, 2))
    for pairs in candidates:
        if len(pairs) and connected(pairs, operator.size):
            return pairs
    return None
