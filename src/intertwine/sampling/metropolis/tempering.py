r"""Parallel tempering: replicas of a chain at several powers of the probability, swapping configurations.

Replica b of a chain samples p_b ∝ |ψ|^{2β_b}, β_1 < … < β_R = 1, by Metropolis; after every sweep
neighbouring replicas swap their configurations with probability

    min(1, exp{2 (β_b − β_{b+1}) [Re log ψ(s_{b+1}) − Re log ψ(s_b)]}),

first the even pairs, then the odd ones (Swendsen & Wang, Phys. Rev. Lett. 57, 2607, 1986; Hukushima & Nemoto,
J. Phys. Soc. Jpn. 65, 1604, 1996). The flat replicas cross from one mode of |ψ|² to another, and the last
one, β = 1, is the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8

from intertwine._checks import fail, positive_int
from intertwine.models.protocols import LogAmplitude
from intertwine.models.units import as_spins
from intertwine.sampling.metropolis.metropolis import JaxTables, chain_keys, jax_tables, run_sweep
from intertwine.sampling.metropolis.rules import Rule
from intertwine.sampling.metropolis.starts import (
    check_magnetization,
    check_space,
    check_state,
    first_configurations,
)
from intertwine.sampling.protocols import Samples
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


class TemperingState(NamedTuple):
    """Where the replicas are.

    configurations: int8 spins ±1, (chains, R, N), by ascending β.
    swap_acceptance: accepted share of the swaps of replicas b and b+1 in the last call of `sample`, (R−1,);
        nan before.
    """

    configurations: Int8[Array, "chains R N"]
    swap_acceptance: Array


@dataclass(frozen=True)
class ParallelTempering:
    """Metropolis chains with replicas at lower powers of |ψ|², for probabilities with several modes.

    rule, chains, sweep, magnetization, hilbert: as for `Metropolis`; a sweep is followed by the swaps and a
    draw.
    betas: ascending powers, the last one 1; or a number R of them, 1/R, 2/R, …, 1.

    Raises InputError for powers that do not ascend to 1, and as `Metropolis` does.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> from intertwine.sampling.metropolis.rules import SingleFlip
    >>> key = jax.random.key(0)
    >>> psi = RBM(6, hidden=6, key=key)
    >>> sampler = ParallelTempering(SingleFlip(), chains=8, betas=4)
    >>> samples, state = sampler.sample(psi, sampler.init(psi, key=key), 5, key=key)
    >>> samples.configurations.shape, state.swap_acceptance.shape
    ((8, 5, 6), (3,))
    """

    rule: Rule
    chains: int
    betas: int | tuple[float, ...] = 8
    sweep: int | None = None
    magnetization: int | None = None
    hilbert: HilbertSpace | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule):
            raise fail("rule", "a Rule", self.rule, "for example SingleFlip() or Exchange(lattice)")
        positive_int("chains", self.chains, "give the number of chains, for example 16")
        if self.sweep is not None:
            positive_int("sweep", self.sweep, "give the number of proposals between swaps, or None for N")
        check_magnetization(self.rule, self.magnetization)
        check_space(self.rule, self.hilbert, self.magnetization)
        if isinstance(self.betas, int):
            positive_int("betas", self.betas, "give the number of replicas, or their powers ending with 1")
        else:
            object.__setattr__(self, "betas", checked_powers(self.betas))

    @property
    def powers(self) -> tuple[float, ...]:
        """β of every replica, ascending to 1."""
        if isinstance(self.betas, int):
            return tuple((b + 1) / self.betas for b in range(self.betas))
        return self.betas

    def init(self, model: LogAmplitude, *, key: Array) -> TemperingState:
        """Random configurations; of one magnetization if the rule conserves it, or of the Hilbert space."""
        replicas = len(self.powers)
        spins = first_configurations(
            self.rule, self.chains * replicas, model.size, self.magnetization, self.hilbert, key=key
        )
        return TemperingState(
            spins.reshape(self.chains, replicas, model.size), jnp.full(replicas - 1, jnp.nan)
        )

    def sample(
        self, model: LogAmplitude, state: TemperingState, draws: int, *, key: Array
    ) -> tuple[Samples, TemperingState]:
        """`draws` configurations of the replica β = 1 of every chain; acceptance is that replica's."""
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        model = as_spins(model)
        betas = np.asarray(self.powers)
        check_state(state.configurations, (self.chains, len(betas), model.size))
        sweep = self.sweep or model.size
        kinds, tables = jax_tables(self.rule, model.size, self.hilbert)
        drawn, spins, accepted, swapped = _tempered_sample(
            model, state.configurations, tables, betas, key, kinds=kinds, draws=draws, sweep=sweep
        )
        share = accepted / (self.chains * draws * sweep)
        return Samples(drawn, None, share), TemperingState(spins, swapped / (self.chains * draws))


def checked_powers(betas: Sequence[float]) -> tuple[float, ...]:
    """Ascending powers that end with 1, or the error that says so."""
    try:
        values = np.asarray(tuple(betas), np.float64)
        good = values.ndim == 1 and values.size > 0 and bool(np.isfinite(values).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        raise fail(
            "betas", "a number of replicas or a sequence of powers", betas, "for example (0.25, 0.5, 1.0)"
        )
    if values[0] < 0 or bool(np.any(np.diff(values) <= 0)) or values[-1] != 1.0:
        raise fail("betas", "ascending powers ≥ 0 that end with 1", tuple(values.tolist()))
    return tuple(values.tolist())


def swap_pairs(log_psi: Array, betas: Array, log_u: Array, parity: int) -> tuple[Array, Array]:
    """One round of swaps of the pairs (b, b+1), b = parity, parity + 2, …

    log_psi: Re log ψ, (chains, R). log_u: (chains, R−1). Returns the replica whose configuration each replica
    gets, (chains, R), and the accepted swaps, bool (chains, R−1).
    """
    replicas = log_psi.shape[1]
    lower = jnp.arange(replicas - 1)
    gain = 2.0 * (betas[:-1] - betas[1:]) * (log_psi[:, 1:] - log_psi[:, :-1])
    accept = (log_u < gain) & (lower % 2 == parity)
    none = jnp.zeros((len(log_psi), 1), bool)
    up = jnp.concatenate([accept, none], axis=1).astype(jnp.int32)
    down = jnp.concatenate([none, accept], axis=1).astype(jnp.int32)
    return jnp.arange(replicas) + up - down, accept


@partial(jax.jit, static_argnames=("kinds", "draws", "sweep"))
def _tempered_sample(
    model: LogAmplitude,
    configurations: Array,
    tables: JaxTables,
    betas: Array,
    key: Array,
    *,
    kinds: tuple[bool, ...],
    draws: int,
    sweep: int,
) -> tuple[Array, Array, Array, Array]:
    """(drawn (chains, draws, N), configurations, accepted proposals at β = 1, accepted swaps (R−1,))."""
    chains, replicas, size = configurations.shape
    powers = jnp.tile(jnp.asarray(betas, jnp.zeros(()).dtype), chains)

    def swap(spins: Array, log_psi: Array, parity: int, swap_key: Array) -> tuple[Array, Array, Array]:
        log_u = jnp.log(jax.random.uniform(swap_key, (chains, replicas - 1)))
        source, accept = swap_pairs(log_psi, powers[:replicas], log_u, parity)
        spins = jnp.take_along_axis(spins, source[:, :, None], axis=1)
        return spins, jnp.take_along_axis(log_psi, source, axis=1), accept.sum(axis=0, dtype=jnp.float32)

    def draw(spins: Array, draw_key: Array) -> tuple[Array, Any]:
        chain_key, part_key, even_key, odd_key = jax.random.split(draw_key, 4)
        flat = spins.reshape(chains * replicas, size)
        keys = chain_keys(chain_key, flat)
        flat, counts = run_sweep(model, kinds, tables, flat, keys, part_key, sweep, powers)
        log_psi = jnp.real(jax.vmap(model)(flat)).reshape(chains, replicas)
        spins = flat.reshape(chains, replicas, size)
        spins, log_psi, even = swap(spins, log_psi, 0, even_key)
        spins, log_psi, odd = swap(spins, log_psi, 1, odd_key)
        accepted = counts.reshape(chains, replicas)[:, -1].sum(dtype=jnp.float32)
        return spins, (spins[:, -1], accepted, even + odd)

    spins, (drawn, accepted, swapped) = jax.lax.scan(draw, configurations, jax.random.split(key, draws))
    return jnp.swapaxes(drawn, 0, 1), spins, accepted.sum(), swapped.sum(axis=0)
